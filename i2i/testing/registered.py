"""The checks of all components that are registered."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from i2i.plugins.manager import registry
from i2i.plugins.registry import COMPONENTS, Entry
from i2i.plugins.signature import options
from i2i.testing.check import Check
from i2i.testing.checks import CHECKS
from i2i.testing.outcome import CheckSkipped
from i2i.testing.subject import subject_of


class Case(NamedTuple):
    """A check of a registered component.

    Args:
        entry: The component.
        check: The check.
    """

    entry: Entry
    check: Check

    @property
    def title(self) -> str:
        """The plugin, the component and the check, in one line."""
        return f"{self.entry.plugin}: {self.entry.kind} {self.entry.name}: {self.check.name}"

    def run(self, **given: Any) -> None:
        """Make the check.

        Args:
            given: Options of the component; its `example_options` count for the others.

        Raises:
            ConformanceError: If the component breaks the contract.
            CheckSkipped: If the check can't be made here.
            PluginError: If the component can't be loaded.
        """
        subject = subject_of(self.entry.kind, self.entry.name, given)
        required = [
            option.name
            for option in options(self.entry.load(), self.entry.kind)
            if option.required and option.name not in subject.options
        ]
        if required:
            raise CheckSkipped(
                f"needs a value for {', '.join(required)}: give the class example_options, or call "
                f"i2i.testing.check_{self.entry.kind}() with it"
            )
        self.check.run(subject)


def cases(
    *, plugin: str | None = None, kind: str | None = None, name: str | None = None
) -> Iterator[Case]:
    """The checks of all registered components, or of some.

    Args:
        plugin: Only the components of this plugin.
        kind: Only those of this kind.
        name: Only those of this name.
    """
    for each in COMPONENTS:
        for known in registry().names(each):
            entry = registry().get(each, known)
            wanted = ((plugin, entry.plugin), (kind, each), (name, known))
            if all(only in (None, own) for only, own in wanted):
                yield from (Case(entry, check) for check in CHECKS[each])
