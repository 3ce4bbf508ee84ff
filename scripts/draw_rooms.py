"""Draw the rooms of the package and the imports between them into docs/design.md.

    python scripts/draw_rooms.py            write
    python scripts/draw_rooms.py --check    exit with 1 if the drawing is out of date

The drawing is a Mermaid flowchart of the imports in the code. Arrows that follow from others are
left out: if a room imports another one both directly and through a third, only the indirect way is
drawn.
"""

import re
import sys
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "design.md"
PART = re.compile(r"(<!-- drawn: rooms -->\n).*?(<!-- end -->)", re.DOTALL)

EVERYWHERE = {"errors", "hookspecs", "system"}
"""Rooms that nearly all others import; their arrows would hide the rest."""

Arrows = dict[str, set[str]]


def rooms() -> Arrows:
    """The rooms of the package, each with the rooms that it imports."""
    graph = grimp.build_graph("i2i", exclude_type_checking_imports=True, cache_dir=None)
    arrows: Arrows = {}
    for module in sorted(graph.modules - {"i2i"}):
        room = module.split(".")[1]
        imported = graph.find_modules_directly_imported_by(module)
        others = {other.split(".")[1] for other in imported if "." in other}
        arrows.setdefault(room, set()).update(others - {room})
    return arrows


def reduced(arrows: Arrows) -> Arrows:
    """Remove arrows that a longer way replaces; the arrows must have no cycles."""

    def reached(room: str) -> set[str]:
        return set().union(*({other} | reached(other) for other in arrows[room]))

    return {
        room: {o for o in others if not any(o in reached(way) for way in others - {o})}
        for room, others in arrows.items()
    }


def drawing() -> str:
    """The rooms as a Mermaid flowchart."""
    shown = {
        room: others - EVERYWHERE for room, others in rooms().items() if room not in EVERYWHERE
    }
    lines = ["```mermaid", "flowchart TD"]
    for room, others in sorted(reduced(shown).items()):
        lines += [f"  {room} --> {other}" for other in sorted(others)]
    return "\n".join([*lines, "```"])


def main() -> int:
    """Write the drawing, or report that it is out of date."""
    before = PAGE.read_text(encoding="utf-8")
    after = PART.sub(lambda match: f"{match[1]}{drawing()}\n{match[2]}", before)
    if after == before:
        return 0
    if "--check" in sys.argv:
        print("docs/design.md: the drawing of the rooms is out of date, run make docs")
        return 1
    PAGE.write_text(after, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
