"""Where the paths of a recipe start, and that a model file has none."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from i2i.errors import RecipeError
from i2i.model.file import read_model
from i2i.recipe import load_recipe, load_run_recipe, parse_recipe
from tests.conftest import tiny
from tests.processes import Run

Start = Callable[..., Run]


def folders(root: str) -> dict[str, object]:
    return tiny(data={"type": "folders", "root": root}, train={"max_steps": 2})


def root_of(recipe: object) -> str:
    root: str = recipe.data.options["root"]  # type: ignore[attr-defined]
    return root


def fill(folder: Path) -> None:
    for split in ("train", "test"):
        (folder / split).mkdir(parents=True)
        for i in range(4):
            picture = Image.effect_noise((80, 40), 50).convert("RGB")
            picture.save(folder / split / f"{i}.png")


def test_a_relative_path_in_a_file_starts_at_the_file(
    tmp_path: Path, write_recipe: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write_recipe(**folders("my/pairs"))
    monkeypatch.chdir(tmp_path.parent)
    assert root_of(load_recipe(recipe)) == str(tmp_path / "my/pairs")
    relative = os.path.relpath(recipe)
    assert root_of(load_recipe(relative)) == str(tmp_path.parent / tmp_path.name / "my/pairs")


def test_a_relative_path_of_an_override_starts_at_the_working_folder(
    tmp_path: Path, write_recipe: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write_recipe(**folders("pairs"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    assert root_of(load_recipe(recipe, ["data.root=pairs"])) == str(tmp_path / "work/pairs")
    assert root_of(parse_recipe(folders("pairs"))) == str(tmp_path / "work/pairs")


def test_a_path_that_only_the_working_folder_has_is_found_with_a_warning(
    tmp_path: Path, write_recipe: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = write_recipe(**folders("pairs"))
    (tmp_path / "work" / "pairs").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    with pytest.warns(FutureWarning, match="start at the folder of its file"):
        assert root_of(load_recipe(recipe)) == str(tmp_path / "work/pairs")
    (tmp_path / "pairs").mkdir()
    assert root_of(load_recipe(recipe)) == str(tmp_path / "pairs")


@pytest.mark.parametrize("inside", ["~", "~/some/pairs"])
def test_the_home_folder_is_meant_by_its_sign(
    tmp_path: Path,
    write_recipe: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    inside: str,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    expected = inside.replace("~", str(tmp_path / "home"))
    assert root_of(load_recipe(write_recipe(**folders(inside)))) == expected
    other = write_recipe(**folders("x"))
    assert root_of(load_recipe(other, [f"data.root={inside}"])) == expected
    unknown = root_of(load_recipe(other, ["data.root=~no-such-user/x"]))
    assert unknown.endswith("/~no-such-user/x")


@pytest.mark.parametrize("root", ["x" * 5000, "\udce9t\udce9"])
def test_a_path_that_no_file_can_have_is_told_in_a_line(root: str) -> None:
    with pytest.raises(RecipeError, match=r"^recipe: data\.root: "):
        parse_recipe(folders(root))


def test_a_run_finds_its_data_again_from_any_folder_and_its_model_has_no_path(
    i2i: Start, tmp_path: Path, write_recipe: Callable[..., Path]
) -> None:
    fill(tmp_path / "pairs")
    recipe = write_recipe(**folders("pairs"))
    assert i2i("run", recipe.name).status == 0
    run = tmp_path / "runs/tiny"
    assert root_of(load_run_recipe(run / "recipe.toml")) == str(tmp_path / "pairs")
    for model in run.rglob("model.safetensors"):
        metadata = read_model(model).metadata
        assert str(tmp_path) not in "".join(metadata.values())
        assert "root" not in metadata["recipe"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for arguments in (
        ("eval", run, "--metric", "psnr"),
        ("run", "../recipe.toml", "--out", "../runs/tiny", "--resume", "--max-steps", "3"),
    ):
        moved = start_in(elsewhere, arguments)
        assert moved.status == 0, moved.output


def start_in(folder: Path, arguments: tuple[object, ...]) -> Run:
    from tests.processes import start

    environment = {**os.environ, "I2I_CACHE_DIR": str(folder / "cache")}
    return start([str(a) for a in arguments], folder, environment).wait()


def test_commands_know_the_home_folder_where_the_shell_leaves_it(
    i2i: Start, trained: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    fill(home / "photos")
    shutil.copytree(trained, home / "run")
    run = i2i("translate", "~/run", "~/photos/*/1.png", "--out=~/out", HOME=str(home)).wait()
    assert run.status == 0, run.output
    assert {file.name for file in (home / "out").rglob("*.png")} == {"1.png"}
    assert not (tmp_path / "~").exists()
    run = i2i("eval", "~/out", "--against=~/nowhere", HOME=str(home)).wait()
    assert f"{home}/nowhere" in run.errors
