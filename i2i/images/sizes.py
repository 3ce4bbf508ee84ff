"""Format image sizes for messages, and round them up to multiples."""

from i2i.images.types import Size


def size_text(image_size: Size) -> str:
    """Height and width for messages: `256x512`."""
    return f"{image_size[0]}x{image_size[1]}"


def crop_size_text(image_size: Size) -> str:
    """Height and width in the notation of a recipe's `crop_size`: `256` or `[256, 512]`."""
    height, width = image_size
    return str(height) if height == width else f"[{height}, {width}]"


def next_multiple(image_size: Size, factor: int) -> Size:
    """Round height and width up to positive multiples of `factor`."""
    height, width = (max(1, -(-side // factor)) * factor for side in image_size)
    return height, width
