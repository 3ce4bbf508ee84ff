"""`python -m benchmarks SUBJECT`."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import fid, train_step

FACADES = Path(__file__).parents[2] / "shared" / "facades"

SUBJECTS: dict[str, tuple[Callable[[Any], dict[str, Any]], Callable[[dict[str, Any]], list[str]]]]
SUBJECTS = {
    "train-step": (lambda g: train_step.measure(g.rounds, g.size, g.batch), train_step.lines),
    "fid": (lambda g: fid.measure(g.rounds, g.data), fid.lines),
}


def main() -> None:
    """Measure a subject against its peers, in turn, and print ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--rounds", type=int, default=5, help="measurements of each  [5]")
    parser.add_argument("--size", type=int, default=256, help="train-step: images' side  [256]")
    parser.add_argument("--batch", type=int, default=1, help="train-step: images in a step  [1]")
    parser.add_argument(
        "--data", type=Path, default=FACADES, help="fid: the facades  [../shared/facades]"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    measure, lines = SUBJECTS[given.subject]
    result = measure(given)
    print(json.dumps(result, indent=2) if given.json else "\n".join(lines(result)))


main()
