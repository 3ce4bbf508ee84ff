"""An example plugin for i2i: registers a generator and a loss.

The targets are strings, so their modules are imported only when they are used.
"""

import i2i


@i2i.hookimpl
def register_generators(register: i2i.Register) -> None:
    """Register the generator."""
    register("tiny", "i2i_example.tiny:Tiny", summary="three convolutions, for tests")


@i2i.hookimpl
def register_losses(register: i2i.Register) -> None:
    """Register the loss."""
    register("charbonnier", "i2i_example.charbonnier:Charbonnier", summary="a smooth L1 loss")
