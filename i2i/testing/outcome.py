"""How a check of the conformance kit ends if it doesn't pass."""


class ConformanceError(AssertionError):
    """A component breaks the contract of its kind; the message is one sentence that says how."""


class CheckSkipped(Exception):
    """A check can't be made here, for example because weights are missing; the message says why."""
