"""Train a recipe and collect the files of a release in dist/NAME.

    python scripts/release_model.py recipes/pix2pix_openmoji.toml

Weights are never committed; this script trains them again, or resumes a stopped training. The
folder contains the model, its ONNX export, the complete recipe, the metrics, the report and
SHA256SUMS.
"""

import argparse
import shutil
import sys
from pathlib import Path

import i2i
from i2i.exporting import export_onnx
from i2i.system.hashing import file_sha256

DIST = Path("dist")


def release(recipe: Path) -> Path:
    """Train, export and collect the files; return their folder."""
    finished = i2i.run(recipe, resume=True)
    if finished.status:
        sys.exit(finished.status)
    run = finished.folder
    model = i2i.load(run.path, device="cpu")
    folder = DIST / model.recipe.name
    folder.mkdir(parents=True, exist_ok=True)
    for file in (model.path, run.recipe, run.report, run.evaluation / "metrics.json"):
        shutil.copy2(file, folder)
    export_onnx(model, folder / f"{model.recipe.name}.onnx", overwrite=True)
    files = sorted(file for file in folder.iterdir() if file.name != "SHA256SUMS")
    sums = [f"{file_sha256(file)}  {file.name}\n" for file in files]
    (folder / "SHA256SUMS").write_text("".join(sums))
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("recipe", type=Path)
    print(release(parser.parse_args().recipe))
