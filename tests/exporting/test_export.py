"""Exports: the same translations without i2i, or no file at all."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from click.testing import CliRunner, Result
from PIL import Image
from torch import Tensor, nn

import i2i
from i2i.cli import program
from i2i.datasets.info import dataset_info
from i2i.errors import DataError, I2IError
from i2i.exporting import Exported, checking, export_onnx, export_torch
from i2i.exporting.checking import check
from i2i.exporting.graph import Session
from i2i.exporting.program import trace
from i2i.exporting.samples import samples
from i2i.model.inference import TestSettings, translate
from i2i.model.model import Model
from i2i.recipe import parse_recipe
from i2i.recipe.assemble import assemble_dataset, assemble_generator
from i2i.system.output_file import arriving, check_free
from tests.conftest import ROOT, picture, tiny
from tests.stochastic import InTheMiddle, Sampler, Styled
from tests.stochastic import made as stochastic

pytestmark = pytest.mark.xdist_group("export")


def made(network: nn.Module | None = None, **sections: Any) -> Model:
    """A model that nobody trained, with running statistics that aren't those of the start."""
    recipe = parse_recipe(tiny(**sections))
    data = dataset_info(assemble_dataset(recipe))
    if network is None:
        network = assemble_generator(recipe, data.input.channels, data.target.channels)
    torch.manual_seed(1)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, 0, 0.1)
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.normal_(layer.bias, 0, 0.1)
    return Model(
        network.eval(),
        recipe,
        data,
        path=Path("model.safetensors"),
        step=0,
        sha256="0" * 64,
        device=torch.device("cpu"),
    )


def small(width: int = 4) -> Model:
    """The example plugin's three convolutions, which are exported in a moment."""
    return made(generator={"type": "tiny", "width": width}, test={"dropout": False})


def call(*arguments: object) -> Result:
    return CliRunner().invoke(program, [str(a) for a in arguments], standalone_mode=False)


def noise(*shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(2)) * 2 - 1


def script() -> str:
    """The standalone script of the docs."""
    text = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    return next(b for b in re.findall(r"```python\n(.*?)```", text, re.S) if "onnxruntime" in b)


def run_script(file: Path, image: np.ndarray, folder: Path) -> np.ndarray:
    """Run it where there is neither i2i nor torch."""
    Image.fromarray(image).save(folder / "input.png")
    alone = "import sys; sys.modules['i2i'] = sys.modules['torch'] = None\n" + script()
    paths = [str(file), str(folder / "input.png"), str(folder / "output.png")]
    subprocess.run([sys.executable, "-c", alone, *paths], check=True)
    return np.asarray(Image.open(folder / "output.png"))


def description(file: Path) -> dict[str, Any]:
    """What an ONNX file says of itself."""
    said = {each.key: each.value for each in onnx.load(file).metadata_props}
    return dict(json.loads(said["i2i"]))


def levels_apart(some: np.ndarray, others: np.ndarray) -> int:
    return int(np.abs(some.astype(int) - others).max())


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_CACHE_DIR", str(folder / "cache"))
        i2i.run(parse_recipe(tiny()), out=folder / "run", quiet=True)
    return folder / "run"


@pytest.fixture(scope="module")
def exported(trained: Path) -> tuple[Path, str]:
    """A run's model as ONNX, per-image statistics and dropout on, and what the program said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained.parent)
        called = call("export", "run", "--to", "onnx")
    assert called.exit_code == 0
    assert called.stderr == ""
    return trained.parent / "tiny.onnx", called.stdout


def test_it_says_what_it_checked_and_where_the_file_is(exported: tuple[Path, str]) -> None:
    file, said = exported
    assert re.search(
        r"checked on 4 images of the test split, at 32x32, 40x48, 8x8: values in \[-1, 1\] differ "
        r"from PyTorch's by \de-0\d at most\n",
        re.sub(r"(\d)\.\de", r"\1e", said),
    )
    assert f"written to {file.name} (" in said


def test_onnx_gives_what_the_model_gives_for_any_batch_and_size(
    exported: tuple[Path, str], trained: Path
) -> None:
    run, model = Session(exported[0]), i2i.load(trained, device="cpu")
    for shape in [(1, 3, 32, 32), (5, 3, 8, 8), (3, 3, 64, 24), (2, 3, 8, 80)]:
        images = noise(*shape)
        torch.testing.assert_close(run(images), model(images), rtol=0, atol=1e-4)


def test_the_script_in_the_docs_gives_a_run_s_evaluation_images_without_i2i(
    exported: tuple[Path, str], trained: Path, tmp_path: Path
) -> None:
    recipe = parse_recipe(tiny())
    assert recipe.test.dropout
    for pair in assemble_dataset(recipe).pairs("test")[:2]:
        output = run_script(exported[0], pair.load(recipe.augment.crop)[0], tmp_path)
        expected = np.asarray(Image.open(trained / "evaluation" / "images" / f"{pair.name}.png"))
        assert levels_apart(output, expected) <= 1


def test_the_script_fills_images_up_as_i2i_does(
    exported: tuple[Path, str], trained: Path, tmp_path: Path
) -> None:
    image = picture(0, (45, 3))
    output = run_script(exported[0], image, tmp_path)
    assert levels_apart(output, i2i.load(trained, device="cpu")(image)) <= 1


def test_the_file_says_all_that_using_it_takes(exported: tuple[Path, str], trained: Path) -> None:
    found = onnx.load(exported[0])
    onnx.checker.check_model(found)
    assert [(each.domain, each.version) for each in found.opset_import] == [("", 18)]
    assert found.ir_version == 8
    assert [each.key for each in found.metadata_props] == ["i2i"]
    assert "translates images (N, 3, H, W) in [-1, 1]" in found.doc_string
    said = description(exported[0])
    model = i2i.load(trained, device="cpu")
    assert said["model_sha256"] == model.sha256
    assert said["step"] == 6
    assert said["i2i"] == i2i.__version__
    assert said["recipe"] == model.recipe.to_toml()
    assert said["input"] == {
        "name": "images",
        "layout": "NCHW",
        "dtype": "float32",
        "range": [-1, 1],
        "channels": 3,
        "mode": "rgb",
        "depth": 8,
        "to_float": "x / 255 * 2 - 1",
        "size_divisor": 8,
        "fill": "mirrored, below and to the right; cut the output back",
        "smallest": [8, 8],
        "fixed_size": None,
        "background": "white",
        "classes": None,
        "float_range": None,
    }
    assert said["output"]["to_uint"] == "round((x + 1) / 2 * 255), cut off at 0 and 255"
    settings = ("statistics", "dropout", "seed", "sample", "int8")
    assert [said[key] for key in settings] == ["per_image", True, 0, 0, False]
    documented = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    assert [key for key in said if f"`{key}`" not in documented] == []


def test_the_file_holds_no_paths_of_the_machine(exported: tuple[Path, str]) -> None:
    assert b".py" not in exported[0].read_bytes()


def test_a_changed_weight_is_found_by_the_check(exported: tuple[Path, str], trained: Path) -> None:
    model, changed = i2i.load(trained, device="cpu"), onnx.load(exported[0])
    weight = next(each for each in changed.graph.initializer if len(each.dims) == 4)
    values = onnx.numpy_helper.to_array(weight).copy()
    values[0, 0, 0, 0] += 0.1
    weight.CopyFrom(onnx.numpy_helper.from_array(values, weight.name))
    images = noise(2, 3, 32, 32)

    class AsUsed(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return model(images)

    assert check(Session(exported[0]), AsUsed(), images, [(32, 32), (8, 40)]) < 1e-4
    with pytest.raises(I2IError, match=r"at 32x32 its values differ from PyTorch's by \d.*1e-04"):
        check(Session(changed), AsUsed(), images, [(32, 32)])


@pytest.mark.parametrize(
    ("sections", "statistics"),
    [
        ({"generator": {"type": "tiny", "width": 4}}, "per_image"),
        (
            {"generator": {"type": "encoder_decoder", "depth": 3, "base_channels": 4}},
            "per_image",
        ),
        (
            {"generator": {"norm": "instance", "upsampling": "resize"}},
            "running",
        ),
        ({"generator": {"norm": "none"}}, "per_image"),
        pytest.param(
            {
                "generator": {"type": "timm_unet", "encoder": "resnet18", "base_channels": 4},
                "augment": {"load_size": 64, "crop_size": 64},
            },
            "running",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["plugin", "encoder_decoder", "instance-resize", "none", "timm_unet"],
)
def test_all_networks_can_be_exported(
    sections: dict[str, Any], statistics: Any, tmp_path: Path
) -> None:
    model, file = made(**sections), tmp_path / "model.onnx"
    settings = TestSettings(statistics, dropout=False)
    done = export_onnx(model, file, settings)
    assert done.fixed is None
    assert done.difference < 1e-4
    images = noise(3, 3, 64, 128)
    expected = translate(model.generator, images, settings)
    torch.testing.assert_close(Session(file)(images), expected, rtol=0, atol=1e-4)


def test_a_norm_on_one_pixel_makes_the_smallest_size_larger(tmp_path: Path) -> None:
    class Normed(nn.Module):
        size_divisor = 8

        def __init__(self) -> None:
            super().__init__()
            self.down = nn.Sequential(nn.Conv2d(3, 4, 8, stride=8), nn.BatchNorm2d(4))
            self.up = nn.ConvTranspose2d(4, 3, 8, stride=8)

        def forward(self, images: Tensor) -> Tensor:
            return torch.tanh(self.up(self.down(images)))

    done = export_onnx(made(Normed()), tmp_path / "model.onnx", TestSettings(dropout=False))
    assert done.sizes == ((32, 32), (40, 48), (16, 16))


@pytest.mark.parametrize(
    "kind",
    [
        InTheMiddle,
        *(pytest.param(kind, marks=pytest.mark.slow) for kind in (Sampler, Styled)),
    ],
)
def test_drawn_noise_is_the_same_in_all_runtimes(kind: type[nn.Module], tmp_path: Path) -> None:
    model, settings = made(stochastic(kind)), TestSettings(dropout=False, sample=3)
    ours = export_onnx(model, tmp_path / "model.onnx", settings)
    theirs = export_torch(model, tmp_path / "model.pt2", settings)
    assert ours.fixed is theirs.fixed is None
    graph = torch.export.load(theirs.path).module()
    for shape in [(1, 3, 32, 32), (5, 3, 8, 8), (3, 3, 64, 24)]:
        images = noise(*shape)
        expected = translate(model.generator, images, settings)
        for run in (Session(ours.path), graph):
            torch.testing.assert_close(run(images), expected, rtol=0, atol=1e-4)


class OneForAll(nn.Module):
    """Draws one map of noise for the whole batch."""

    def forward(self, images: Tensor) -> Tensor:
        return images + torch.randn(1, *images.shape[1:])


def test_noise_of_a_whole_batch_is_told_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(I2IError, match=r"torch\.randn can't draw .* draw one value per") as raised:
        export_torch(made(OneForAll()), tmp_path / "model.pt2")
    assert "\n" not in str(raised.value)


def test_a_network_without_noise_has_no_hash_in_its_graph(tmp_path: Path) -> None:
    done = export_onnx(made(Placed()), tmp_path / "model.onnx")
    assert "Mod" not in {node.op_type for node in onnx.load(done.path).graph.node}


class Placed(nn.Module):
    """Adds a map of one size, as transformers do."""

    def __init__(self) -> None:
        super().__init__()
        self.places = nn.Parameter(noise(1, 3, 32, 32))

    def forward(self, images: Tensor) -> Tensor:
        return torch.tanh(images + self.places)


class Choosing(nn.Module):
    """Looks at values to decide what to do."""

    def forward(self, images: Tensor) -> Tensor:
        return images if images.sum() > 0 else -images


def test_a_network_for_one_size_is_exported_for_it(tmp_path: Path) -> None:
    done = export_onnx(made(Placed()), tmp_path / "model.onnx", TestSettings(dropout=False))
    assert done.fixed == (32, 32)
    assert done.sizes == ((32, 32),)
    assert Session(done.path)(noise(5, 3, 32, 32)).shape == (5, 3, 32, 32)
    assert description(done.path)["input"]["fixed_size"] == [32, 32]


@pytest.mark.parametrize("export", [export_onnx, export_torch])
def test_a_network_that_can_t_be_exported_is_told_in_one_line(
    export: Callable[..., Exported], tmp_path: Path
) -> None:
    with pytest.raises(I2IError, match=r"the generator 'unet' can't be exported: .+") as raised:
        export(made(Choosing()), tmp_path / "model")
    assert "\n" not in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_torch_export_comes_back_as_it_was(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    called = call("export", trained, "--to", "torch", "--statistics", "running", "--sample", 3)
    assert "written to tiny.pt2 (" in called.stdout
    files = {"i2i.json": ""}
    run = torch.export.load(tmp_path / "tiny.pt2", extra_files=files).module()
    said = json.loads(files["i2i.json"])
    assert (said["statistics"], said["dropout"], said["sample"]) == ("running", True, 3)
    generator = i2i.load(trained, device="cpu").generator
    for shape in [(1, 3, 32, 32), (3, 3, 8, 48)]:
        images = noise(*shape)
        expected = translate(generator, images, TestSettings("running", sample=3))
        torch.testing.assert_close(run(images), expected, rtol=0, atol=1e-5)


@pytest.mark.slow
def test_int8_says_what_it_costs(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small(width=32)
    model.path = next((trained / "checkpoints").glob("*/model.safetensors"))
    float_file, file = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    export_onnx(model, float_file)
    done = export_onnx(model, file, int8=True)
    assert done.quantised is not None
    assert done.quantised.float_bytes > 2 * done.bytes
    real = samples(model)
    assert real.targets is not None
    # Each image alone: the ranges of activations are a batch's.
    with_floats, without = (
        torch.cat([Session(each)(image[None]) for image in real.inputs])
        for each in (float_file, file)
    )
    assert done.quantised.loss == pytest.approx(float((with_floats - without).abs().mean() / 2))
    assert 0 < done.quantised.loss < 0.02
    to_target = float((without - real.targets).abs().mean() / 2)
    assert done.quantised.to_target == pytest.approx(to_target)
    assert description(file)["int8"] is True

    monkeypatch.setattr("i2i.runs.loading.load", lambda *_, **__: model)
    monkeypatch.chdir(tmp_path)
    said = call("export", "model", "--to", "onnx", "--int8").stdout
    assert f"l1 to the outputs without int8 {done.quantised.loss:.4f}; l1 to the targets" in said
    assert (tmp_path / "tiny.int8.onnx").is_file()


@pytest.mark.slow
def test_older_operators_are_had_where_they_can_be(tmp_path: Path) -> None:
    model = small()
    export_onnx(model, tmp_path / "model.onnx", opset=16)
    assert onnx.load(tmp_path / "model.onnx").opset_import[0].version == 16
    newest = onnx.defs.onnx_opset_version()
    for opset in (7, newest + 1):
        with pytest.raises(I2IError) as raised:
            export_onnx(model, tmp_path / "other.onnx", opset=opset)
        assert str(raised.value) == (
            f"this model can't be written with operator set {opset}: PyTorch exports it with 18, "
            f"and onnx can't convert all its operators to {opset} (the newest set is {newest}); "
            "use --opset 18"
        )
        assert not (tmp_path / "other.onnx").exists()


def test_an_operator_set_that_can_t_be_had_is_no_reason_to_trace_for_one_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("i2i.exporting.program._fixed", lambda *_, **__: pytest.fail("traced"))
    with pytest.raises(I2IError, match="can't be written with operator set 7"):
        export_onnx(small(), tmp_path / "model.onnx", opset=7)


def test_both_reasons_are_told_where_neither_trace_can_be_exported() -> None:
    def never(program: torch.export.ExportedProgram) -> Callable[[Tensor], Tensor]:
        free = len(program.range_constraints)
        raise I2IError("free sides" if free > 1 else "a fixed size")

    with pytest.raises(I2IError, match=r"^a fixed size \(at 32x32; for any size: free sides\)$"):
        trace(small(), never, TestSettings())


def test_a_file_that_is_there_is_replaced_only_when_asked(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, file = small(), tmp_path / "model.onnx"
    file.write_text("mine")
    with pytest.raises(I2IError, match=r"exists already.*--overwrite"):
        export_onnx(model, file)
    monkeypatch.setattr(checking, "TOLERANCE", -1.0)
    with pytest.raises(I2IError, match="the exported model differs from the model"):
        export_onnx(model, file, overwrite=True)
    assert file.read_text() == "mine"
    assert list(tmp_path.glob(".*.onnx*")) == []
    monkeypatch.undo()
    export_onnx(model, file, overwrite=True)
    onnx.checker.check_model(onnx.load(file))


def test_a_place_that_can_t_be_written_to_is_found_out_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("i2i.exporting.onnx_export.trace", lambda *_, **__: pytest.fail("traced"))
    monkeypatch.setattr("i2i.exporting.torch_export.trace", lambda *_, **__: pytest.fail("traced"))
    for export in (export_onnx, export_torch):
        for path in (Path("/proc/x.onnx"), tmp_path / "file" / "new" / "x", tmp_path / ("x" * 300)):
            with pytest.raises(I2IError, match=re.escape(f"{path}: can't be written: ")):
                export(small(), path)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_export_left_is_removed_and_what_another_writes_is_not(
    tmp_path: Path,
) -> None:
    file = tmp_path / "model.onnx"
    writer = (
        "import sys, os, signal\nfrom pathlib import Path\n"
        "from i2i.system.output_file import arriving\n"
        "with arriving(Path(sys.argv[1])) as path:\n"
        "    path.touch()\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    subprocess.run([sys.executable, "-c", writer, str(file)], check=False)
    lock = tmp_path / ".model.onnx.lock"
    assert len(set(tmp_path.iterdir()) - {lock}) == 1
    with arriving(file) as unfinished:
        unfinished.touch()
        check_free(file, overwrite=False)
        assert set(tmp_path.iterdir()) == {lock, unfinished}
    assert list(tmp_path.iterdir()) == [file]


def test_a_model_too_large_for_one_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("i2i.exporting.graph.MOST", 1000)
    with pytest.raises(I2IError, match="of weights don't fit into an ONNX file"):
        export_onnx(small(), tmp_path / "model.onnx")


def test_without_onnx_it_says_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(I2IError, match=r"needs onnxruntime: pip install 'i2i\[export\]'"):
        export_onnx(made(), tmp_path / "model.onnx")


def test_it_is_checked_on_the_images_given(folder: Callable[..., Path], tmp_path: Path) -> None:
    model = made()
    found = samples(model, [folder("pictures", range(20))])
    assert found.source == "8 of the images given"
    assert found.inputs.shape == (8, 3, 32, 32)
    assert found.targets is None
    (tmp_path / "bad.png").write_bytes(b"no image")
    with pytest.raises(DataError, match=r"bad\.png"):
        samples(model, [tmp_path / "bad.png"])


def test_without_samples_it_is_checked_on_made_up_pictures() -> None:
    found = samples(made())
    assert found.source == "4 made-up pictures"
    assert found.instead == "no samples lie with the model; --images names images of yours"
    assert found.targets is None
    assert found.inputs.shape == (4, 3, 32, 32)
    assert found.inputs.abs().max() <= 1


def test_samples_of_a_run_are_read_as_the_model_reads_them(trained: Path) -> None:
    model = i2i.load(trained, device="cpu")
    found = samples(model)
    files = sorted((trained / "evaluation" / "samples" / "target").iterdir())
    assert found.targets is not None
    for target, file in zip(found.targets, files, strict=True):
        own = torch.from_numpy(np.array(Image.open(file))).permute(2, 0, 1)
        assert torch.equal(((target + 1) * 127.5).round().byte(), own)


def test_the_program_says_why_it_was_checked_on_made_up_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("i2i.runs.loading.load", lambda *_, **__: small())
    said = call("export", "model", "--to", "onnx", "--out", tmp_path / "model.onnx").stdout
    assert re.match(
        r"checked on 4 made-up pictures, as no samples lie with the model; --images .*\n"
        r"at 32x32, .*: values in \[-1, 1\] differ",
        said,
    )


def test_images_in_the_current_folder_are_images(
    folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = folder("pictures", range(3))
    monkeypatch.chdir(pictures)
    assert samples(small(), [pictures]).source == "3 of the images given"
    assert samples(small(), [pictures.parent]).source == "3 of the images given"


def test_damaged_checkpoints_that_were_passed_over_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = small()
    model.passed_over = ("step 9: is damaged",)
    monkeypatch.setattr("i2i.runs.loading.load", lambda *_, **__: model)
    for arguments in (
        ["export", "model", "--to", "onnx", "--out", tmp_path / "model.onnx"],
        ["demo", "model", "--space", tmp_path / "space"],
    ):
        assert call(*arguments).stderr == "skipped a damaged checkpoint: step 9: is damaged\n"


def test_options_of_onnx_are_refused_for_torch() -> None:
    called = call("export", "run", "--to", "torch", "--int8")
    assert "--int8 and --opset are for --to onnx" in str(called.exception)


def test_onnxruntime_takes_the_file_by_its_path(exported: tuple[Path, str]) -> None:
    session = onnxruntime.InferenceSession(exported[0], providers=["CPUExecutionProvider"])
    assert [each.name for each in session.get_inputs()] == ["images"]
    assert [each.name for each in session.get_outputs()] == ["output"]
    assert [path.name for path in exported[0].parent.glob("tiny.onnx*")] == ["tiny.onnx"]
