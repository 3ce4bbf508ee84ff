"""Heights and widths: as messages show them, and rounded up to multiples."""

from i2i.images.types import Size


def size_text(image_size: Size) -> str:
    """Height and width as a message shows them: `256x512`."""
    return f"{image_size[0]}x{image_size[1]}"


def crop_size_text(image_size: Size) -> str:
    """Height and width as a recipe's `crop_size` says them: `256`, or `[256, 512]`."""
    height, width = image_size
    return str(height) if height == width else f"[{height}, {width}]"


def next_multiple(image_size: Size, factor: int) -> Size:
    """The smallest height and width not below these that are positive multiples of `factor`."""
    height, width = (max(1, -(-side // factor)) * factor for side in image_size)
    return height, width
