"""Prints constraints that hold i2i's dependencies at the lowest versions that it declares.

    python scripts/floors.py > floors.txt
    pip install -c floors.txt -e '.[openmoji,track,demo,export,test]'

`make floor` does this and runs the tests. What a user installs is held at its lowest version, the
project's own dependencies and those of its extras; test tools stay as constraints.txt has them.
"""

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Nothing that a user runs needs these: they are tools for work on i2i itself.
TOOLS = ("test", "dev", "docs")


def normal(name: str) -> str:
    """A package's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def floors(project: dict) -> dict[str, str]:
    """The lowest version of each package that users may have; those without one end the program."""
    extras = project["optional-dependencies"]
    used = [*project["dependencies"]]
    for extra in extras.keys() - set(TOOLS):
        used += extras[extra]
    found = {}
    for requirement in used:
        match = re.match(r"([\w.-]+)[^;]*?>=\s*([\w.]+)", requirement)
        if not match:
            sys.exit(f"pyproject.toml: {requirement!r} names no lowest version, such as >=1.2.")
        found[normal(match[1])] = match[2]
    return found


def tools(lines: list[str], floored: dict[str, str]) -> list[str]:
    """The lines of constraints.txt about packages that have no floor."""
    pins = [line.partition("#")[0].strip() for line in lines]
    return [pin for pin in pins if pin and normal(pin.partition("==")[0]) not in floored]


if __name__ == "__main__":
    lowest = floors(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"])
    pinned = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    print(*[f"{name}=={version}" for name, version in sorted(lowest.items())], sep="\n")
    print(*tools(pinned, lowest), sep="\n")
