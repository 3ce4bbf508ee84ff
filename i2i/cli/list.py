"""`i2i list`."""

import click

from i2i.cli.say import say
from i2i.errors import PluginError, nearest
from i2i.plugins.manager import registry
from i2i.plugins.registry import COMPONENTS, plural


@click.command("list")
@click.argument("kind", required=False)
def list_(kind: str | None) -> None:
    """List the components that recipes can use, of all kinds or of one KIND.

    KIND is datasets, generators, discriminators, losses, metrics or methods. A component of an
    installed plugin has the plugin's name in brackets. 'i2i show KIND NAME' shows its options.

    \b
    i2i list
    i2i list losses
    """
    for shown in COMPONENTS if kind is None else (kind_named(kind),):
        say(plural(shown), bold=True)
        entries = [registry().get(shown, name) for name in registry().names(shown)]
        width = max((len(entry.name) for entry in entries), default=0)
        for entry in entries:
            origin = "" if entry.plugin.startswith("i2i.") else f"  [{entry.plugin}]"
            say(f"  {entry.name:<{width}}  {entry.summary}{origin}")
    for plugin in registry().broken:
        say(f"plugin '{plugin}' failed to load; see 'i2i doctor'", err=True)


def kind_named(name: str) -> str:
    """The kind with this name, in the singular or plural.

    Raises:
        PluginError: If there is no such kind.
    """
    kinds = {spelling: kind for kind in COMPONENTS for spelling in (kind, plural(kind))}
    if name not in kinds:
        near = nearest(name, list(kinds))
        hint = f", did you mean '{near}'?" if near else "."
        known = ", ".join(plural(kind) for kind in COMPONENTS)
        raise PluginError(f"there is no kind '{name}'{hint} Known: {known}")
    return kinds[name]
