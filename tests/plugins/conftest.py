"""Plugins that are installed for one test."""

import importlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from i2i.plugins.manager import registry

GOOD = """
import i2i
from torch import nn

class Identity(nn.Module):
    def __init__(self, in_channels: int, out_channels: int, *, gain: float = 1.0):
        super().__init__()
        self.scale = nn.Conv2d(in_channels, out_channels, 1)
    def forward(self, image):
        return self.scale(image).tanh()

@i2i.hookimpl
def register_generators(register):
    register("{name}", Identity, summary="one convolution")
"""


class Install(Protocol):
    def __call__(
        self, module: str, code: str, *, name: str | None = None, requires: Sequence[str] = ()
    ) -> None: ...


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for packages, from which this process imports."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    yield folder
    registry.cache_clear()
    for name in [name for name in sys.modules if name.startswith("i2i_")]:
        del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """Install a plugin as pip would: a module and a distribution with an entry point."""

    def install(
        module: str, code: str, *, name: str | None = None, requires: Sequence[str] = ()
    ) -> None:
        (site / f"{module}.py").write_text(code)
        describe(site, name or module, module, requires)
        importlib.invalidate_caches()
        registry.cache_clear()

    return install


def describe(site: Path, name: str, module: str, requires: Sequence[str] = ()) -> None:
    """Write what pip writes about a distribution `name` with an entry point for `module`."""
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {each}" for each in requires]
    (info / "METADATA").write_text("\n".join(lines) + "\n")
    (info / "entry_points.txt").write_text(f"[i2i]\n{module} = {module}\n")
