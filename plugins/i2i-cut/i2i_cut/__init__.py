"""CUT and FastCUT for i2i: methods for unpaired images, and their networks.

Park, Efros, Zhang, Zhu, "Contrastive Learning for Unpaired Image-to-Image Translation", ECCV 2020.
"""

import i2i


@i2i.hookimpl
def register_methods(register: i2i.Register) -> None:
    """Register both methods."""
    register(
        "cut",
        "i2i_cut.method:CUT",
        summary="one direction without pairs; patches keep their content (Park et al., ECCV 2020)",
    )
    register(
        "fastcut",
        "i2i_cut.fast:FastCUT",
        summary="CUT without the identity term: faster and with less memory",
    )


@i2i.hookimpl
def register_generators(register: i2i.Register) -> None:
    """Register the generator."""
    register(
        "cut_resnet",
        "i2i_cut.generator:CutResNet",
        summary="CUT's residual network, with blurred down- and up-sampling and features",
    )


@i2i.hookimpl
def register_discriminators(register: i2i.Register) -> None:
    """Register the discriminator."""
    register(
        "cut_patch",
        "i2i_cut.discriminator:CutPatch",
        summary="CUT's PatchGAN, with blurred down-sampling",
    )
