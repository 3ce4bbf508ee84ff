"""Reading `metrics.json`, the document of an evaluation."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

from i2i.system.json_file import read_json


class _Measured(BaseModel):
    label: str
    higher_is_better: bool
    value: float | None
    fingerprint: dict[str, Any]
    fingerprint_sha256: str
    interval: list[float | None] | None = None
    standard_error: float | None = None


class _Unavailable(BaseModel):
    label: str
    higher_is_better: bool
    unavailable: str


class _Document(BaseModel):
    details: dict[str, _Unavailable | _Measured]


class _Settings(BaseModel):
    statistics: str
    dropout: bool


class _OfRun(_Document):
    images: int
    split: str
    step: int
    test: _Settings
    input_as_output: dict[str, float | None] | None


_DOCUMENT, _OF_RUN = TypeAdapter(_Document), TypeAdapter(_OfRun)


def read_document(path: Path) -> dict[str, Any]:
    """Read the results of any evaluation.

    Raises:
        FileNotFoundError: If the file is missing.
        I2IError: If it is damaged, or not the results of an evaluation.
    """
    return read_json(path, _DOCUMENT, "it is not what i2i eval writes; measure again")


def read_run_document(path: Path) -> dict[str, Any]:
    """Read the results of the evaluation of a run; otherwise as `read_document`."""
    return read_json(path, _OF_RUN, "delete it, then measure again with 'i2i eval RUN'")
