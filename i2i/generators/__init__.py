"""The built-in generators."""

from i2i.hookspecs import Register, hookimpl


@hookimpl
def register_generators(register: Register) -> None:
    """Register the built-in generators."""
    register("unet", "i2i.generators.unet:UNet", summary="the paper's U-Net")
    register(
        "encoder_decoder",
        "i2i.generators.unet:EncoderDecoder",
        summary="the paper's U-Net without skip connections",
    )
    register(
        "timm_unet",
        "i2i.generators.timm_unet:TimmUNet",
        summary="a U-Net with any timm network as encoder",
    )
