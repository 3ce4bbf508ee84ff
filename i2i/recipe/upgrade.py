"""Recipes of earlier versions: keys that were renamed or moved since, still read."""

from typing import Any

from i2i.system.deprecation import deprecate

RENAMED = {"eval.resamples": "eval.bootstrap"}
"""Keys by the names they had before; removed from users' recipes in 0.3, read in runs for good."""


def upgrade(document: dict[str, Any], sections: set[str], *, warn: bool) -> None:
    """Bring a recipe's document to today's keys, in place.

    Args:
        document: What the TOML holds.
        sections: The sections that the recipe may have.
        warn: Whether to say so: a user's own file is to be changed, a run's is not.
    """
    for old, new in RENAMED.items():
        section, _, key = old.partition(".")
        table = document.get(section)
        if isinstance(table, dict) and key in table:
            table.setdefault(new.partition(".")[2], table.pop(key))
            if warn:
                deprecate(old, f"use {new}", removed_in="0.3")
    if "segmenter" not in sections and document.pop("segmenter", None) is not None and warn:
        deprecate(
            "[segmenter] in the recipe of a run",
            "a run does not read it; keep it in a file for 'i2i segmenter train'",
            removed_in="0.3",
        )
