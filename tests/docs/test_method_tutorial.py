"""The tutorial on methods: all of its files are written and all of its commands run."""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "method-tutorial.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class Reader:
    """Somebody who follows the page in an environment of their own.

    The environment finds all packages of this one; what is installed goes into it alone.
    """

    def __init__(self, home: Path) -> None:
        self.folder = home / "work"
        self.folder.mkdir()
        environment = home / "environment"
        python = environment / "bin" / "python"
        venv = [sys.executable, "-m", "venv", "--without-pip", str(environment)]
        subprocess.run(venv, check=True)
        site = next(environment.glob("lib/*/site-packages"))
        here = sysconfig.get_path("purelib")
        (site / "outer.pth").write_text(f"import site; site.addsitedir({here!r})\n")
        for program in ("i2i", "pip", "pytest", "mypy"):
            script = environment / "bin" / program
            script.write_text(f'#!/bin/sh\nexec "{python}" -m {program} "$@"\n')
            script.chmod(0o755)
        self.environment = {
            **os.environ,
            "PATH": os.pathsep.join(
                [f"{environment / 'bin'}", sysconfig.get_path("scripts"), "/bin"]
            ),
            "PYTHONPATH": str(ROOT),
            "MYPYPATH": "",
            "PIP_NO_INDEX": "1",
            "PIP_NO_BUILD_ISOLATION": "0",  # which turns the isolation off
            "I2I_CACHE_DIR": str(home / "cache"),
            "OMP_NUM_THREADS": "1",
        }
        self.printed = ""

    def write(self, text: str) -> None:
        path = self.folder / text.partition("\n")[0].removeprefix("# ")
        assert path.parent.is_dir()
        path.write_text(text.partition("\n")[2], encoding="utf-8")

    def run(self, commands: str) -> None:
        place = self.folder.parent / "place"
        script = f"set -e\n{commands}\npwd > {place}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.printed = done.stdout
        assert done.returncode == 0, f"{commands}\n{done.stdout}"
        self.folder = Path(place.read_text().strip())


@pytest.mark.slow
def test_what_it_says_works(tmp_path: Path) -> None:
    pytest.importorskip("hatchling", reason="needs hatchling")
    reader = Reader(tmp_path)
    for language, text in BLOCKS:
        if language == "sh":
            reader.run(text)
        elif language in ("python", "toml"):
            reader.write(text)
        elif not text.startswith("pip install"):
            assert text.strip() in " ".join(reader.printed.split())
    assert (reader.folder / "runs/r1/report.html").is_file()
    assert list((reader.folder / "translated").rglob("*.png"))
    assert list((reader.folder / "dist").glob("i2i_r1-*.whl"))
