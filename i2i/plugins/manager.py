"""The plugin manager: registers built-in components and installed plugins in the same way."""

import os
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import TYPE_CHECKING

from pluggy import PluginManager

from i2i import hookspecs
from i2i.errors import PluginError
from i2i.hookspecs import Register, RegisterWeights
from i2i.plugins.misfit import check_names, check_version
from i2i.plugins.registry import COMPONENTS, KINDS, WEIGHTS, Entry, Registry, plural
from i2i.plugins.signature import parameters

if TYPE_CHECKING:
    from i2i.weights import Pinned

ENTRY_POINT_GROUP = "i2i"

BUILT_INS = (
    "i2i.datasets",
    "i2i.generators",
    "i2i.discriminators",
    "i2i.losses",
    "i2i.metrics",
    "i2i.methods",
    "i2i.weights",
    "i2i.cli",
)


@cache
def registry() -> Registry:
    """All components of the built-ins and the installed plugins; built once per process.

    If a plugin requires another version of i2i, raises, registers a name that is taken, or
    registers an invalid component, all of it is skipped and the reason stored in `Registry.broken`.
    Two environment variables change this:

    - `I2I_STRICT_PLUGINS=1` raises the error instead.
    - `I2I_LOAD_PLUGINS=a,b` loads only the plugins `a` and `b`, named by their distributions or
      entry points; an empty value loads none.

    Raises:
        PluginError: If a plugin fails to load and `I2I_STRICT_PLUGINS` is 1.
    """
    manager = PluginManager("i2i")
    manager.add_hookspecs(hookspecs)
    found = Registry()
    for name in BUILT_INS:
        _register(manager, found, import_module(name), name)
    for entry_point in _selected():
        plugin = distribution(entry_point)
        try:
            if entry_point.dist:
                check_version(entry_point.dist)
            _register(manager, found, entry_point.load(), plugin)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may even call sys.exit
            if os.environ.get("I2I_STRICT_PLUGINS") == "1":
                raise PluginError(*_lines(plugin, error)) from error
            found.broken[plugin] = error
    return found


def _selected() -> list[EntryPoint]:
    """The installed entry points that `I2I_LOAD_PLUGINS` admits, sorted by name."""
    installed = sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda point: point.name)
    only = os.environ.get("I2I_LOAD_PLUGINS")
    if only is None:
        return installed
    names = {name.strip() for name in only.split(",")}
    return [point for point in installed if {point.name, distribution(point)} & names]


def _lines(plugin: str, error: BaseException) -> list[str]:
    start = f"plugin '{plugin}' failed to load: "
    return error.after(start) if isinstance(error, PluginError) else [f"{start}{error!r}"]


def distribution(entry_point: EntryPoint) -> str:
    """The name of the distribution that has an entry point, by which i2i calls a plugin."""
    named: str | None = entry_point.dist.name if entry_point.dist else None
    return named or entry_point.name


def _register(manager: PluginManager, found: Registry, module: ModuleType, plugin: str) -> None:
    """Add all components of a module to the registry, or none if one of them is invalid."""
    try:
        manager.register(module, name=plugin)
        manager.check_pending()
        entries = _registered(manager, module, plugin)
        check_names(found.entries, entries)
        staged = Registry({kind: dict(named) for kind, named in found.entries.items()})
        for entry in entries:
            staged.add(entry)
        found.entries = staged.entries
    except BaseException:
        if manager.is_registered(module):
            manager.unregister(module)
        raise


def _registered(manager: PluginManager, module: ModuleType, plugin: str) -> list[Entry]:
    """Call the hooks of one module and return the entries that they register.

    Raises:
        PluginError: If they register nothing.
    """
    others = [other for other in manager.get_plugins() if other is not module]
    entries: list[Entry] = []
    for kind in KINDS:
        hook = manager.subset_hook_caller(f"register_{plural(kind)}", others)
        hook(register=_collector(entries, kind, plugin))
    manager.subset_hook_caller("register_weights", others)(
        register=_weights_collector(entries, plugin)
    )
    if not entries:
        raise PluginError(
            f"{plugin} registers nothing: mark its hooks with @i2i.hookimpl, see i2i.hookspecs"
        )
    return entries


def _collector(entries: list[Entry], kind: str, plugin: str) -> Register:
    """The `register` function for the hooks of one kind; it appends to `entries`."""

    def register(name: str, target: str | type, *, summary: str = "") -> None:
        if not (isinstance(name, str) and name.isprintable() and isinstance(summary, str)):
            raise PluginError(f"{plugin} registers {name!r}: names and summaries are plain texts")
        if not isinstance(target, str) and kind in COMPONENTS:
            parameters(target)
        entries.append(Entry(kind, name, target, summary, plugin))

    return register


def _weights_collector(entries: list[Entry], plugin: str) -> RegisterWeights:
    """The `register` function for the hook of weights; it appends to `entries`."""

    def register(weights: "Pinned") -> None:
        entries.append(Entry(WEIGHTS, weights.name, weights, weights.purpose, plugin))

    return register
