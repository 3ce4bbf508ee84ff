"""`python -m i2i.testing`: check all registered components, or some, and say what they break."""

import argparse
import sys
from collections import Counter

from i2i.errors import I2IError
from i2i.plugins.manager import registry
from i2i.plugins.registry import COMPONENTS
from i2i.testing.outcome import CheckSkipped, ConformanceError
from i2i.testing.registered import Case, cases


def main() -> int:
    """Run the checks that the command line asks for.

    Returns:
        The exit status: 0; 1 if a component breaks its contract; 2 if no component was selected,
        or the plugin is not loaded.
    """
    parser = argparse.ArgumentParser(prog="python -m i2i.testing", description=__doc__)
    parser.add_argument("--plugin", help="only the components of this plugin, such as i2i-example")
    parser.add_argument("--kind", choices=COMPONENTS, help="only the components of this kind")
    parser.add_argument("--name", help="only the components of this name")
    parser.add_argument("--slow", action="store_true", help="also the checks that take long")
    asked = parser.parse_args()
    if error := registry().broken.get(asked.plugin):
        sys.stderr.write(f"{asked.plugin} is not loaded: {error}; see `i2i doctor`\n")
        return 2
    ended = Counter(
        _ended(case)
        for case in cases(plugin=asked.plugin, kind=asked.kind, name=asked.name)
        if asked.slow or not case.check.slow
    )
    if not ended:
        sys.stderr.write("no registered component is selected; `i2i list` prints all\n")
        return 2
    sys.stdout.write(", ".join(f"{number} {how}" for how, number in ended.items()) + "\n")
    return 1 if ended["failed"] else 0


def _ended(case: Case) -> str:
    """Run a check and print a line about it; return how it ended."""
    how, why = "passed", ""
    try:
        case.run()
    except CheckSkipped as reason:
        how, why = "skipped", f": {reason}"
    except (ConformanceError, I2IError) as error:
        how, why = "failed", f": {error}"
    sys.stdout.write(f"{how:8}{case.title}{why}\n")
    sys.stdout.flush()
    return how


if __name__ == "__main__":
    sys.exit(main())
