"""How networks are laid out, compiled and wrapped, and that it changes nothing they compute."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from i2i.generators.unet import UNet
from i2i.recipe import Recipe
from i2i.training.engine import Engine, memory_format, unwrap
from tests.training.test_trainer import batch, no_files, trainer

Recipes = Callable[..., Recipe]


def laid_out(network: nn.Module) -> bool:
    return all(
        p.is_contiguous(memory_format=torch.channels_last)
        for p in network.parameters()
        if p.ndim == 4
    )


def small() -> UNet:
    torch.manual_seed(0)
    return UNet(3, 3, (32, 32), depth=3, base_channels=4, norm="instance", dropout=0.0)


def test_networks_are_channels_last_on_a_cpu_unless_told_otherwise() -> None:
    assert laid_out(Engine("cpu").wrap(small()))
    assert laid_out(Engine("cpu", channels_last=True).wrap(small()))
    assert not laid_out(Engine("cpu", channels_last=False).wrap(small()))


@pytest.mark.parametrize(
    ("device", "half", "expected"),
    [
        ("cpu", False, torch.channels_last),
        ("cuda", False, torch.contiguous_format),
        ("cuda", True, torch.channels_last),
        ("mps", False, torch.contiguous_format),
    ],
)
def test_the_layout_by_default(device: str, half: bool, expected: torch.memory_format) -> None:
    assert memory_format(torch.device(device), half=half) is expected


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
