"""Intact plugins that can't be loaded: they need another i2i, or clash with another plugin."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import Distribution

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from i2i.plugins.registry import Entry, Misfit
from i2i.system.version import __version__


def check_version(plugin: Distribution) -> None:
    """Check that a plugin works with this version of i2i, before any of it is imported.

    Args:
        plugin: Its distribution. The metadata say which versions of i2i it requires; without a
            requirement, it fits any.

    Raises:
        Misfit: If it requires other versions.
    """
    for text in plugin.requires or ():
        with suppress(InvalidRequirement):  # of other packages, which are not i2i's business
            needed = Requirement(text)
            if _is_of_i2i(needed) and not needed.specifier.contains(__version__, prereleases=True):
                raise Misfit(
                    f"needs i2i {needed.specifier}, this is {__version__}: "
                    f"pip install --upgrade {plugin.name}, or install a fitting i2i"
                )


def _is_of_i2i(needed: Requirement) -> bool:
    applies = needed.marker is None or needed.marker.evaluate({"extra": ""})
    return canonicalize_name(needed.name) == "i2i" and applies


def check_names(taken: Mapping[str, Mapping[str, Entry]], entries: Iterable[Entry]) -> None:
    """Check that no other plugin has registered the names of a plugin's components.

    Args:
        taken: What is registered already, by kind and name.
        entries: All components of the plugin.

    Raises:
        Misfit: One line for each name that is taken.
    """
    clashes = {
        (entry.kind, entry.name): _clash(earlier, entry)
        for entry in entries
        if (earlier := taken[entry.kind].get(entry.name))
    }
    if clashes:
        raise Misfit(*clashes.values(), contested=clashes.keys())


def _clash(earlier: Entry, later: Entry) -> str:
    if earlier.plugin.startswith("i2i."):
        remedy = f"uninstall {later.plugin}, or have its component renamed"
    else:
        remedy = "uninstall one of the two, or name the plugins to load in I2I_LOAD_PLUGINS"
    return (
        f"{later.kind} '{later.name}' is registered twice: by {earlier.plugin} and by "
        f"{later.plugin}, which is not loaded: {remedy}"
    )
