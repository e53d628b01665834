#!/usr/bin/env python3
"""How far the intervals and verdicts of `cargo bench` can be trusted.

Runs the same build again and again, so that nothing changes but the machine:

- intervals: one cell, RUNS times. Counts the pairs of runs whose 99 % intervals
  do not overlap.
- verdicts: all cells, once as the baseline and RUNS times against it. Counts the
  cells that criterion calls improved or regressed.

Needs: cargo, and a quiet machine. Writes a Markdown table to standard output.
"""

import argparse
import itertools
import json
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
VERDICTS = ("Performance has improved", "Performance has regressed")


def bench(arguments, settings):
    command = ["cargo", "bench", "--locked", "-p", "fanout", "--bench", "strategies", "--"]
    ran = subprocess.run(command + arguments, cwd=ROOT, env={**os.environ, **settings},
                         capture_output=True, text=True, timeout=3600)
    if ran.returncode != 0:
        sys.exit(f"error: {' '.join(command + arguments)} failed:\n{ran.stderr[-2000:]}")
    return ran.stdout


def target_directory():
    found = subprocess.run(["cargo", "metadata", "--format-version=1", "--no-deps", "--locked"],
                           cwd=ROOT, capture_output=True, text=True, check=True)
    return pathlib.Path(json.loads(found.stdout)["target_directory"])


def interval(cell):
    estimates = target_directory() / "criterion" / "batch" / cell / "new" / "estimates.json"
    mean = json.loads(estimates.read_text())["mean"]["confidence_interval"]
    return mean["lower_bound"] * 1e-9, mean["upper_bound"] * 1e-9


def disjoint(intervals):
    pairs = itertools.combinations(intervals, 2)
    return sum(a[1] < b[0] or b[1] < a[0] for a, b in pairs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cells", default="thread-pool/20,tokio/20,multiprocess/20",
                        help="cells for the intervals (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=10, help="runs (default: %(default)s)")
    parser.add_argument("--workers", default="10,20,50,100",
                        help="worker counts for the verdicts (default: %(default)s)")
    options = parser.parse_args()
    pairs = options.runs * (options.runs - 1) // 2

    print("| cell | runs | time | pairs with disjoint intervals |\n|---|--:|--:|--:|", flush=True)
    for cell in options.cells.split(","):
        begun, found = time.monotonic(), []
        for _ in range(options.runs):
            bench([f"batch/{cell}", "--exact"], {"FANOUT_WORKERS": cell.split("/")[1]})
            found.append(interval(cell))
        print(f"| {cell} | {options.runs} | {time.monotonic() - begun:.0f} s "
              f"| {disjoint(found)} of {pairs} |", flush=True)

    settings = {"FANOUT_WORKERS": options.workers}
    bench(["--save-baseline", "same"], settings)
    print("\n| run | cells | improved | regressed |\n|--:|--:|--:|--:|", flush=True)
    for run in range(options.runs):
        out = bench(["--baseline", "same"], settings)
        cells = out.count("time:   [")
        print(f"| {run + 1} | {cells} | {out.count(VERDICTS[0])} | {out.count(VERDICTS[1])} |", flush=True)


if __name__ == "__main__":
    main()
