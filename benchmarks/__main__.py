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
    """What can be measured: one module each."""

    def measure(self, options: Options) -> dict[str, Any]:
        """Measure i2i and its peers in turn.

        Returns:
            `what` was measured; `ours`, `peer` and their `ratio`, above 1 where i2i is better, each
            the median, smallest and largest of the rounds; or `results`, a list of such.
        """
        ...

    def lines(self, result: dict[str, Any]) -> list[str]:
        """What was measured, for people."""
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
    parser.add_argument("--rounds", type=int, help="measurements of each  [the subject's own]")
    parser.add_argument("--size", type=int, help="train-step: only images of this side")
    parser.add_argument("--batch", type=int, help="train-step, memory: only batches of so many")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = vars(parser.parse_args())
    subject, as_json = SUBJECTS[given.pop("subject")], given.pop("json")
    load = os.getloadavg()[0]  # more than a little of it, and the numbers mean nothing
    result = subject.measure(Options(**given))
    if as_json:
        about = {"machine": machine(), "versions": versions(), "load_before": load}
        print(json.dumps(result | about, indent=2))
    else:
        print("\n".join(subject.lines(result)))


if __name__ == "__main__":
    main()
