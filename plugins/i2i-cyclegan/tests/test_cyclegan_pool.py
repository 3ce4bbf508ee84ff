"""The pool: what goes in, what comes out, and that it is remembered."""

import pytest
import torch
from i2i_cyclegan.pool import Pool
from torch import Tensor


def images(*numbers: int) -> Tensor:
    return torch.tensor(numbers, dtype=torch.float32).reshape(-1, 1, 1, 1)


def numbers(of: Tensor) -> list[int]:
    return [int(value) for value in of.flatten()]


def test_until_it_is_full_it_returns_what_it_gets() -> None:
    pool = Pool(3, (0,))
    assert numbers(pool.exchanged(images(1, 2))) == [1, 2]
    assert numbers(pool.exchanged(images(3))) == [3]
    assert numbers(pool.state_dict()["images"]) == [1, 2, 3]


def test_a_full_pool_returns_the_image_or_an_earlier_one_that_it_replaces() -> None:
    pool, held, swapped = Pool(5, (1,)), set(range(5)), 0
    pool.exchanged(images(*range(5)))
    for new in range(5, 2005):
        (out,) = numbers(pool.exchanged(images(new)))
        if out != new:
            assert out in held
            held = held - {out} | {new}
            swapped += 1
        assert set(numbers(pool.state_dict()["images"])) == held
    assert swapped == pytest.approx(1000, abs=100)


def test_no_pool_returns_what_it_gets_and_stores_nothing() -> None:
    pool = Pool(0, (0,))
    assert numbers(pool.exchanged(images(7, 8))) == [7, 8]
    assert pool.state_dict()["images"].numel() == 0


@pytest.mark.parametrize("before", [0, 2, 9])
def test_a_restored_pool_goes_on_alike(before: int) -> None:
    whole, cut, restored = (Pool(3, (2,)) for _ in range(3))
    for pool in (whole, cut):
        for i in range(before):
            pool.exchanged(images(i))
    restored.load_state_dict(cut.state_dict(), torch.device("cpu"))
    for i in range(before, before + 20):
        assert numbers(whole.exchanged(images(i))) == numbers(restored.exchanged(images(i)))


def test_a_state_that_does_not_fit_is_refused() -> None:
    pool = Pool(9, (0,))
    pool.exchanged(images(*range(9)))
    with pytest.raises(ValueError, match="9 images don't fit into a pool of 3"):
        Pool(3, (0,)).load_state_dict(pool.state_dict(), torch.device("cpu"))
