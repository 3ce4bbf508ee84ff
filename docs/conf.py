"""Sphinx configuration of the site (`make site`); MyST reads the Markdown pages.

`NAVIGATION` has the order of the pages, `api.md` the names of the reference.
"""

import json
import re
from typing import Any

from docutils import nodes
from myst_parser.parsers.sphinx_ import MystParser
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator

import i2i

NAVIGATION = {
    "": ["Tutorial <tutorial>", "recipes", "studies"],
    "Using a model": ["translate", "export", "demo"],
    "Results": [
        "OpenMoji <results/openmoji>",
        "The paper's losses <results/losses_cpu/study>",
        "The paper's generators <results/generators_cpu/study>",
        "The paper's receptive fields <results/receptive_fields_cpu/study>",
    ],
    "Reference": [
        "cli",
        "api",
        "metrics",
        "plugins",
        "Write a method <method-tutorial>",
        "plugin-list",
        "performance",
        "stability",
        "design",
    ],
}
"""All pages except the first, in order; a missing page is an error."""

project = "i2i"
author = project_copyright = "The i2i authors"
release = version = i2i.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown", ".ipynb": "notebook"}

myst_heading_anchors = 4  # pages link to headings by the anchors that GitHub gives them
myst_enable_extensions = ["alert"]  # > [!NOTE], as on GitHub

nitpicky = True
add_module_names = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_maximum_signature_line_length = 80

html_theme = "pydata_sphinx_theme"
html_title = "i2i"
html_copy_source = html_show_sourcelink = False
html_sidebars = {"**": ["navigation.html"]}
templates_path = ["templates"]
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "navbar_center": [],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}

SHORTENED = re.compile(r"<(?:factory|function \S+)>|~?numpy\.ndarray\[.*?Any\]\]")
SINGLE = re.compile(r"(?<![`:])`([^`]+)`(?!`)")
NAME = re.compile(r"[A-Za-z_][\w.]*")

log = logging.getLogger(__name__)


class Notebook(MystParser):
    """Reads a Jupyter notebook as Markdown: its cells, without outputs."""

    supported = ("notebook",)

    def parse(self, inputstring: str, document: nodes.document) -> None:
        """Add the cells of a notebook to a document."""
        cells = json.loads(inputstring)["cells"]
        super().parse("\n\n".join(self._markdown(cell) for cell in cells), document)

    def _markdown(self, cell: dict[str, Any]) -> str:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            return text
        # Forced: a line that begins with ! is not valid Python.
        return f"```{{code-block}} python\n:force:\n\n{text}\n```"


def add_navigation(app: Sphinx, page: str, source: list[str]) -> None:
    """Add the tables of contents to the first page; its file stays plain Markdown."""
    if page == app.config.root_doc:
        for caption, pages in NAVIGATION.items():
            options = f":hidden:\n:caption: {caption}" if caption else ":hidden:"
            source[0] += "\n\n```{toctree}\n" + "\n".join([options, "", *pages]) + "\n```\n"


def shorten(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, *signature: str | None
) -> tuple[str | None, ...]:
    """Shorten types and defaults in a signature and its return type, as in the code."""
    return tuple(SHORTENED.sub(_short, text) if text else text for text in signature)


def _short(found: re.Match[str]) -> str:
    return "..." if found[0].startswith("<") else "Array"


def keep_sentence(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Repair a property's first sentence: napoleon takes its part before a colon for the type."""
    if what in ("attribute", "property") and lines and lines[-1].startswith(":type: "):
        start = lines.pop().removeprefix(":type: ")
        first = next(i for i, line in enumerate(lines) if line)
        lines[first] = f"{start}: {lines[first]}"


def mark_code(
    app: Sphinx, what: str, name: str, thing: Any, options: Any, lines: list[str]
) -> None:
    """Render single backticks as code, as Markdown does, and link names."""
    lines[:] = [SINGLE.sub(_marked, line) for line in lines]


def _marked(code: re.Match[str]) -> str:
    if not NAME.fullmatch(code[1]):
        return f"`{code[0]}`"
    # Sphinx searches for a class everywhere, and for other names in the current class.
    return f":py:obj:`{'.' if code[1][0].isupper() else ''}{code[1]}`"


def plain_code(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, shown: nodes.Element
) -> nodes.Element | None:
    """Show names without a link if the reference doesn't have them.

    This is for code in docstrings and for types. Errors under "Raises" and explicit links in pages
    still fail if the reference doesn't have them.
    """
    if node["reftype"] == "obj" and "refexplicit" in node:
        return nodes.literal(text=shown.astext())
    return shown if node["reftype"] in ("class", "obj") else None


def check_reference(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Warn about public names that are missing in the reference."""
    shown = env.domains.python_domain.objects
    for name in set(i2i.__all__) - {"__version__"}:
        thing = getattr(i2i, name)
        place = f"{thing.__module__}.{getattr(thing, '__qualname__', name)}"
        if not {f"i2i.{name}", place} & shown.keys():
            log.warning("i2i.%s is public, but not in api.md", name)
    return []


def begin_download(writer: HTML5Translator, node: addnodes.download_reference) -> None:
    """Link HTML reports as pages, so that browsers open them instead of saving them."""
    if str(node.get("filename", "")).endswith(".html"):
        address = f"{writer.builder.dlpath}/{node['filename']}"
        writer.body.append(writer.starttag(node, "a", "", href=address, CLASS="reference external"))
        writer.context.append("</a>")
    else:
        HTML5Translator.visit_download_reference(writer, node)


def setup(app: Sphinx) -> None:
    """Register the functions above with Sphinx."""
    app.add_source_parser(Notebook)
    app.connect("source-read", add_navigation)
    app.connect("autodoc-process-signature", shorten)
    app.connect("autodoc-process-docstring", keep_sentence, priority=600)
    app.connect("autodoc-process-docstring", mark_code, priority=700)
    app.connect("missing-reference", plain_code)
    app.connect("env-updated", check_reference)
    app.add_node(
        addnodes.download_reference,
        override=True,
        html=(begin_download, HTML5Translator.depart_download_reference),
    )
