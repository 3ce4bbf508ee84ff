"""What the tests of data share: a cache of their own, and the real facades where there are any."""

from pathlib import Path

import pytest

FACADES = Path(__file__).parents[3] / "shared" / "facades"


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("I2I_CACHE_DIR", str(folder))
    return folder


@pytest.fixture(scope="session")
def real_facades() -> Path:
    if not FACADES.is_dir():
        pytest.skip(f"the CMP facades are not in {FACADES}")
    return FACADES
