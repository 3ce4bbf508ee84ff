"""Networks under test, built for the smallest images that they accept."""

from typing import Any, NamedTuple

from torch import Tensor, nn

from i2i.images.sizes import next_multiple
from i2i.images.types import Size
from i2i.testing.outcome import ConformanceError
from i2i.testing.subject import Subject

SIDES = (64, 128, 256, 512)
"""Heights and widths of training images that are tried in this order."""


class Built(NamedTuple):
    """A network and the training images that it was built for.

    Args:
        network: The network, on the CPU.
        size: Height and width of the images.
    """

    network: nn.Module
    size: Size


def built(subject: Subject, *, seed: int = 0, **channels: int) -> Built:
    """Build a network for the smallest images that its constructor accepts.

    Args:
        subject: The network's class and options.
        seed: Seed of its weights.
        channels: `in_channels`, and for generators `out_channels`.

    Raises:
        ConformanceError: If it can't be built for any size.
    """
    for side in SIDES:
        try:
            network: Any = subject.build(seed=seed, image_size=(side, side), **channels)
        except ConformanceError:
            if side == SIDES[-1]:
                raise
        else:
            subject.require(
                isinstance(network, nn.Module),
                f"is no network: register a subclass of torch.nn.Module, not {network!r}",
            )
            return Built(network, next_multiple((side, side), size_divisor(network)))
    raise AssertionError("unreachable")


def size_divisor(network: nn.Module) -> int:
    """The number that heights and widths must be multiples of; 1 if the network names none."""
    return int(getattr(network, "size_divisor", None) or 1)


def check_gradients(subject: Subject, network: nn.Module, when: str) -> None:
    """Check that all trained parameters of a network have finite gradients.

    Args:
        subject: What the network was built from.
        network: The network, after a backward pass.
        when: When the gradients were computed, for the message.
    """
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            subject.require(
                parameter.grad is not None,
                f"gives its parameter '{name}' no gradient {when}: use it in forward(), or freeze "
                "it with requires_grad_(False)",
            )
            subject.require(
                finite(parameter.grad), f"gives its parameter '{name}' an infinite gradient {when}"
            )


def finite(tensor: Tensor | None) -> bool:
    """Whether there is a tensor and all of its values are finite."""
    return tensor is not None and bool(tensor.isfinite().all())
