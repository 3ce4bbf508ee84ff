"""The registry of components, by kind and name."""

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from i2i.errors import PluginError, nearest

if TYPE_CHECKING:
    from i2i.weights import Pinned

COMPONENTS = ("dataset", "generator", "discriminator", "loss", "metric", "method")
"""The kinds of components that a recipe can use, in the order of `i2i list`."""

KINDS = (*COMPONENTS, "command")

WEIGHTS = "weights"
"""The kind of pretrained weights, which are registered as they are and not built."""


def plural(kind: str) -> str:
    """The plural of a kind, as in hooks and listings: `losses` for `loss`."""
    return kind + ("es" if kind.endswith("s") else "s")


class Misfit(PluginError):
    """An intact plugin needs another version of i2i, or has names that another plugin has.

    Args:
        lines: The lines of the message.
        contested: Kind and name of each component that another plugin has, too.
    """

    def __init__(self, *lines: str, contested: Iterable[tuple[str, str]] = ()) -> None:
        self.contested = frozenset(contested)
        super().__init__(*lines)


@dataclass(frozen=True)
class Entry:
    """One registered component, or pretrained weights.

    Args:
        kind: One of `KINDS`, or `WEIGHTS`.
        name: Its name in recipes, or in the catalogue of weights.
        target: The class, or `"module:Class"`, or the weights.
        summary: One line for `i2i list`.
        plugin: The distribution or built-in module that registered it.
    """

    kind: str
    name: str
    target: "str | type | Pinned"
    summary: str
    plugin: str

    def load(self) -> Any:
        """Return the class, imported if it was registered as a string, or the weights.

        Raises:
            PluginError: If the import fails, or the module has no such name.
        """
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a module may even call sys.exit
            raise PluginError(
                f"{self.kind} '{self.name}' of {self.plugin} can't be loaded from "
                f"'{self.target}': {type(error).__name__}: {error}"
            ) from error


@dataclass
class Registry:
    """Entries by kind and name.

    Attributes:
        entries: Entries by kind, then by name.
        broken: The errors of plugins that failed to load, by plugin; `i2i doctor` prints them.
    """

    entries: dict[str, dict[str, Entry]] = field(
        default_factory=lambda: {kind: {} for kind in (*KINDS, WEIGHTS)}
    )
    broken: dict[str, BaseException] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            PluginError: If the name is taken.
        """
        if entry.name in self.entries[entry.kind]:
            raise PluginError(f"{entry.plugin} registers {entry.kind} '{entry.name}' twice")
        self.entries[entry.kind][entry.name] = entry

    def names(self, kind: str) -> list[str]:
        """The registered names of a kind, sorted."""
        return sorted(self.entries[kind])

    def get(self, kind: str, name: str) -> Entry:
        """Return the entry of a kind by its name.

        Raises:
            PluginError: If the name is unknown; for the message see `unknown`.
        """
        try:
            return self.entries[kind][name]
        except KeyError:
            raise PluginError(self.unknown(kind, name)) from None

    def chosen(self, kind: str, name: str) -> Entry:
        """Return the entry that a recipe names; warn if two plugins have one of that name.

        Raises:
            PluginError: As `get` does.
        """
        entry = self.get(kind, name)
        for error in self.broken.values():
            if isinstance(error, Misfit) and (kind, name) in error.contested:
                warnings.warn("; ".join(error.lines), stacklevel=1)
        return entry

    def unknown(self, kind: str, name: str) -> str:
        """The error message for an unknown name.

        It lists the nearest name, all known names, and the plugins that failed to load, because one
        of those may have the component. Of intact plugins it says why.
        """
        known = self.names(kind)
        near = nearest(name, known)
        sentence = f"unknown {kind} '{name}'"
        if near:
            sentence += f", did you mean '{near}'?"
        sentence += f"{'' if near else '.'} Known: {', '.join(known)}"
        if self.broken:
            sentence += f" (not loaded: {', '.join(self._reasons())}; see 'i2i doctor' for why)"
        return sentence

    def _reasons(self) -> list[str]:
        return [
            f"{plugin} ({error.lines[0]})" if isinstance(error, Misfit) else plugin
            for plugin, error in sorted(self.broken.items())
        ]
