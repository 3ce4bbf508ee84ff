"""A segmenter's file holds all of it, and nothing else passes for one."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from i2i.errors import CheckpointError, WeightsError
from i2i.segmentation.network import (
    Segmenter,
    find_segmenter,
    kept_at,
    load_segmenter,
    save_segmenter,
)
from i2i.segmentation.palette import Labels

PALETTE = {"sky": (70, 130, 180), "road": (128, 64, 128), "car": (0, 0, 142)}


def segmenter(labels: Labels | None = None, channels: int = 3) -> Segmenter:
    torch.manual_seed(0)
    return Segmenter(
        labels or Labels.of(PALETTE, 3),
        (32, 64),
        channels=channels,
        encoder="test_efficientnet",
        base_channels=4,
    )


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "small.safetensors"
    network = segmenter()
    network.notes = {"data": {"type": "synthetic"}}
    save_segmenter(network, path)
    return path


def test_it_gives_each_pixel_a_value_for_each_class() -> None:
    network = segmenter().eval()
    photos = torch.rand(2, 3, 64, 96) * 2 - 1
    logits = network(photos)
    assert logits.shape == (2, 3, 64, 96)
    assert torch.equal(network.classes(photos), logits.argmax(dim=1))


def test_what_was_saved_is_loaded_with_all_that_belongs_to_it(kept: Path) -> None:
    before, after = segmenter().eval(), load_segmenter(kept)
    assert after.labels == before.labels
    assert (after.size, after.encoder) == ((32, 64), "test_efficientnet")
    assert after.notes == {"data": {"type": "synthetic"}}
    assert not after.training
    photos = torch.rand(1, 3, 32, 64)
    assert torch.equal(after(photos), before(photos))
    assert [file.name for file in kept.parent.iterdir()] == [kept.name]


def test_gray_photos_and_maps_without_a_palette_survive_too(tmp_path: Path) -> None:
    save_segmenter(segmenter(Labels.of(None, 5), channels=1), tmp_path / "gray.safetensors")
    after = load_segmenter(tmp_path / "gray.safetensors")
    assert after.labels == Labels.of(None, 5)
    assert after(torch.zeros(1, 1, 32, 32)).shape == (1, 5, 32, 32)


@pytest.mark.parametrize("place", [0.02, 0.5, 0.999])
def test_a_flipped_bit_is_noticed_wherever_it_is(kept: Path, place: float) -> None:
    content = bytearray(kept.read_bytes())
    content[int(len(content) * place)] ^= 1
    kept.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"small\.safetensors: "):
        load_segmenter(kept)


def test_a_cut_file_is_damaged(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-100])
    with pytest.raises(CheckpointError, match="can't be read as safetensors"):
        load_segmenter(kept)


def test_another_safetensors_file_is_no_segmenter(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"weight": torch.zeros(2)}, path, {"format": "i2i"})
    with pytest.raises(CheckpointError, match="is not an i2i segmenter"):
        load_segmenter(path)


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match="can't be written"):
        save_segmenter(segmenter(), tmp_path / "file" / "small.safetensors")


def test_a_segmenter_is_found_by_its_name_or_its_file(kept: Path) -> None:
    assert find_segmenter(str(kept)) == kept
    with pytest.raises(WeightsError, match="i2i segmenter train DATASET --name streets"):
        find_segmenter("streets")
    save_segmenter(segmenter(), kept_at("streets"))
    assert find_segmenter("streets") == kept_at("streets")
    with pytest.raises(WeightsError, match=r"gone\.safetensors: there is no such file"):
        find_segmenter(str(kept.with_name("gone.safetensors")))
