from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from benchmarks import plain
from benchmarks.networks import method, paper_recipe, trainer
from benchmarks.peer import PARTS, unpacked
from benchmarks.summary import comparison
from benchmarks.train_step import LAYOUTS
from i2i.batch import Batch
from i2i.methods.method import Method
from i2i.recipe import Recipe


def test_a_ratio_above_1_means_that_i2i_is_better() -> None:
    result = comparison("seconds", [1.0, 2.0, 4.0], [2.0, 6.0, 4.0])
    assert result["ratio"] == {"median": 2.0, "min": 1.0, "max": 3.0}


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Method]]:
    """The networks that the plain loop builds, and memory that is left as it is."""
    seen: list[Method] = []

    def noted(recipe: Recipe) -> Method:
        seen.append(method(recipe))
        return seen[-1]

    monkeypatch.setattr(plain, "method", noted)
    monkeypatch.setattr(plain, "keep_freed_memory", lambda _: None)
    return seen


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_plain_loop_takes_the_steps_that_i2i_takes(
    built: list[Method], layout: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    still = ("generator.norm=instance", "generator.dropout=0.0", "discriminator.norm=instance")
    recipe = paper_recipe(32, 2, 4, *still, "discriminator.receptive_field=16")
    source, target = batch = plain.ready_batch(recipe)
    monkeypatch.setattr(plain, "ready_batch", lambda _: batch)
    ours = trainer(recipe, 10)
    loop = plain.torch_loop(recipe, LAYOUTS[layout])
    for _ in range(2):
        next(loop)
        ours.update(Batch(source, target, ("0", "1")), lambda _: "")
    (theirs,) = built
    expected = theirs.networks["generator"].state_dict()
    for name, tensor in ours.models.trained["generator"].state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=1e-5, check_stride=False)


def test_without_a_clone_one_is_told_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="git clone"), unpacked(None):
        pass
    with pytest.raises(SystemExit, match=r"neither the commit .* train\.py"), unpacked(tmp_path):
        pass


def test_a_clone_without_the_commit_is_copied_as_it_is(tmp_path: Path) -> None:
    for part in PARTS:
        if part.endswith(".py"):
            (tmp_path / part).touch()
        else:
            (tmp_path / part).mkdir()
    with unpacked(tmp_path) as peer:
        assert sorted(path.name for path in peer.folder.iterdir()) == sorted(PARTS)
        assert "as they are" in peer.source
    assert not peer.folder.exists()
