"""Values that are infinite or NaN: shown as such, null in JSON, and never the best."""

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image

import i2i
from i2i.cli import program
from i2i.evaluation.compare import compare
from i2i.evaluation.results import number
from i2i.report.curves import curves
from i2i.runs.callbacks import _improves
from i2i.studies.record import Record
from i2i.studies.schema import Study
from i2i.studies.tables import columns_of
from i2i.system.json_file import json_text
from i2i.training.loop import remember_best
from tests.conftest import picture

Make = Callable[..., Path]


def strict(text: str) -> Any:
    """Parse JSON as a program does that knows no infinities."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    return json.loads(text, parse_constant=refuse)


def call(*arguments: object) -> str:
    called = CliRunner().invoke(program, [str(a) for a in arguments], standalone_mode=False)
    assert called.exit_code == 0, called.exception
    return called.stdout


def test_some_equal_pairs_are_counted_where_the_value_is_shown(folder: Make) -> None:
    outputs, targets = folder("o", range(5)), folder("t", range(5))
    for place in (1, 3, 4):
        Image.fromarray(picture(50 + place)).save(outputs / f"{place:03}.png")
    shown = call("eval", outputs, "--against", targets, "--metric", "psnr")
    assert "equal pairs left out: 2" in shown
    document = strict((outputs / "metrics.json").read_text())
    assert math.isfinite(document["metrics"]["psnr"])
    assert document["details"]["psnr"]["equal_pairs"] == 2
    assert "equal pairs left out: 2" in call("compare", outputs, outputs)


def test_only_equal_pairs_are_infinite_and_null_in_json(folder: Make) -> None:
    outputs, targets = folder("o", range(2)), folder("t", range(2))
    shown = call("eval", outputs, "--against", targets, "--metric", "psnr")
    assert "∞ (all pairs are equal)" in shown
    document = strict((outputs / "metrics.json").read_text())
    assert document["metrics"]["psnr"] is None
    assert document["details"]["psnr"]["not_finite"] == "∞"
    text = call("eval", outputs, "--against", targets, "--metric", "psnr", "--json")
    assert strict(text) == document
    assert "∞ (all pairs are equal)" in call("compare", outputs, outputs)
    strict(call("compare", outputs, outputs, "--json"))


@pytest.mark.parametrize(
    ("details", "text"),
    [
        ({"value": math.nan}, "NaN"),
        ({"value": None, "not_finite": "NaN"}, "NaN"),
        ({"value": None, "not_finite": "−∞"}, "−∞"),
        ({"value": -math.inf}, "−∞"),
        ({"value": None}, "not finite"),
        ({"value": 1.0, "interval": [None, 2.0]}, "1.0000 [not finite, 2.0000]"),
        ({"value": math.nan, "standard_error": math.nan}, "NaN ± NaN"),
    ],
)
def test_a_value_is_shown_as_what_it_is(details: Mapping[str, Any], text: str) -> None:
    assert number(details) == text


@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_json_has_null_for_what_it_can_t_hold(odd: float) -> None:
    assert strict(json_text({"a": [odd, {"b": (1.5, odd)}], "c": odd})) == {
        "a": [None, {"b": [1.5, None]}],
        "c": None,
    }


@pytest.mark.parametrize("value", [None, math.inf, math.nan])
def test_compare_names_no_best_where_a_value_is_not_finite(
    folder: Make, value: float | None
) -> None:
    targets = folder("t", range(5, 7))
    runs = [folder(name, range(i, i + 2)) for i, name in enumerate("abc")]
    for run in runs:
        i2i.evaluate(run, ["l1"], against=targets)
    assert len(compare(runs).best["l1"]) == 1
    path = runs[0] / "metrics.json"
    document = json.loads(path.read_text())
    document["details"]["l1"]["value"] = value
    path.write_text(json.dumps(document))
    assert compare(runs).best["l1"] == []


@pytest.mark.parametrize("upwards", [True, False])
@pytest.mark.parametrize("odd", [math.inf, -math.inf, math.nan])
def test_the_best_in_validation_is_always_finite(upwards: bool, odd: float) -> None:
    recipe = SimpleNamespace(validation=SimpleNamespace(best="m"))
    trainer: Any = SimpleNamespace(recipe=recipe, best=None, step=1)
    improves = _improves(upwards)
    assert not remember_best(trainer, {"m": odd}, improves)
    assert trainer.best is None
    trainer.best = (1, odd)  # saved by an earlier version
    trainer.step = 2
    assert remember_best(trainer, {"m": 5.0}, improves)
    assert not remember_best(trainer, {"m": odd}, improves)
    trainer.step = 3
    assert remember_best(trainer, {"m": 6.0 if upwards else 4.0}, improves)
    assert trainer.best[0] == 3


def study_column(values: Mapping[str, list[float]]) -> Any:
    """The column psnr of a study whose variants have these values, one for each seed."""
    study = Study.model_validate(
        {
            "name": "s",
            "recipe": "r.toml",
            "metrics": ("psnr",),
            "variants": tuple({"name": name} for name in values),
        }
    )
    runs = {
        name: {
            seed: Record(Path(f"{name}-{seed}.json"), {"evaluation": evaluation(value)})
            for seed, value in enumerate(each)
        }
        for name, each in values.items()
    }
    (column,) = columns_of(study, runs, ["psnr"])
    return column


def evaluation(value: float) -> dict[str, Any]:
    words = {"inf": "∞", "nan": "NaN"}.get(str(value))
    about = {"value": None, "not_finite": words} if words else {"value": value}
    return {"details": {"psnr": about}}


def test_a_study_s_table_shows_what_is_not_finite_and_names_no_best() -> None:
    column = study_column({"a": [20.0, 22.0], "b": [math.inf, 21.0], "c": [math.nan, 1.0]})
    assert [column.shown(column.cells[name].mean) for name in "abc"] == ["21.00", "∞", "NaN"]
    assert [column.cells[name].best for name in "abc"] == [False, False, False]
    assert column.cells["b"].spread is None
    strict(json_text([column.cells[name].to_json() for name in "abc"]))
    finite = study_column({"a": [20.0], "b": [21.0]})
    assert [finite.cells[name].best for name in "ab"] == [False, True]


def test_curves_have_a_gap_for_what_is_not_finite() -> None:
    lines = [{"step": i, "validation": {"psnr": None if i == 2 else float(i)}} for i in range(5)]
    (svg,) = curves(lines)
    assert "<svg" in svg
