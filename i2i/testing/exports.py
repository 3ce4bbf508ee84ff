"""The check that a generator can be loaded from a model file and exported to ONNX."""

from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from i2i.datasets.info import dataset_info
from i2i.datasets.synthetic import Synthetic
from i2i.exporting.onnx_export import export_onnx
from i2i.model.file import write_model
from i2i.recipe import parse_recipe
from i2i.runs.loading import load
from i2i.testing.networks import built
from i2i.testing.outcome import CheckSkipped
from i2i.testing.subject import Subject, known

NEEDED = ("onnx", "onnxruntime", "onnxscript")


def exports(subject: Subject) -> None:
    """A model file of the generator can be exported to ONNX, with PyTorch's outputs."""
    if absent := [name for name in NEEDED if find_spec(name) is None]:
        raise CheckSkipped(f"needs {' and '.join(absent)}: pip install 'i2i[export]'")
    network, size = built(subject, in_channels=3, out_channels=3)
    section = {"type": subject.entry.name, **subject.options}
    with known(subject.entry), TemporaryDirectory() as folder:
        recipe = parse_recipe(
            {
                "name": "testing",
                "data": {"type": "synthetic"},
                "augment": {"crop_size": list(size), "load_size": list(size)},
                "generator": section,
                "losses": [{"type": "l1"}],
            }
        )
        file = Path(folder) / "model.safetensors"
        data = dataset_info(Synthetic()).to_json()
        write_model(file, network, recipe=recipe.to_toml(), data=data, step=1)
        with subject.doing("can't be loaded from a model file"):
            model = load(file, device="cpu")
        with subject.doing("can't be exported to ONNX"):
            export_onnx(model, Path(folder) / "model.onnx")
