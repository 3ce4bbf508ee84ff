"""Support for recipes of earlier versions: renamed and removed keys."""

from typing import Any

from i2i.system.deprecation import deprecate

RENAMED = {"eval.resamples": "eval.bootstrap"}
"""New names of renamed keys, by old name. Users' recipes may use the old names until version 0.3;
recipes in run folders always may."""


def upgrade(document: dict[str, Any], sections: set[str], *, warn: bool) -> None:
    """Rename old keys of a recipe and remove old sections, in place.

    Args:
        document: The content of the TOML file.
        sections: The sections that the recipe may have.
        warn: Whether to print a deprecation warning: for users' files, not for those of runs.
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
