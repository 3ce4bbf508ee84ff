"""`python -m benchmarks SUBJECT`."""

import argparse
import json
import os
from pathlib import Path
from typing import Any, Protocol

from benchmarks import data, epoch, fid, memory, startup, train_step, translate
from benchmarks.options import Options
from i2i.system.environment import machine, versions

FACADES = Path(__file__).parents[2] / "shared" / "facades"


class Subject(Protocol):
    """A subject that can be measured; each is a module."""

    def measure(self, options: Options) -> dict[str, Any]:
        """Measure i2i and its peers in turn.

        Returns:
            `what` was measured, and either `results`, a list of results, or `ours`, `peer` and
            their `ratio` (above 1 if i2i is better), each as the median, smallest and largest value
            of the rounds.
        """
        ...

    def lines(self, result: dict[str, Any]) -> list[str]:
        """The result as lines of text."""
        ...


SUBJECTS: dict[str, Subject] = {
    "train-step": train_step,
    "epoch": epoch,
    "translate": translate,
    "data": data,
    "fid": fid,
    "startup": startup,
    "memory": memory,
}


def main() -> None:
    """Measure a subject against its peers, in turn, and print ratios."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("subject", choices=SUBJECTS)
    parser.add_argument("--peer", type=Path, help="a clone of pytorch-CycleGAN-and-pix2pix")
    parser.add_argument(
        "--data", type=Path, default=FACADES, help="the facades  [../shared/facades]"
    )
    parser.add_argument("--rounds", type=int, help="measurements of each  [depends on the subject]")
    parser.add_argument("--size", type=int, help="train-step: only images of this size")
    parser.add_argument("--batch", type=int, help="train-step, memory: only batches of this size")
    parser.add_argument(
        "--method",
        choices=("pix2pix", "cyclegan"),
        default="pix2pix",
        help="train-step: the method; cyclegan needs plugins/i2i-cyclegan and --peer",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = vars(parser.parse_args())
    subject, as_json = SUBJECTS[given.pop("subject")], given.pop("json")
    load = os.getloadavg()[0]  # with more than a small load, the numbers are useless
    result = subject.measure(Options(**given))
    if as_json:
        about = {"machine": machine(), "versions": versions(), "load_before": load}
        print(json.dumps(result | about, indent=2))
    else:
        print("\n".join(subject.lines(result)))


if __name__ == "__main__":
    main()
