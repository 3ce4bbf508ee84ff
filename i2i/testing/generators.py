"""Checks of generators: shape and range, training, saving, and translation at test time."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from torch import Tensor, nn

from i2i.images.types import Size
from i2i.model.file import load_model, write_model
from i2i.model.inference import TestSettings, translate
from i2i.recipe.schema import Precision
from i2i.testing.check import Check
from i2i.testing.exports import exports
from i2i.testing.images import pictures
from i2i.testing.networks import built, check_gradients, finite, size_divisor
from i2i.testing.outcome import CheckSkipped
from i2i.testing.subject import Subject, seeded
from i2i.testing.tiles import tiles
from i2i.training.engine import Engine

CHANNELS = ((3, 3), (1, 3), (3, 1))
"""Channels of input and output that a generator is built for."""

LARGER = 10
"""Weights are multiplied by it to see whether outputs stay in their range after training too."""

CLOSE = 1e-5
"""Largest difference between the translations of an image alone and in a batch."""

OVERFLOWS = 24
"""Times that loss scaling may have to lower its scale before float16 gradients are finite."""


def keeps_shape_and_range(subject: Subject) -> None:
    """Outputs have the images' size, the target's channels, and values in [−1, 1]."""
    for inputs, outputs in CHANNELS:
        network, (side, _) = built(subject, in_channels=inputs, out_channels=outputs)
        step = size_divisor(network)
        for size in ((side, side), (side + step, side), (side, side + 2 * step)):
            output = _translated(subject, network, pictures(2, inputs, size))
            _check_shape(subject, output, (2, outputs, *size))
            subject.require(finite(output), "returns values that are not finite")
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(LARGER)
        output = _translated(subject, network, pictures(2, inputs, (side, side)))
        largest = max([0.0, *output[output.isfinite()].abs().flatten().tolist()])
        subject.require(
            largest <= 1,
            f"returns values up to {largest:.3g} with weights {LARGER} times as large; outputs "
            "must stay in [-1, 1], for example by a final tanh",
        )


def is_deterministic(subject: Subject) -> None:
    """The same image, seed and sample give the same output, and translating changes nothing."""
    network, size = built(subject, in_channels=3, out_channels=3)
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    images = pictures(2, 3, size)
    with seeded(1):
        first = _translated(subject, network, images)
    with seeded(2):
        second = _translated(subject, network, images)
    subject.require(
        torch.equal(first, second),
        "translates the same image to two different outputs at test time: draw noise only with "
        "PyTorch's functions that docs/plugins.md lists",
    )
    for name, tensor in network.state_dict().items():
        subject.require(
            torch.equal(tensor, before[name]), f"changes '{name}' when it translates in eval mode"
        )


def trains(precision: Precision, subject: Subject) -> None:
    """One step in a number format gives all trained parameters finite gradients."""
    network, size = built(subject, in_channels=3, out_channels=3)
    parameters = [p for p in network.parameters() if p.requires_grad]
    subject.require(bool(parameters), "has no parameters to train")
    images, targets = pictures(2, 3, size), pictures(2, 3, size, seed=1)
    network.train()
    deterministic = torch.are_deterministic_algorithms_enabled()
    with seeded(0), Engine("cpu", precision, deterministic=deterministic) as engine:
        optimizer = torch.optim.Adam(parameters, lr=1e-4)
        for _ in range(OVERFLOWS if precision == "16-mixed" else 1):
            optimizer.zero_grad()
            try:
                with engine.autocast():
                    loss = (network(images) - targets).abs().mean()
                engine.backward(loss, parameters, keep_graph=False)
            except RuntimeError as error:
                if precision == 32 or "not implemented for" not in str(error):
                    raise
                raise CheckSkipped(f"this torch can't: {error}") from error
            engine.update(optimizer, parameters, None)
            engine.scaler.update()
            if all(p.grad is None or finite(p.grad) for p in parameters):
                break
    subject.require(finite(loss.detach()), f"returns values that are not finite in {precision}")
    check_gradients(subject, network, f"in a training step in {precision}")


def survives_saving(subject: Subject) -> None:
    """A network with other weights gives the same output after loading the saved ones."""
    network, size = built(subject, in_channels=3, out_channels=3)
    other, _ = built(subject, in_channels=3, out_channels=3, seed=1)
    images = pictures(1, 3, size)
    with TemporaryDirectory() as folder:
        file = Path(folder) / "model.safetensors"
        write_model(file, network, recipe="", data="", step=0)
        load_model(file, other)
    subject.require(
        torch.equal(_translated(subject, network, images), _translated(subject, other, images)),
        "gives other outputs after saving and loading: everything that they depend on must be a "
        "parameter or a buffer",
    )


def is_the_same_in_a_batch(subject: Subject) -> None:
    """The translation of an image doesn't depend on the other images of its batch."""
    network, size = built(subject, in_channels=3, out_channels=3)
    images = pictures(3, 3, size)
    together = _translated(subject, network, images)
    alone = torch.cat([_translated(subject, network, image[None]) for image in images])
    difference = float((together - alone).abs().max())
    subject.require(
        difference <= CLOSE,
        f"translates an image differently alone and in a batch, by {difference:.1e}: its output "
        "must not depend on the other images of the batch",
    )


def _translated(subject: Subject, network: nn.Module, images: Tensor) -> Tensor:
    """Translate images, with the test-time settings of a recipe that names none."""
    with subject.doing(f"can't translate images of {tuple(images.shape)}"):
        output: object = translate(network, images, TestSettings())
    subject.require(isinstance(output, Tensor), f"returns {type(output).__name__}, not a tensor")
    assert isinstance(output, Tensor)
    return output


def _check_shape(subject: Subject, output: Tensor, expected: tuple[int, int, *Size]) -> None:
    subject.require(
        tuple(output.shape) == expected and output.is_floating_point(),
        f"returns {output.dtype} of {tuple(output.shape)} where the contract asks for floats of "
        f"{expected}: (N, C, H, W) with the target's channels and the images' size",
    )


CHECKS = (
    Check("shape and range", keeps_shape_and_range),
    Check("same output twice", is_deterministic),
    Check("training in 32", partial(trains, 32)),
    Check("training in bf16-mixed", partial(trains, "bf16-mixed")),
    Check("training in 16-mixed", partial(trains, "16-mixed")),
    Check("saving and loading", survives_saving),
    Check("alone as in a batch", is_the_same_in_a_batch),
    Check("tiles", tiles),
    Check("export to ONNX", exports),
)
