"""Types of images and image sizes."""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
"""An image as an array `(H, W, C)`, uint8 in [0, 255] or uint16 in [0, 65535]."""

Size = tuple[int, int]
"""Height and width in pixels."""
