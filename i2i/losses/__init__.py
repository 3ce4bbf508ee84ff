"""The built-in losses."""

from i2i.hookspecs import Register, hookimpl


@hookimpl
def register_losses(register: Register) -> None:
    """Register the built-in losses."""
    register("l1", "i2i.losses.reconstruction:L1", summary="mean absolute difference")
    register("l2", "i2i.losses.reconstruction:L2", summary="mean squared difference")
    register(
        "lpips",
        "i2i.losses.perceptual:LPIPS",
        summary="perceptual distance (LPIPS) on pretrained features",
    )
    register("vgg", "i2i.losses.vgg:VGG", summary="mean absolute difference of VGG16's features")
    register(
        "feature_matching",
        "i2i.losses.features:FeatureMatching",
        summary="mean absolute difference of the discriminator's features",
    )
    register(
        "cgan",
        "i2i.losses.adversarial:CGAN",
        summary="adversarial; the discriminator sees input and output",
    )
    register(
        "gan",
        "i2i.losses.adversarial:GAN",
        summary="adversarial; the discriminator sees the output alone",
    )
