"""One check of the conformance kit."""

from collections.abc import Callable
from dataclasses import dataclass

from i2i.testing.subject import Subject


@dataclass(frozen=True)
class Check:
    """A part of the contract of a kind of components.

    Args:
        name: What the check is about, in a few words.
        function: Raises ConformanceError if a component breaks this part of the contract.
        slow: Whether it takes more than a few seconds.
    """

    name: str
    function: Callable[[Subject], None]
    slow: bool = False

    def run(self, subject: Subject) -> None:
        """Check a component.

        Raises:
            ConformanceError: If it breaks the contract, or any other error occurs.
            CheckSkipped: If the check can't be made here.
        """
        with subject.doing(f"fails in the check '{self.name}'"):
            self.function(subject)
