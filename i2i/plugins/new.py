"""Writing of a new plugin: a package with one component, its tests and a recipe."""

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from i2i.errors import PluginError
from i2i.plugins.manager import registry
from i2i.plugins.registry import plural
from i2i.system.version import __version__

LONGEST = 24
"""Most characters of a name; with more, lines of the package would be too long."""

_NAME = re.compile(r"[a-z][a-z0-9]*([-_][a-z0-9]+)*", re.ASCII)


@dataclass(frozen=True)
class _Example:
    """The component of a new package.

    Args:
        summary: One line for `i2i list`.
        dependencies: What its module imports, beside i2i.
    """

    summary: str
    dependencies: tuple[str, ...]


_EXAMPLES = {
    "generator": _Example("residual convolutions at full resolution", ("annotated-types", "torch")),
    "discriminator": _Example("judges patches of 22x22 pixels", ("annotated-types", "torch")),
    "loss": _Example("differences of the steps between neighbouring pixels", ("torch",)),
    "metric": _Example("mean absolute difference of the brightness", ("torch",)),
    "dataset": _Example("balls in the light, made on the fly", ("annotated-types", "numpy")),
    "method": _Example("one generator and reconstruction losses", ("torch",)),
    "command": _Example("prints how many weights a generator has", ("click",)),
}


def write_package(name: str, kind: str, folder: Path | None = None) -> Path:
    """Write an installable package with one component of a kind, which works as it is.

    Args:
        name: Name of the component, such as `sharpen` or `my-net`.
        kind: One of `i2i.plugins.registry.KINDS`.
        folder: The package's folder, which must be missing or empty; `i2i-<name>` by default.

    Returns:
        The folder.

    Raises:
        PluginError: If the name is invalid or taken, or the folder is not empty.
    """
    values = _values(name, kind)
    folder = folder or Path(str(values["project"]))
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise PluginError(f"{folder} already exists: name a new or empty folder with --out")
    for path, text in _files(kind, values).items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8", newline="\n")
    return folder


def _values(name: str, kind: str) -> dict[str, object]:
    """What the templates contain, by the name of the variable."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise PluginError(
            f"'{name}' can't be the name of a plugin: use at most {LONGEST} small letters and "
            "digits, with - between words, such as my-net"
        )
    words = re.split("[-_]", name)
    if words[0] == "i2i":
        raise PluginError(
            f"'{name}': leave out i2i, which the name of the package begins with anyway"
        )
    component = ("-" if kind == "command" else "_").join(words)
    package = "_".join(["i2i", *words])
    taken = registry().entries[kind].get(component)
    if taken is not None:
        raise PluginError(
            f"{taken.plugin} already has the {kind} '{component}': choose another name"
        )
    if find_spec(package) is not None:
        raise PluginError(f"a package {package} is already installed: choose another name")
    example = _EXAMPLES[kind]
    return {
        "name": component,
        "kind": kind,
        "plural": plural(kind),
        "package": package,
        "project": "-".join(["i2i", *words]),
        "target": kind if kind == "command" else "".join(map(str.capitalize, [*words, kind])),
        "summary": example.summary,
        "dependencies": sorted([requirement(), *example.dependencies]),
    }


def requirement(version: str = __version__) -> str:
    """The versions of i2i that a plugin made for one of them works with: see docs/stability.md."""
    major, minor = map(int, version.split(".")[:2])
    return f"i2i>={major}.{minor},<{major + 1 if major else f'0.{minor + 1}'}"


def _files(kind: str, values: dict[str, object]) -> dict[str, str]:
    """The content of all files, by their paths in the package's folder."""
    templates = Environment(
        loader=PackageLoader("i2i.plugins"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    package = values["package"]
    tests = f"tests/test_{str(package).removeprefix('i2i_')}"
    paths = {
        "pyproject.toml": "shared/pyproject.toml",
        "README.md": "shared/README.md",
        "recipe.toml": "shared/recipe.toml",
        ".gitignore": "shared/gitignore",
        ".github/workflows/ci.yml": "shared/ci.yml",
        f"{package}/__init__.py": "shared/init.py",
        f"{package}/py.typed": "shared/py.typed",
        f"{package}/{kind}.py": f"{kind}/component.py",
        f"{tests}.py": f"{kind}/tests.py",
        f"{tests}_training.py": "shared/training.py",
    }
    return {
        path: templates.get_template(f"{template}.jinja").render(values)
        for path, template in paths.items()
    }
