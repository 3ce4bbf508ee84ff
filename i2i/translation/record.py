"""What a folder of translations says of itself: by which model and how, and what came of it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from i2i.errors import DataError, I2IError
from i2i.files import write_whole

RECORD = "translation.json"


def begin(out: Path, how: Mapping[str, Any], outputs: list[Path], *, overwrite: bool) -> bool:
    """Make a folder ready for translations, or go on with those that are in it.

    Args:
        out: The folder.
        how: By which model and with which options.
        outputs: What is going to be written.
        overwrite: Whether what is there may be replaced.

    Returns:
        Whether translations that are there already are done.

    Raises:
        I2IError: If translations by another model or with other options are there, or the folder
            can't be written to.
        DataError: If files are there that would be replaced but are no translations.
    """
    record = out / RECORD
    try:
        before = _before(record)
        if before == json.loads(json.dumps(how)) and not overwrite:
            return True
        if before is not None and not overwrite:
            differing = sorted(
                f"{key} was {before.get(key)!r} and is {how.get(key)!r}"
                for key in before.keys() | how.keys()
                if before.get(key) != how.get(key)
            )
            raise I2IError(
                f"{out} holds translations that were made in another way ({'; '.join(differing)}): "
                "name another folder (--out), or replace them (--overwrite)"
            )
        taken = [path for path in outputs if path.exists()]
        if taken and not overwrite:
            raise DataError(
                [
                    f"{path}: is there already and is no translation of this command's: name "
                    "another folder (--out), or replace it (--overwrite)"
                    for path in taken
                ]
            )
        out.mkdir(parents=True, exist_ok=True)
        # Before the record: what it speaks of must be made by this model.
        for path in taken:
            path.unlink()
        write_whole(record, json.dumps(how, indent=2) + "\n")
    except OSError as error:
        raise I2IError(f"{out}: can't be written to: {error.strerror or error}") from error
    return False


def finish(out: Path, how: Mapping[str, Any], translated: int, bad: Mapping[str, str]) -> None:
    """Write down what came of it.

    Raises:
        I2IError: If it can't be written.
    """
    document = {**how, "translated": translated, "bad": dict(bad)}
    try:
        write_whole(out / RECORD, json.dumps(document, indent=2) + "\n")
    except OSError as error:
        raise I2IError(f"{out / RECORD}: can't be written: {error.strerror or error}") from error


def _before(record: Path) -> dict[str, Any] | None:
    try:
        document = json.loads(record.read_text(encoding="utf-8"))
        return {key: value for key, value in document.items() if key not in ("translated", "bad")}
    except FileNotFoundError:
        return None
    except (ValueError, AttributeError) as error:
        raise I2IError(f"{record}: is not what i2i translate writes ({error})") from error
