"""Batches for training: the same for every number of workers, from any step, over all ranks."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from i2i.batch import Batch
from i2i.datasets.decoded import Decoded
from i2i.datasets.loader import Loader
from i2i.images.tensors import to_float, to_uint

HEIGHT, WIDTH = 10, 14


def data(count: int = 11, dtype: Any = np.uint8) -> Decoded:
    """Pairs of 3 + 1 channels: the pair's number, row, column; and row and column in one."""
    number, row, column = np.mgrid[:count, :HEIGHT, :WIDTH]
    scale = np.iinfo(dtype).max // 255
    both = np.stack([number, row, column, row * WIDTH + column], axis=1) * scale
    names = tuple(f"pair {i}" for i in range(count))
    files = tuple((Path(f"{name}.png"),) for name in names)
    return Decoded(both.astype(dtype), 3, names, files, (), "")


def loader(decoded: Decoded | None = None, **options: Any) -> Loader:
    chosen: dict[str, Any] = {"batch_size": 4, "crop": (8, 8), "flip": True, "seed": 0, **options}
    return Loader(decoded or data(), **chosen)


def first(
    number: int, step: int = 0, decoded: Decoded | None = None, **options: Any
) -> list[Batch]:
    batches = loader(decoded, **options).batches(step)
    return list(islice(batches, number))


def same(one: list[Batch], other: list[Batch]) -> bool:
    return len(one) == len(other) and all(
        a.names == b.names and torch.equal(a.input, b.input) and torch.equal(a.target, b.target)
        for a, b in zip(one, other, strict=True)
    )


def whole(batch: Batch) -> Any:
    return to_uint(batch.input).int(), to_uint(batch.target).int()


def test_a_batch_holds_float_pairs_of_the_crops_size() -> None:
    (batch,) = first(1)
    assert (batch.input.shape, batch.target.shape) == ((4, 3, 8, 8), (4, 1, 8, 8))
    assert batch.input.dtype == batch.target.dtype == torch.float32
    assert all(images.min() >= -1 and images.max() <= 1 for images in (batch.input, batch.target))


def test_names_tell_which_pairs_they_are() -> None:
    for batch in first(6):
        images, _ = whole(batch)
        numbers = images[:, 0, 0, 0].tolist()
        assert batch.names == tuple(f"pair {number}" for number in numbers)


def test_input_and_target_show_the_same_place() -> None:
    for batch in first(12):
        images, targets = whole(batch)
        assert torch.equal(images[:, 1] * WIDTH + images[:, 2], targets[:, 0])


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing(workers: int) -> None:
    assert same(first(12, workers=0), first(12, workers=workers))


@pytest.mark.parametrize("step", [1, 2, 3, 7])
@pytest.mark.parametrize("workers", [0, 2])
def test_a_run_resumed_at_any_step_gets_the_batches_it_would_have_had(
    step: int, workers: int
) -> None:
    assert same(first(4, step, workers=workers), first(4 + step)[step:])


@given(st.integers(1, 12), st.integers(1, 5), st.integers(0, 3))
@settings(deadline=None, max_examples=30)
def test_the_ranks_shares_are_the_whole_batch_in_order(
    batch_size: int, ranks: int, step: int
) -> None:
    assume(batch_size >= ranks)
    decoded = data(13)
    options: dict[str, Any] = {"batch_size": batch_size, "workers": 0}
    (alone,) = first(1, step, decoded, **options)
    shares = [
        first(1, step, decoded, **options, rank=rank, ranks=ranks)[0] for rank in range(ranks)
    ]
    assert sum((share.names for share in shares), ()) == alone.names
    assert torch.equal(torch.cat([share.input for share in shares]), alone.input)
    assert torch.equal(torch.cat([share.target for share in shares]), alone.target)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 5))
@settings(deadline=None, max_examples=50)
def test_every_pair_comes_at_most_once_an_epoch(pairs: int, batch_size: int, epoch: int) -> None:
    steps = pairs // batch_size
    here = loader(data(pairs), batch_size=batch_size, workers=0)
    assert here.steps_per_epoch == steps
    if steps == 0:
        return
    batches = islice(here.batches(epoch * steps), steps)
    names = [name for batch in batches for name in batch.names]
    assert len(names) == len(set(names)) == steps * batch_size


def test_every_epoch_has_an_order_and_crops_of_its_own() -> None:
    decoded = data(8)
    epochs = [first(2, 2 * epoch, decoded) for epoch in range(3)]
    orders = [sum((batch.names for batch in epoch), ()) for epoch in epochs]
    assert len(set(orders)) == 3
    assert all(sorted(order) == sorted(decoded.names) for order in orders)
    corners = [
        {
            name: tuple(image[1:, 0, 0].tolist())
            for batch in epoch
            for name, image in zip(batch.names, batch.input, strict=True)
        }
        for epoch in epochs
    ]
    assert corners[0] != corners[1] != corners[2]


def test_pairs_left_over_in_one_epoch_come_in_another() -> None:
    names = {name for batch in first(40) for name in batch.names}
    assert names == set(data().names)


def test_another_seed_gives_other_batches() -> None:
    assert not same(first(2), first(2, seed=1))


@pytest.mark.parametrize("batch_size", [1, 2, 5])
def test_a_pairs_crop_does_not_depend_on_the_batch_it_is_in(batch_size: int) -> None:
    def images(size: int) -> dict[str, torch.Tensor]:
        batches = first(10 // size, decoded=data(10), batch_size=size)
        return {n: i for batch in batches for n, i in zip(batch.names, batch.input, strict=True)}

    expected = images(10)
    for name, image in images(batch_size).items():
        assert torch.equal(image, expected[name])


@pytest.mark.parametrize("workers", [0, 2])
def test_images_of_16_bits_keep_their_depth(workers: int) -> None:
    count = 20
    ramp = np.random.default_rng(0).integers(0, 65536, (count, 2, 6, 6)).astype(np.uint16)
    decoded = Decoded(ramp, 1, tuple(map(str, range(count))), ((),) * count, (), "")
    options: dict[str, Any] = {"crop": (6, 6), "flip": False, "workers": workers}
    for batch in first(5, decoded=decoded, **options):
        both = torch.cat([batch.input, batch.target], dim=1)
        for name, pair in zip(batch.names, both, strict=True):
            values = to_uint(pair, torch.uint16).numpy()
            np.testing.assert_array_equal(values, ramp[int(name)])


def test_16_bit_pairs_are_cut_as_8_bit_ones_are() -> None:
    shallow, deep = first(6), first(6, decoded=data(dtype=np.uint16))
    for one, other in zip(shallow, deep, strict=True):
        assert one.names == other.names
        torch.testing.assert_close(one.input, other.input)


def test_arrays_mapped_from_the_disk_are_read_and_never_written(tmp_path: Path) -> None:
    decoded = data()
    path = tmp_path / "pairs.raw"
    decoded.array.tofile(path)
    before = path.read_bytes()
    mapped = np.memmap(path, np.uint8, "r", shape=decoded.array.shape)
    there = Decoded(mapped, 3, decoded.names, decoded.files, (), "")
    assert same(first(6, decoded=there, workers=2), first(6))
    assert path.read_bytes() == before


def test_an_array_that_is_not_to_be_written_gives_the_same_batches() -> None:
    decoded = data()
    decoded.array.setflags(write=False)
    assert same(first(6, decoded=decoded, crop=(HEIGHT, WIDTH)), first(6, crop=(HEIGHT, WIDTH)))


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if "batches" in thread.name]


def test_workers_end_with_the_batches() -> None:
    batches = loader(workers=3).batches()
    assert isinstance(batches, Iterator)
    next(batches)
    assert threads()
    batches.close()  # type: ignore[attr-defined]
    assert not threads()


def test_workers_do_not_take_the_networks_threads_away() -> None:
    before = torch.get_num_threads()
    first(3, workers=2)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize("workers", [0, 2])
def test_what_goes_wrong_in_a_worker_is_raised_where_the_batch_is_used(workers: int) -> None:
    decoded = data()
    torn = Decoded(decoded.array[:2], 3, decoded.names, decoded.files, (), "")
    with pytest.raises(IndexError):
        first(1, decoded=torn, workers=workers)
    assert not threads()


# Batches


def test_whole_numbers_become_floats_over_the_range_and_come_back() -> None:
    for dtype, top in ((torch.uint8, 255), (torch.uint16, 65535)):
        numbers = torch.arange(top + 1).to(dtype)
        floats = to_float(numbers)
        assert (floats[0].item(), floats[-1].item()) == (-1.0, 1.0)
        assert torch.equal(to_uint(floats, dtype).int(), numbers.int())


def test_floats_beyond_the_range_are_cut_off() -> None:
    assert to_uint(torch.tensor([-9.0, 9.0])).tolist() == [0, 255]


def test_the_parts_of_a_batch_are_the_batch() -> None:
    (batch,) = first(1)
    one, other = batch.part(0, 2), batch.part(1, 2)
    assert one.names + other.names == batch.names
    assert torch.equal(torch.cat([one.input, other.input]), batch.input)
    assert torch.equal(torch.cat([one.target, other.target]), batch.target)


@pytest.mark.skipif(os.cpu_count() == 1, reason="needs two cores")
def test_workers_leave_the_networks_their_threads() -> None:
    code = (
        "import numpy, torch\n"
        "from i2i.datasets.decoded import Decoded\n"
        "from i2i.datasets.loader import Loader\n"
        "pairs = Decoded(numpy.zeros((4, 6, 8, 8), numpy.uint8), 3, tuple('abcd'), (), (), '')\n"
        "loader = Loader(pairs, batch_size=2, crop=(8, 8), flip=True, seed=0, workers=2)\n"
        "next(loader.batches())\n"
        "print(torch.get_num_threads())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OMP_NUM_THREADS": "2"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["2"]
