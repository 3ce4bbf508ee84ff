"""`i2i doctor`."""

import traceback
from collections.abc import Mapping
from importlib.metadata import entry_points

import click

from i2i.cli.say import say
from i2i.plugins.manager import ENTRY_POINT_GROUP, distribution, registry
from i2i.plugins.registry import Misfit


@click.command
def doctor() -> None:
    """Show versions, devices, the cache folder and plugins. Paste the output into bug reports.

    A plugin that is not loaded is shown with the reason, a broken one with its traceback; the exit
    status is then 1.
    """
    from i2i.system.cache import cache_dir
    from i2i.system.devices import choose_device
    from i2i.system.environment import machine, versions

    _section("versions", versions())
    _section("machine", machine() | {"device used": choose_device("auto")})
    folder = cache_dir()
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    _section("cache", {"folder": folder, "holds": f"{size / 2**20:.1f} MiB"})
    broken = registry().broken
    installed = {distribution(point): point for point in entry_points(group=ENTRY_POINT_GROUP)}
    states = {
        name: _state(broken[name]) if name in broken else point.value
        for name, point in installed.items()
    }
    _section("plugins", states or {"none installed": ""})
    for name, error in broken.items():
        say("", f"plugin '{name}' is {_state(error)}:", fg="red")
        if isinstance(error, Misfit):
            say(*error.lines)
        else:
            say(*"".join(traceback.format_exception(error)).rstrip().split("\n"))
    if broken:
        raise SystemExit(1)


def _state(error: BaseException) -> str:
    return "not loaded" if isinstance(error, Misfit) else "broken"


def _section(title: str, values: Mapping[str, object]) -> None:
    say(title, bold=True)
    for name, value in values.items():
        say(f"  {name:<14} {value}")
