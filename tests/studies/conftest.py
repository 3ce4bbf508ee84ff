"""Small studies: two variants of a recipe that trains in a blink."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from i2i.studies.study import study
from tests.conftest import tiny

Write = Callable[..., Path]


def document(**keys: Any) -> dict[str, Any]:
    """A study of L1 against L1+cGAN."""
    return {
        "name": "small",
        "title": "A small study",
        "recipe": "base.toml",
        "metrics": ["l1", "l2", "lab_histogram"],
        "columns": ["l1", "l2", "lab_histogram", "lab_histogram.a"],
        "set": {
            "eval": {"bootstrap": 50},
            "validation": {"every": 3, "metrics": ["l1", "lab_histogram"]},
        },
        "variants": [
            {"name": "L1", "set": {"losses": [{"type": "l1", "weight": 100.0}]}},
            {"name": "L1+cGAN", "paper": {"lab_histogram.a": 0.84}},
        ],
        "orderings": [
            {
                "claim": "L1 is nearer to the pixels",
                "metric": "l1",
                "better": ["L1"],
                "worse": ["L1+cGAN"],
                "paper": True,
            }
        ],
        "paper": {"lab_histogram": "from another data set"},
        "reading": "Nothing can be *read* here.\n\nIt is <small>.",
        **keys,
    }


def write_into(folder: Path, **keys: Any) -> Path:
    """Write the study and its base recipe into a folder; the study's file."""
    base = keys.pop("base", {})
    folder.mkdir(exist_ok=True)
    (folder / "base.toml").write_text(tomli_w.dumps(tiny(**base)))
    path = folder / "study.toml"
    path.write_text(tomli_w.dumps(document(**keys)))
    return path


@pytest.fixture
def write_study(tmp_path: Path) -> Write:
    return lambda **keys: write_into(tmp_path, **keys)


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study's file and, in `out`, all of it done; not to be written to."""
    home = tmp_path_factory.mktemp("studied")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_CACHE_DIR", str(home / "cache"))
        patch.setenv("OMP_NUM_THREADS", "1")
        done = study(write_into(home), jobs=2, out=home / "out", quiet=True)
    assert done.status == 0, done.failed
    return home
