"""`python -m benchmarks SUBJECT [--json]`."""

import argparse
import json
import sys

from benchmarks import train_step


def main() -> None:
    """Measure a subject against its peer, in turn, in this process, and print the ratio."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=main.__doc__)
    parser.add_argument("subject", choices=["train-step"])
    parser.add_argument("--rounds", type=int, default=12, help="pairs of measurements  [12]")
    parser.add_argument("--size", type=int, default=256, help="side of the images  [256]")
    parser.add_argument("--batch", type=int, default=1, help="images in a step  [1]")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    result = train_step.measure(given.rounds, given.size, given.batch)
    if given.json:
        json.dump(result, sys.stdout, indent=2)
        print()
        return
    ratio = result["ratio"]
    print(f"{result['what']}, {given.rounds} rounds in turn")
    print(f"  plain loop   {result['peer']['median']:.3f} s a step")
    print(f"  i2i          {result['ours']['median']:.3f} s a step")
    print(f"  i2i / plain  {ratio['median']:.3f}   (from {ratio['min']:.3f} to {ratio['max']:.3f})")
    print(f"  waiting for data: {100 * result['waiting']:.2f}% of i2i's time")


main()
