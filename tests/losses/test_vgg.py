"""The loss on VGG16's features against torchvision's network with the same weights."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from i2i.errors import RecipeError
from i2i.losses.vgg import VGG
from i2i.nn.vgg import LAYERS
from i2i.recipe import Recipe
from i2i.recipe.inspection import inspect
from i2i.runs.run import run
from i2i.training.engine import Engine
from i2i.weights import catalogue

PLACES = {"relu1_1": 1, "relu2_1": 6, "relu2_2": 8, "relu3_1": 11, "relu4_1": 18, "relu5_1": 25}
"""Where torchvision's network has these activations."""

FIVE = {"relu1_1": 1 / 32, "relu2_1": 1 / 16, "relu3_1": 1 / 8, "relu4_1": 1 / 4, "relu5_1": 1.0}


def noise(channels: int = 3, side: int = 32, seed: int = 0) -> Tensor:
    source = torch.Generator().manual_seed(seed)
    return torch.rand(2, channels, side, side, generator=source) * 2 - 1


@pytest.fixture
def theirs(weights: Path) -> Callable[[Tensor], dict[str, Tensor]]:
    """torchvision's activations by name."""
    from torchvision.models import vgg16

    with torch.device("meta"):
        network = vgg16().features
    tensors = load_file(weights / "vgg16.safetensors")
    state = {name.removeprefix("features."): tensor for name, tensor in tensors.items()}
    network.load_state_dict(state, assign=True)
    for layer in network:
        layer.inplace = False

    def activations(images: Tensor) -> dict[str, Tensor]:
        found = {}
        for place, layer in enumerate(network):
            images = layer(images)
            found |= {name: images for name, own in PLACES.items() if own == place}
        return found

    return activations


@pytest.mark.parametrize("imagenet", [False, True])
@pytest.mark.parametrize("layers", [FIVE, {"relu2_2": 3.0, "relu1_1": 0.5}], ids=["five", "two"])
def test_it_is_the_weighted_difference_of_torchvisions_activations(
    theirs: Callable[[Tensor], dict[str, Tensor]], imagenet: bool, layers: dict[str, float]
) -> None:
    loss = VGG(layers=tuple(layers), weights=tuple(layers.values()), imagenet=imagenet)
    output, target = noise().requires_grad_(), noise(seed=1).requires_grad_()

    def prepared(images: Tensor) -> Tensor:
        if not imagenet:
            return images
        mean, deviation = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
        return ((images + 1) / 2 - mean.view(3, 1, 1)) / deviation.view(3, 1, 1)

    ours, others = theirs(prepared(output)), theirs(prepared(target.detach()))
    expected = sum(w * F.l1_loss(ours[name], others[name]) for name, w in layers.items())
    assert isinstance(expected, Tensor)
    value = loss(output, target)
    torch.testing.assert_close(value, expected)
    (gradient,) = torch.autograd.grad(expected, output)
    value.backward()
    torch.testing.assert_close(output.grad, gradient)
    assert target.grad is None


def test_the_default_is_pix2pixhds_layers_and_weights(weights: Path) -> None:
    plain = VGG(layers=tuple(FIVE), weights=tuple(FIVE.values()))
    assert torch.equal(VGG()(noise(), noise(seed=1)), plain(noise(), noise(seed=1)))
    assert plain(noise(), noise()) == 0


def test_only_the_layers_that_are_needed_are_built_and_all_are_frozen(weights: Path) -> None:
    state = torch.get_rng_state()
    loss = VGG(layers=("relu1_2",), weights=(1.0,))
    assert torch.equal(state, torch.get_rng_state())
    assert len(loss.network.features) == 4
    assert not any(parameter.requires_grad for parameter in loss.parameters())
    assert len(LAYERS) == 13


def test_gray_counts_as_three_equal_channels_and_others_are_refused(weights: Path) -> None:
    loss = VGG()
    gray, other = noise(1), noise(1, seed=1)
    three = loss(gray.expand(-1, 3, -1, -1), other.expand(-1, 3, -1, -1))
    assert torch.equal(loss(gray, other), three)
    with pytest.raises(ValueError, match="takes gray or RGB images, not 2 channels"):
        loss(noise(2), noise(2))
    with pytest.raises(ValueError, match="images of at least 16x16, not 15x15"):
        loss(noise(side=15), noise(side=15))
    assert loss(noise(side=16), noise(side=16, seed=1)) > 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": ("relu6_1",), "weights": (1.0,)}, "no layer 'relu6_1'. Known: relu1_1"),
        ({"layers": ("relu1_1",)}, "1 layers and 5 weights"),
    ],
)
def test_layers_that_don_t_fit_are_refused(
    weights: Path, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        VGG(**options)


def test_under_autocast_it_computes_in_float32(weights: Path) -> None:
    loss = VGG(layers=("relu2_1",), weights=(1.0,))
    with Engine("cpu", "bf16-mixed").autocast():
        value = loss(noise().bfloat16(), noise(seed=1))
    assert torch.equal(value, loss(noise().bfloat16().float(), noise(seed=1)))


def test_a_recipe_with_it_is_checked_and_trains_without_storing_the_network(
    weights: Path, tmp_path: Path, tiny_recipe: Callable[..., Recipe]
) -> None:
    losses = [{"type": "l1"}, {"type": "vgg", "weight": 10.0}]
    recipe = tiny_recipe(losses=losses, train={"max_steps": 1}, validation={"every": 0})
    assert any("1 l1 + 10 vgg" in line for line in inspect(recipe))
    run(recipe, out=tmp_path / "run", quiet=True)
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["losses"]["vgg"] > 0
    noted = json.loads((tmp_path / "run" / "environment.json").read_text())["weights"]
    assert noted["vgg16"]["sha256"] == catalogue()["vgg16"].sha256
    (saved,) = (tmp_path / "run" / "checkpoints").glob("step-00000001/training.pt")
    assert saved.stat().st_size < 2e6  # VGG16 is 59 MB


def test_images_that_are_too_small_are_told_by_the_check(
    weights: Path, tiny_recipe: Callable[..., Recipe]
) -> None:
    recipe = tiny_recipe(
        losses=[{"type": "vgg"}],
        augment={"crop_size": 8, "load_size": 8},
        generator={"type": "unet", "depth": 3, "base_channels": 4},
    )
    with pytest.raises(RecipeError, match="needs images of at least 16x16, not 8x8"):
        inspect(recipe)
