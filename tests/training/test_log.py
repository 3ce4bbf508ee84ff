"""`metrics.jsonl` of a run that goes on."""

import json
from pathlib import Path
from typing import NoReturn

import pytest

from i2i.training.log import MetricsLog


def written(path: Path) -> list[int]:
    return [json.loads(line)["step"] for line in path.read_text().splitlines()]


def test_lines_after_the_step_that_is_gone_on_from_are_dropped(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    with MetricsLog(path, 2) as log:
        log.write(3)
    assert written(path) == [1, 2, 3]


def test_a_process_that_ends_while_the_log_is_rewritten_loses_no_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n')

    def ends(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    for stage in ("write_bytes", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, stage, ends)
            with pytest.raises(KeyboardInterrupt):
                MetricsLog(path, 1)
        assert written(path) == [1, 2]
        assert list(tmp_path.iterdir()) == [path]
