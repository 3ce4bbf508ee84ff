"""LPIPS: the network that metric and loss share, and the loss."""

import copy
import json
import pickle
import shutil
import warnings
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from i2i.errors import WeightsError
from i2i.losses.perceptual import LPIPS
from i2i.nn import lpips as perceptual
from i2i.recipe import Recipe
from i2i.recipe.inspection import inspect
from i2i.runs.run import run
from i2i.training.engine import Engine
from i2i.weights import catalogue, used

Net = Literal["alex", "vgg"]
NETS: list[tuple[Net, str]] = [("alex", "alexnet"), ("vgg", "vgg16")]


def picture(path: Path) -> Tensor:
    pixels = np.asarray(Image.open(path).convert("RGB"), dtype=np.float32)
    return torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed)) * 2 - 1


@pytest.mark.parametrize(
    ("net", "expected"), [("alex", (0.72188, 0.13757)), ("vgg", (0.56861, 0.42166))]
)
def test_the_metrics_own_examples_have_their_published_distances(
    weights: Path, golden: Path, net: Net, expected: tuple[float, float]
) -> None:
    reference = picture(golden / "lpips_ex_ref.png").expand(2, -1, -1, -1)
    others = torch.cat([picture(golden / f"lpips_ex_p{i}.png") for i in (0, 1)])
    distances = perceptual.LPIPS(net)(others, reference)
    assert distances.tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("net", "name"), NETS)
def test_distances_equal_the_lpips_packages_on_the_same_weights(
    weights: Path, net: Net, name: str
) -> None:
    import lpips
    from safetensors.torch import load_file

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    tensors = load_file(weights / f"{name}.safetensors")
    layers = {
        number: layer
        for i in range(1, 6)
        for number, layer in getattr(theirs.net, f"slice{i}").named_children()
    }
    for key, tensor in tensors.items():
        _, number, part = key.split(".")
        getattr(layers[number], part).data.copy_(tensor)
    ours = perceptual.LPIPS(net)
    one, other = noise(2, 3, 64, 48), noise(2, 3, 64, 48, seed=1)
    with torch.no_grad():
        expected = theirs(one, other).flatten()
        torch.testing.assert_close(ours(one, other), expected, atol=1e-5, rtol=0)
    assert ours.weights_sha256 == catalogue()[name].sha256


@pytest.mark.parametrize("net", ["alex", "vgg"])
def test_equal_images_have_distance_0_and_gray_counts_as_three_equal_channels(
    weights: Path, net: Net
) -> None:
    network = perceptual.LPIPS(net)
    gray, other = noise(2, 1, 40, 40), noise(2, 1, 40, 40, seed=1)
    assert network(gray, gray).tolist() == [0, 0]
    three = network(gray.expand(-1, 3, -1, -1), other.expand(-1, 3, -1, -1))
    assert torch.equal(network(gray, other), three)


@pytest.mark.parametrize(
    ("shape", "scale", "message"),
    [
        ((1, 3, 40, 40), 1.01, r"values in \[-1, 1\]"),
        ((1, 2, 40, 40), 1.0, "not for 2 channels"),
        ((1, 3, 40, 30), 1.0, "at least 31x31, not 40x30"),
    ],
)
def test_what_the_distance_is_not_defined_for_is_refused(
    weights: Path, shape: tuple[int, ...], scale: float, message: str
) -> None:
    network = perceptual.LPIPS("alex")
    image = torch.ones(shape) * scale
    with pytest.raises(ValueError, match=message):
        network(image, image)


def test_images_of_two_shapes_are_refused(weights: Path) -> None:
    with pytest.raises(ValueError, match="of one shape"):
        perceptual.LPIPS("alex")(noise(1, 3, 40, 40), noise(1, 3, 48, 48))


@pytest.mark.parametrize(("net", "side"), [("alex", 31), ("vgg", 16)])
def test_the_smallest_image_is_taken(weights: Path, net: Net, side: int) -> None:
    network = perceptual.LPIPS(net)
    assert network(noise(1, 3, side, side), noise(1, 3, side, side, seed=1)) > 0
    with pytest.raises(RuntimeError, match="too small"):
        network.network(noise(1, 3, side - 1, side), noise(1, 3, side - 1, side))


def test_rounding_beyond_the_range_is_forgiven(weights: Path) -> None:
    image = torch.full((1, 3, 40, 40), 1 + 5e-7)
    assert perceptual.LPIPS("alex")(image, image) == 0


def test_it_draws_no_random_numbers_stays_in_evaluation_and_takes_no_gradients(
    weights: Path,
) -> None:
    state = torch.get_rng_state()
    loss = LPIPS().train()
    assert torch.equal(state, torch.get_rng_state())
    assert not any(module.training for module in loss.distance.modules())
    assert not any(parameter.requires_grad for parameter in loss.parameters())


def test_the_gradient_flows_to_the_output_and_lowers_the_distance(weights: Path) -> None:
    loss = LPIPS(net="alex")
    output, target = noise(1, 3, 64, 64).requires_grad_(), noise(1, 3, 64, 64, seed=1)
    before = loss(output, target)
    before.backward()
    assert before.shape == ()
    assert output.grad is not None
    assert output.grad.isfinite().all()
    with torch.no_grad():
        moved = (output - 0.01 * output.grad.sign()).clamp(-1, 1)
        assert loss(moved, target) < before


def test_under_autocast_it_computes_in_float32(weights: Path) -> None:
    loss = LPIPS(net="alex")
    output, target = noise(1, 3, 64, 64), noise(1, 3, 64, 64, seed=1)
    with Engine("cpu", "bf16-mixed").autocast():
        value = loss(output, target)
        half = loss(output.bfloat16(), target)
    assert value.dtype == torch.float32
    assert torch.equal(value, loss(output, target))
    assert torch.equal(half, loss(output.bfloat16().float(), target))


@pytest.mark.parametrize("damage", ["doubled", "cut", "gone"])
def test_other_linear_heads_than_the_pinned_ones_are_refused(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    import lpips

    package = tmp_path / "lpips"
    shutil.copytree(Path(lpips.__file__).parent, package)
    file = package / "weights/v0.1/alex.pth"
    if damage == "doubled":
        heads = torch.load(file, map_location="cpu", weights_only=True)
        torch.save({name: 2 * tensor for name, tensor in heads.items()}, file)
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:1000])
    else:
        file.unlink()
    monkeypatch.setattr(lpips.__spec__, "origin", str(package / "__init__.py"))
    with pytest.raises(WeightsError, match="pip install --force-reinstall") as raised:
        perceptual.LPIPS("alex")
    assert str(file) in str(raised.value)
    assert perceptual.LPIPS("vgg")


def test_the_linear_heads_are_among_the_weights_that_were_used(weights: Path) -> None:
    perceptual.LPIPS("alex")
    assert used()["lpips_alex"]["source"] == f"package lpips {version('lpips')}"


def test_copies_and_pickles_give_the_same_distance(weights: Path) -> None:
    loss = LPIPS(net="alex")
    pair = noise(1, 3, 40, 40), noise(1, 3, 40, 40, seed=1)
    for other in (copy.deepcopy(loss), pickle.loads(pickle.dumps(loss))):
        assert torch.equal(other(*pair), loss(*pair))


LOSSES: list[dict[str, Any]] = [
    {"type": "cgan"},
    {"type": "l1"},
    {"type": "lpips", "net": "alex", "weight": 2.0},
]


def test_a_recipe_with_lpips_is_checked_and_trains(
    weights: Path, tmp_path: Path, tiny_recipe: Callable[..., Recipe]
) -> None:
    recipe = tiny_recipe(losses=LOSSES, train={"max_steps": 2})
    assert any("2 lpips" in line for line in inspect(recipe))
    finished = run(recipe, out=tmp_path / "run", quiet=True)
    assert finished.status == 0
    lines = (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["losses"]["lpips"] > 0
    noted = json.loads((tmp_path / "run" / "environment.json").read_text())["weights"]
    assert noted["alexnet"]["sha256"] == catalogue()["alexnet"].sha256
    (saved,) = (tmp_path / "run" / "checkpoints").glob("step-00000002/training.pt")
    assert saved.stat().st_size < 2e6  # AlexNet alone is 10 MB
