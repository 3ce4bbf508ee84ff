"""Draw the rooms of the package and the imports between them: docs/images/rooms.svg.

    python scripts/draw_rooms.py            write
    python scripts/draw_rooms.py --check    exit with 1 if the drawing is out of date

The drawing is made from the imports in the code. Where a room imports another one both directly and
by way of a third, only the longer way is drawn. Rooms that nearly all others import are left out.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import grimp

PICTURE = Path(__file__).parents[1] / "docs" / "images" / "rooms.svg"

EVERYWHERE = {"errors", "hookspecs", "system"}
"""Rooms that nearly all others import; their arrows would hide the rest."""

WIDTH, HEIGHT = 118, 30
"""Of a room's box, in pixels."""

ACROSS, DOWN = 138, 58
"""From one box to the next."""

Arrows = dict[str, set[str]]


def rooms() -> Arrows:
    """The rooms of the package, and which others each imports."""
    graph = grimp.build_graph("i2i", exclude_type_checking_imports=True, cache_dir=None)
    arrows: Arrows = {}
    for module in sorted(graph.modules - {"i2i"}):
        room = module.split(".")[1]
        imported = graph.find_modules_directly_imported_by(module)
        others = {other.split(".")[1] for other in imported if "." in other}
        arrows.setdefault(room, set()).update(others - {room} - EVERYWHERE)
    return {room: others for room, others in arrows.items() if room not in EVERYWHERE}


def reduced(arrows: Arrows) -> Arrows:
    """Remove arrows that a longer way replaces; the arrows must have no cycles."""

    def reached(room: str) -> set[str]:
        return set().union(*({other} | reached(other) for other in arrows[room]))

    return {
        room: {o for o in others if not any(o in reached(way) for way in others - {o})}
        for room, others in arrows.items()
    }


def rows(arrows: Arrows) -> list[list[str]]:
    """The rooms in rows from the top: each below all that import it, near its neighbours.

    A room that is found by name alone, such as a kind of components, is just above what it imports.
    """

    def below(room: str) -> int:
        return 1 + max((below(o) for o, others in arrows.items() if room in others), default=-1)

    def depth(room: str) -> int:
        imported = any(room in others for others in arrows.values())
        return below(room) if imported or room == "__main__" else min(map(below, arrows[room])) - 1

    found: list[list[str]] = [[] for _ in range(1 + max(map(depth, arrows)))]
    places: dict[str, float] = {}
    for room in sorted(arrows, key=depth):
        above = [places.get(o, 0.0) for o, others in arrows.items() if room in others]
        places[room] = sum(above) / len(above) if above else 0.0
        found[depth(room)].append(room)
        found[depth(room)].sort(key=lambda each: (places[each], each))
        for i, each in enumerate(found[depth(room)]):
            places[each] = i - (len(found[depth(room)]) - 1) / 2
    return found


def drawing() -> str:
    """The picture as SVG."""
    arrows = reduced(rooms())
    lines = rows(arrows)
    width = ACROSS * max(map(len, lines)) + ACROSS // 2
    centres = {
        room: (width / 2 + ACROSS * (i - (len(line) - 1) / 2), DOWN * row + HEIGHT)
        for row, line in enumerate(lines)
        for i, room in enumerate(line)
    }
    height = DOWN * (len(lines) - 1) + 2 * HEIGHT
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            'font-family="sans-serif" font-size="13">',
            "<title>The rooms of i2i; a line is an import from the upper by the lower</title>",
            f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
            *_lines(arrows, centres),
            *(_box(room, *centre) for room, centre in centres.items()),
            "</svg>\n",
        ]
    )


def _lines(arrows: Arrows, centres: dict[str, tuple[float, float]]) -> Iterator[str]:
    for room, others in arrows.items():
        for other in sorted(others):
            (x, y), (to_x, to_y) = centres[room], centres[other]
            start, end, bend = y + HEIGHT / 2, to_y - HEIGHT / 2, (to_y - y) / 2
            aside = (
                WIDTH if to_y - y > DOWN and abs(to_x - x) < WIDTH else 0
            )  # round what is between
            yield (
                f'<path d="M{x:g} {start:g} C{x + aside:g} {start + bend:g} '
                f'{to_x + aside:g} {end - bend:g} {to_x:g} {end:g}" '
                'fill="none" stroke="#8aa0b8" stroke-width="1.4"/>'
            )


def _box(room: str, x: float, y: float) -> str:
    return (
        f'<rect x="{x - WIDTH / 2:g}" y="{y - HEIGHT / 2:g}" width="{WIDTH}" height="{HEIGHT}" '
        'rx="6" fill="#eef3fa" stroke="#2f6fde"/>'
        f'<text x="{x:g}" y="{y + 4.5:g}" text-anchor="middle" fill="#12233f">{room}</text>'
    )


def main() -> int:
    """Write the picture, or say that it is out of date."""
    picture = drawing()
    if PICTURE.is_file() and PICTURE.read_text(encoding="utf-8") == picture:
        return 0
    if "--check" in sys.argv:
        print(f"{PICTURE.name}: the drawing of the rooms is out of date, run make docs")
        return 1
    PICTURE.write_text(picture, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
