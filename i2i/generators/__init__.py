"""Generators that come with i2i."""

from i2i.hookspecs import Register, hookimpl


@hookimpl
def register_generators(register: Register) -> None:
    """Register the built-in generators."""
    register("unet", "i2i.generators.unet:UNet", summary="the paper's U-Net")
    register(
        "encoder_decoder",
        "i2i.generators.unet:EncoderDecoder",
        summary="the paper's U-Net without its skips",
    )
    register(
        "timm_unet",
        "i2i.generators.timm_unet:TimmUNet",
        summary="any timm encoder with a skip decoder",
    )
