"""The locks that `make demo` and `make test` install from."""

import re
import tomllib

import pytest

from tests.conftest import ROOT

PINNED = re.compile(r"([\w.-]+)==([\w.+!]+)")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked(name: str) -> dict[str, dict[str, list[str]]]:
    """The versions of each package, more than one if Python's version decides, and their hashes."""
    text = (ROOT / "locks" / f"{name}.txt").read_text().replace("\\\n", " ")
    found: dict[str, dict[str, list[str]]] = {}
    for line in text.splitlines():
        match = PINNED.match(line)
        assert match, line
        hashes = re.findall(r"--hash=sha256:([0-9a-f]{64})(?!\S)", line)
        found.setdefault(normal(match[1]), {})[match[2]] = hashes
    return found


def direct(*extras: str) -> set[str]:
    """The names of i2i's own dependencies, and of those of some extras."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], "hatchling"]
    for extra in extras:
        asked += project["optional-dependencies"][extra]
    names = {normal(re.match(r"[\w.-]+", each)[0]) for each in asked}  # type: ignore[index]
    return names - {"i2i"}


@pytest.mark.parametrize(
    ("name", "extras"),
    [
        ("demo", ["openmoji"]),
        ("dev", ["openmoji", "track", "demo", "export", "test", "dev"]),
    ],
)
def test_every_dependency_is_locked_to_the_tested_version(name: str, extras: list[str]) -> None:
    packages = locked(name)
    tested = dict(PINNED.findall((ROOT / "constraints.txt").read_text()))
    assert direct(*extras) <= packages.keys()
    assert all(hashes for versions in packages.values() for hashes in versions.values())
    for package, version in tested.items():
        if normal(package) in packages:
            assert list(packages[normal(package)]) == [version]


def test_both_locks_agree() -> None:
    demo, dev = locked("demo"), locked("dev")
    assert demo.items() <= dev.items()


@pytest.mark.parametrize("name", ["demo", "dev"])
def test_locks_name_no_index(name: str) -> None:
    text = (ROOT / "locks" / f"{name}.txt").read_text()
    assert "://" not in text
    assert "--index" not in text
