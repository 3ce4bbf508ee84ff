"""Sheets and curves, which the report is made of."""

import numpy as np
import pytest

from i2i.images.sheets import GAP, cells, gallery, sheet, shown, spread
from i2i.report.curves import curves


def image(seed: int, channels: int = 3, height: int = 8, width: int = 12) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, channels), dtype=np.uint8)


def test_the_cells_of_a_sheet_are_the_images_it_was_made_of() -> None:
    rows = [[image(3 * r + c) for c in range(3)] for r in range(4)]
    again = cells(sheet(rows), 8, 12)
    assert len(again) == 4
    for row, expected in zip(again, rows, strict=True):
        for one, other in zip(row, expected, strict=True):
            assert (one == other).all()


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7])
def test_any_number_of_channels_can_be_looked_at(channels: int) -> None:
    picture = image(0, channels)
    assert shown(picture).shape == (8, 12, 3)
    assert (shown(picture)[..., 0] == picture[..., 0]).all()
    deep = picture.astype(np.uint16) * 257
    assert (shown(deep) == shown(picture)).all()


def test_a_gallery_fills_the_width_of_a_page_and_keeps_triples_together() -> None:
    triples = [[image(3 * r + c, height=64, width=64) for c in range(3)] for r in range(7)]
    page = gallery(triples)
    assert page.shape[1] <= 1024
    across = (page.shape[1] + GAP) // (3 * (64 + GAP))
    assert across == 5
    assert (cells(page, 64, 64)[1][3] == triples[6][0]).all()
    assert gallery([[image(0, height=512, width=512)] * 3] * 2).shape[0] == 2 * 512 + GAP


def test_places_are_spread_over_everything() -> None:
    assert spread(100, 3) == [0, 49, 99]
    assert spread(2, 5) == [0, 1]


def test_every_loss_and_metric_has_a_curve() -> None:
    lines = [
        {"step": 1, "losses": {"l1": 2.0, "cgan": 1.0}},
        {"step": 2, "losses": {"l1": 1.0, "cgan": 1.5}},
        {"step": 2, "validation": {"l1": 0.1}},
    ]
    drawn = curves(lines)
    assert len(drawn) == 3
    assert all("<svg" in svg for svg in drawn)
    assert curves([]) == []
