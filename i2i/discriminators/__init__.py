"""The built-in discriminators."""

from i2i.hookspecs import Register, hookimpl


@hookimpl
def register_discriminators(register: Register) -> None:
    """Register the built-in discriminators."""
    register(
        "patch",
        "i2i.discriminators.patch:Patch",
        summary="the paper's PatchGAN, receptive field 16 to 286",
    )
    register(
        "pixel",
        "i2i.discriminators.patch:Pixel",
        summary="the paper's PixelGAN, judges each pixel alone",
    )
    register(
        "image",
        "i2i.discriminators.patch:Image",
        summary="the paper's ImageGAN, receptive field 286",
    )
    register(
        "multiscale",
        "i2i.discriminators.multiscale:Multiscale",
        summary="PatchGANs on an image at several sizes, which give their features",
    )
