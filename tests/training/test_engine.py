"""How networks are laid out, compiled and wrapped, and that it changes nothing they compute."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from i2i.generators.unet import UNet
from i2i.recipe import Recipe
from i2i.system.devices import choose_precision
from i2i.training.engine import Engine, unwrap
from tests.training.test_trainer import batch, no_files, trainer

Recipes = Callable[..., Recipe]


def small() -> UNet:
    torch.manual_seed(0)
    return UNet(3, 3, (32, 32), depth=3, base_channels=4, norm="instance", dropout=0.0)


@pytest.mark.parametrize(
    ("precision", "asked", "channels_last"),
    [
        (32, None, False),
        ("bf16-mixed", None, True),
        ("16-mixed", None, True),
        (32, True, True),
        ("bf16-mixed", False, False),
    ],
)
def test_maps_are_channels_last_in_half_precision_unless_told_otherwise(
    tiny_recipe: Recipes, precision: Any, asked: bool | None, channels_last: bool
) -> None:
    engine = Engine("cpu", precision, channels_last=asked)
    training = trainer(tiny_recipe(train={"precision": precision}), engine)
    seen: list[torch.Tensor] = []
    for module in training.models.trained["generator"].modules():
        if isinstance(module, nn.BatchNorm2d):
            module.register_forward_hook(lambda _, shown, __: seen.append(shown[0]))
    training.update(batch(), no_files)
    assert seen
    layout = torch.channels_last if channels_last else torch.contiguous_format
    assert all(maps.is_contiguous(memory_format=layout) for maps in seen)
    for parameters in training.parameters.values():
        assert all(p.is_contiguous() for p in parameters)
        assert all(p.grad is None for p in parameters)


@pytest.mark.parametrize("fast", ["avx512_bf16", "amx_bf16", "avx2"])
def test_auto_precision_is_bf16_where_the_processor_has_it(
    monkeypatch: pytest.MonkeyPatch, fast: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {fast: True}, raising=False)
    expected = 32 if fast == "avx2" else "bf16-mixed"
    assert Engine("cpu", "auto").precision == expected
    assert choose_precision(torch.device("cuda")) == choose_precision(torch.device("mps")) == 32


def test_where_torch_cannot_tell_auto_precision_is_32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert Engine("cpu", "auto").precision == 32


def test_the_layout_changes_no_losses(tiny_recipe: Recipes) -> None:
    quiet = {"type": "unet", "depth": 3, "base_channels": 4, "norm": "instance", "dropout": 0.0}
    losses = []
    for layout in (True, False):
        training = trainer(tiny_recipe(generator=quiet), Engine("cpu", channels_last=layout))
        losses.append([training.update(batch(seed=step), no_files) for step in range(3)])
    for ours, theirs in zip(*losses, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-3)


def test_a_compiled_network_is_unwrapped() -> None:
    network = small()
    compiled = Engine("cpu", compile=True).wrap(network)
    assert compiled is not network
    assert unwrap(compiled) is network


def test_a_run_imports_no_library_that_its_recipe_does_not_name(
    write_recipe: Callable[..., Path], tmp_path: Path
) -> None:
    code = (
        "import json, sys; from i2i.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "finally: print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "run", str(write_recipe()), "--quiet"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = set(json.loads(done.stdout.splitlines()[-1]))
    assert "torch" in imported
    assert not imported & {"torchvision", "timm", "torchmetrics", "lpips", "scipy", "kornia"}
