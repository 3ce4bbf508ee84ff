"""Read and write image files without silent loss.

All code that opens image files uses this package, because Pillow is made for displaying pictures:
it stops at the first frame, clips 16 bits to 8, shows the hidden colours of transparent pixels and
turns label indices into colours. This package handles each case correctly or raises an error.
"""

from i2i.images.content import Header, Mode, Picture
from i2i.images.decoding import SUFFIXES, header, is_colour, read, read_picture
from i2i.images.guards import trust_up_to
from i2i.images.memory import pixels_of
from i2i.images.png import from_png, png_bytes
from i2i.images.resizing import resize
from i2i.images.writing import holds_alpha, lossless_suffix, save_image, write_picture

__all__ = [
    "SUFFIXES",
    "Header",
    "Mode",
    "Picture",
    "from_png",
    "header",
    "holds_alpha",
    "is_colour",
    "lossless_suffix",
    "pixels_of",
    "png_bytes",
    "read",
    "read_picture",
    "resize",
    "save_image",
    "trust_up_to",
    "write_picture",
]
