"""Write the generated parts of these pages from the code, or check that they are up to date.

    python docs/generate.py            write
    python docs/generate.py --check    exit with 1 if a page is out of date

A generated part is between `<!-- generated: NAME -->` and `<!-- end -->`.
"""

import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from pathlib import Path
from typing import Any

import click
from click.testing import CliRunner
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from i2i import hookspecs
from i2i.cli import program
from i2i.cli.show import section, toml, type_text
from i2i.losses.adversarial import AdversarialLoss
from i2i.losses.features import FeatureLoss
from i2i.methods.method import Method
from i2i.methods.pix2pix import JudgesSeveral
from i2i.plugins.manager import registry
from i2i.plugins.registry import COMPONENTS, plural
from i2i.recipe.component import model_in
from i2i.recipe.schema import Recipe
from i2i.recipe.segmenter_schema import Segmenter
from i2i.studies import schema as studies
from i2i.weights import Package, Pinned

PAGES = Path(__file__).parent
PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def cli() -> Iterator[str]:
    """The --help of every command, including commands in groups."""
    for name in ("", *_commands(program, "")):
        yield f"## i2i {name}".rstrip() + "\n"
        shown = CliRunner().invoke(
            program, [*name.split(), "--help"], prog_name="i2i", terminal_width=88
        )
        yield f"```text\n{shown.output.rstrip()}\n```\n"


def _commands(group: click.Group, before: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        yield before + name
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _commands(command, f"{before}{name} ")


def recipe() -> Iterator[str]:
    """The keys of all sections of a recipe, without those of components."""
    yield "### The top of the file\n"
    yield from _keys(Recipe, {"name", "seed"})
    for name, field in Recipe.model_fields.items():
        model = model_in(field.annotation)
        if model is None:
            continue
        heading = f"[{name}]" if field.annotation is model else f"[[{name}]]"
        yield f"### `{heading}`\n"
        yield f"{inspect.getdoc(model)}\n".replace("\n\n", "\n")
        yield from _keys(model, set(model.model_fields), field.default)


def segmenter() -> Iterator[str]:
    """The keys of `[segmenter]`."""
    yield f"{inspect.getdoc(Segmenter)}\n"
    yield from _keys(Segmenter, set(Segmenter.model_fields))


def components() -> Iterator[str]:
    """The section of every built-in component."""
    for kind in COMPONENTS:
        yield f"### {plural(kind).capitalize()}\n"
        for name in registry().names(kind):
            entry = registry().get(kind, name)
            if not entry.plugin.startswith("i2i."):
                continue
            yield f"**`{name}`**: {entry.summary}.\n"
            yield f"```toml\n{section(entry)}\n```\n"


def study() -> Iterator[str]:
    """The keys of a study file."""
    for heading, model in (
        ("The top of the file", studies.Study),
        ("`[[variants]]`", studies.Variant),
        ("`[[orderings]]`", studies.Ordering),
        ("`[ground_truth]`", studies.GroundTruth),
    ):
        yield f"### {heading}\n"
        yield f"{inspect.getdoc(model)}\n"
        parts = ("variants", "orderings", "ground_truth")
        yield from _keys(model, {name for name in model.model_fields if name not in parts})


def hooks() -> Iterator[str]:
    """The hooks with their signatures and docstrings."""
    specifications = [
        f'def {name}{_signature(hook)}:\n    """{inspect.getdoc(hook)}"""'
        for name, hook in vars(hookspecs).items()
        if name.startswith("register_")
    ]
    yield "```python\n" + "\n\n\n".join(specifications) + "\n```"


def _signature(hook: Callable[..., None]) -> str:
    """The signature, with types by their short names."""
    return str(inspect.signature(hook)).replace(f"{hookspecs.__name__}.", "")


def method() -> Iterator[str]:
    """The base class of training methods."""
    yield _interface(Method)


def discriminators() -> Iterator[str]:
    """What a discriminator may have besides `forward`."""
    yield _interface(JudgesSeveral)


def losses() -> Iterator[str]:
    """The base classes of losses."""
    yield _interface(AdversarialLoss)
    yield ""
    yield _interface(FeatureLoss)


def weights() -> Iterator[str]:
    """What a plugin says of pretrained weights."""
    yield _interface(Pinned)
    yield ""
    yield _interface(Package)


def _interface(kind: type) -> str:
    """A class with its docstring, the fields of a dataclass, and its methods with docstrings."""
    parts = [f"class {kind.__name__}:\n{_quoted(inspect.getdoc(kind) or '')}"]
    if is_dataclass(kind):
        listed = "\n".join(f"{field.name}: {_typed(field)}" for field in fields(kind))
        parts.append(textwrap.indent(listed, "    "))
    for name, function in vars(kind).items():
        if not name.startswith("_") and inspect.isfunction(function):
            source = inspect.getsource(function)
            head = inspect.cleandoc(source[source.index("def ") : source.index('"""')].rstrip())
            parts.append(
                textwrap.indent(f"{head}\n{_quoted(inspect.getdoc(function) or '')}", "    ")
            )
    return "```python\n" + "\n\n".join(parts) + "\n```"


def _typed(field: Field[Any]) -> str:
    """The type of a dataclass's field and its default."""
    kind = field.type.__name__ if isinstance(field.type, type) else str(field.type)
    kind = str(field.type) if "[" in str(field.type) else kind
    kind = kind.replace(f"{Package.__module__}.", "")
    return kind if field.default is MISSING else f"{kind} = {field.default!r}"


def _quoted(text: str) -> str:
    end = "\n" if "\n" in text else ""
    return textwrap.indent(f'"""{text}{end}"""', "    ")


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    part.__name__: part
    for part in (
        *(cli, recipe, segmenter, components, study, hooks, method),
        *(discriminators, losses, weights),
    )
}


def _keys(model: type[BaseModel], names: set[str], section: object = None) -> Iterator[str]:
    yield "| key | what | default | meaning |"
    yield "|---|---|---|---|"
    for name, field in model.model_fields.items():
        if name in names:
            default = _default_of(field, getattr(section, name, None))
            kind = type_text(_annotated(model, name)).replace("|", "\\|")
            yield f"| `{name}` | {kind} | {default} | {_one_line(field.description)} |"
    yield ""


def _default_of(field: FieldInfo, in_section: object) -> str:
    if field.is_required():
        return _default(in_section) or "required"
    return _default(field.get_default(call_default_factory=True, validated_data={}))


def _default(value: Any) -> str:
    return "" if value is None or value == {} else f"`{toml(value)}`"


def _annotated(model: type[BaseModel], name: str) -> Any:
    for ancestor in model.__mro__:
        if name in inspect.get_annotations(ancestor):
            return inspect.get_annotations(ancestor)[name]
    raise KeyError(name)


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _filled(page: str) -> str:
    return PART.sub(lambda m: m[1] + "\n".join(PARTS[m[2]]()) + "\n" + m[3], page)


def main() -> int:
    """Write the pages, or report those that are out of date."""
    stale = []
    for page in sorted(PAGES.glob("*.md")):
        before = page.read_text(encoding="utf-8")
        after = _filled(before)
        if after != before:
            stale.append(page.name)
            if "--check" not in sys.argv:
                page.write_text(after, encoding="utf-8")
    if stale:
        print(
            ("out of date, run make docs: " if "--check" in sys.argv else "wrote: ")
            + ", ".join(stale)
        )
    return 1 if stale and "--check" in sys.argv else 0


if __name__ == "__main__":
    sys.exit(main())
