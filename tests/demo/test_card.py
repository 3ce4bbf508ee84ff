"""The model's card."""

import json
from collections.abc import Callable
from pathlib import Path

from i2i.demo.card import card
from i2i.model.model import Model


def test_the_card_tells_recipe_data_licence_and_what_was_not_measured(
    model_of: Callable[..., Model],
) -> None:
    page = card(model_of())
    for words in ("tiny: unet", "synthetic", "7 steps", "32 × 32", "not measured", "max_steps = 6"):
        assert words in page
    assert "drawn by &lt;nobody&gt;" in page


def test_the_card_tells_what_was_measured_and_of_which_weights(
    model_of: Callable[..., Model], tmp_path: Path
) -> None:
    about = {"label": "l1", "higher_is_better": False, "fingerprint": {}, "fingerprint_sha256": ""}
    document = {
        "details": {"l1": {**about, "value": 0.125}},
        "images": 3,
        "split": "test",
        "step": 7,
        "test": {"statistics": "batch", "dropout": True},
        "input_as_output": None,
    }
    (tmp_path / "metrics.json").write_text(json.dumps(document))
    page = card(model_of())
    assert "0.1250" in page
    assert "3 images of the test split" in page
    assert "these weights" not in page
    (tmp_path / "metrics.json").write_text(json.dumps({**document, "step": 5}))
    assert "Measured after 5 steps, so not with these weights" in card(model_of())
    (tmp_path / "metrics.json").write_text('["something else"]')
    assert "not measured" in card(model_of())
