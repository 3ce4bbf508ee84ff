"""What is registered, by kind and name."""

from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from i2i.errors import PluginError, nearest

COMPONENTS = ("dataset", "generator", "discriminator", "loss", "metric", "method")
"""The kinds a recipe can name, in the order of its sections."""

KINDS = (*COMPONENTS, "command")


def plural(kind: str) -> str:
    """The kind's plural, as hooks and listings have it: `loss` gives `losses`."""
    return kind + ("es" if kind.endswith("s") else "s")


@dataclass(frozen=True)
class Entry:
    """One registered component.

    Args:
        kind: One of `KINDS`.
        name: What recipes call it.
        target: The class, or `"module:Class"`.
        summary: One line for listings.
        plugin: The distribution or built-in module that registered it.
    """

    kind: str
    name: str
    target: str | type
    summary: str
    plugin: str

    def load(self) -> Any:
        """The target itself, imported now if it was registered as a string.

        Raises:
            PluginError: If the import fails or the module has no such name.
        """
        if not isinstance(self.target, str):
            return self.target
        module, _, attribute = self.target.partition(":")
        try:
            return getattr(import_module(module), attribute)
        except Exception as error:
            raise PluginError(
                f"{self.kind} '{self.name}' of {self.plugin} can't be loaded from "
                f"'{self.target}': {type(error).__name__}: {error}"
            ) from error


@dataclass
class Registry:
    """Entries by kind and name.

    Attributes:
        broken: Why each plugin that failed to load did, by the plugin's name; see `i2i doctor`.
    """

    entries: dict[str, dict[str, Entry]] = field(
        default_factory=lambda: {kind: {} for kind in KINDS}
    )
    broken: dict[str, BaseException] = field(default_factory=dict)

    def add(self, entry: Entry) -> None:
        """Add an entry.

        Raises:
            PluginError: If the name is taken; both plugins are named.
        """
        taken = self.entries[entry.kind].get(entry.name)
        if taken is not None:
            raise PluginError(
                f"{entry.kind} '{entry.name}' is registered twice: "
                f"by {taken.plugin} and by {entry.plugin}"
            )
        self.entries[entry.kind][entry.name] = entry

    def names(self, kind: str) -> list[str]:
        """The registered names of a kind, sorted."""
        return sorted(self.entries[kind])

    def get(self, kind: str, name: str) -> Entry:
        """The entry of a kind by its name.

        Raises:
            PluginError: If the name is unknown, with the nearest known one, and with the plugins
                that failed to load, since one of them may have been meant to bring it.
        """
        try:
            return self.entries[kind][name]
        except KeyError:
            raise PluginError(self.unknown(kind, name)) from None

    def unknown(self, kind: str, name: str) -> str:
        """The sentence for a name that nobody registered, with the nearest that somebody did."""
        known = self.names(kind)
        near = nearest(name, known)
        sentence = f"unknown {kind} '{name}'"
        if near:
            sentence += f", did you mean '{near}'?"
        sentence += f"{'' if near else '.'} Known: {', '.join(known)}"
        if self.broken:
            sentence += f" (not loaded: {', '.join(sorted(self.broken))}; see 'i2i doctor' for why)"
        return sentence
