"""CycleGAN for i2i: a method for unpaired images, and its generator.

Zhu, Park, Isola, Efros, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
Networks", ICCV 2017.
"""

import i2i


@i2i.hookimpl
def register_methods(register: i2i.Register) -> None:
    """Register the method."""
    register(
        "cyclegan",
        "i2i_cyclegan.method:CycleGAN",
        summary="two directions that undo each other, without pairs (Zhu et al., ICCV 2017)",
    )


@i2i.hookimpl
def register_generators(register: i2i.Register) -> None:
    """Register the generator."""
    register(
        "resnet",
        "i2i_cyclegan.resnet:ResNet",
        summary="CycleGAN's residual network, after Johnson et al., ECCV 2016",
    )
