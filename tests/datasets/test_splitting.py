"""Splits decided by names."""

from collections import Counter
from math import sqrt

from hypothesis import given, settings
from hypothesis import strategies as st

from i2i.datasets.dataset import Split
from i2i.datasets.splitting import split_of

FRACTIONS = st.floats(0, 0.5, allow_nan=False)


@given(st.text(), st.integers(0, 2**31), FRACTIONS, FRACTIONS)
def test_a_name_has_one_split_whatever_else_there_is(
    name: str, seed: int, val: float, test: float
) -> None:
    split = split_of(name, seed, val=val, test=test)
    assert split == split_of(name, seed, val=val, test=test)
    assert split in ("train", "val", "test")


@given(st.text(), st.integers(0, 100), FRACTIONS, st.floats(0, 0.4))
def test_a_larger_test_fraction_only_adds_to_the_test_split(
    name: str, seed: int, val: float, test: float
) -> None:
    if split_of(name, seed, val=val, test=test) == "test":
        assert split_of(name, seed, val=val, test=test + 0.1) == "test"


def test_the_fractions_are_met() -> None:
    counts = Counter(split_of(f"name {i}", 0, val=0.1, test=0.2) for i in range(20_000))
    assert abs(counts["val"] / 20_000 - 0.1) < 0.01
    assert abs(counts["test"] / 20_000 - 0.2) < 0.01


@given(st.integers(0, 2**31), FRACTIONS, FRACTIONS)
@settings(deadline=None, max_examples=50)
def test_the_fractions_hold_for_every_seed_as_closely_as_chance_allows(
    seed: int, val: float, test: float
) -> None:
    number = 1000
    counts = Counter(split_of(f"{i}", seed, val=val, test=test) for i in range(number))
    shares: dict[Split, float] = {"val": val, "test": test, "train": 1 - val - test}
    for split, share in shares.items():
        deviation = sqrt(number * max(share, 0) * (1 - share))
        assert abs(counts[split] - number * share) <= 6 * deviation + 1


def test_without_fractions_everything_is_for_training() -> None:
    assert {split_of(str(i), 0, val=0, test=0) for i in range(500)} == {"train"}


def test_another_seed_gives_another_split() -> None:
    one, other = (
        [split_of(str(i), seed, val=0.3, test=0.3) for i in range(100)] for seed in (0, 1)
    )
    assert one != other


def test_the_split_is_the_same_on_every_machine_and_in_every_version() -> None:
    initials = "".join(split_of(str(i), 0, val=0.3, test=0.3)[:2] for i in range(8))
    assert initials == "trtrvavatetrtrte"
