#!/usr/bin/env python3
"""Whether samples that run side by side measure what serial ones do.

Runs the same sweep serially and side by side in turn, one sample of each cell
at a time, and compares the medians of each cell's warm runtimes. Needs: python3
(3.9 or newer) and a release build (cargo build --release). The machine should
do nothing else. Everything runs on 127.0.0.1. With the defaults it takes about
35 minutes, of which 27 are the serial halves.

    python3 scripts/overlap.py                         writes results/overlap/
    python3 scripts/overlap.py --rounds 2 --delay 20ms --workers 1,2 --out DIR
    python3 scripts/overlap.py --awake       with processors that never sleep: what of
                                             the difference is their waking (needs chrt
                                             and taskset, of util-linux)
"""

import argparse
import csv
import json
import math
import os
import pathlib
import random
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
AGREEMENT = 0.001
CONFIDENCE = 0.95
# What fanout marks as spoilt: see METHODOLOGY.md.
OTHERS, STEAL, TICK = 0.05, 0.01, 0.01


def main():
    options = arguments()
    out = options.out
    out.mkdir(parents=True, exist_ok=True)
    order = random.Random(options.seed)
    samples, session, begun = [], None, time.monotonic()
    keepers = keep_awake() if options.awake else []
    seconds = {"serial": [], "side by side": []}
    for number in range(options.rounds):
        halves = ["serial", "side by side"]
        # Which comes first is drawn, so that drift favours neither.
        order.shuffle(halves)
        for half in halves:
            before = time.monotonic()
            session, taken = measure(options, half, number)
            seconds[half].append(time.monotonic() - before)
            samples += taken
            say(f"round {number + 1}/{options.rounds}, {half}: {seconds[half][-1]:.1f} s")
    for keeper in keepers:
        keeper.kill()
        keeper.wait()
    write_samples(out / "samples.csv", samples)
    text = summary(options, session, samples, seconds, time.monotonic() - begun)
    (out / "summary.md").write_text(text)
    say(f"wrote summary.md and samples.csv in {out}")
    return 0


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--fanout", type=pathlib.Path, default=ROOT / "target/release/fanout")
    parser.add_argument("--rounds", type=int, default=7, help="samples of each cell and kind")
    parser.add_argument("--workers", default="1,2,3,5,10")
    parser.add_argument("--strategies", default="", help="all unless named")
    parser.add_argument("--delay", default="200ms")
    parser.add_argument("--requests", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1, help="of the order of everything")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "results/overlap")
    parser.add_argument("--awake", action="store_true", help="keep the processors from sleeping")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds: expected at least 1")
    if not options.fanout.exists():
        parser.error(f"{options.fanout} is not there: cargo build --release, or name it by --fanout")
    return options


def keep_awake():
    """A busy loop on each processor that gives way to everything else."""
    loop = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
    return [
        subprocess.Popen(["chrt", "-i", "0", "taskset", "-c", str(cpu), sys.executable, "-c", loop])
        for cpu in sorted(os.sched_getaffinity(0))
    ]


def measure(options, half, number):
    """One sample of every cell: the session, and a row a sample."""
    with tempfile.TemporaryDirectory() as directory:
        command = [
            options.fanout, "compare", "--samples=1", f"--workers={options.workers}",
            f"--delay={options.delay}", f"--requests={options.requests}",
            f"--order-seed={1000 * options.seed + number}", f"--out={directory}",
        ]
        command += [f"--strategies={options.strategies}"] if options.strategies else []
        command += ["--serial"] if half == "serial" else []
        ran = subprocess.run(command, capture_output=True, text=True)
        if ran.returncode != 0:
            sys.exit(f"fanout failed ({ran.returncode}):\n{ran.stderr}")
        lines = (pathlib.Path(directory) / "record.jsonl").read_text().splitlines()
    lines = [json.loads(line) for line in lines]
    session = lines[0]["session"]
    rows = []
    for line in lines:
        if "sample" not in line:
            continue
        sample = line["sample"]
        cell, taken = sample["cell"], sample["taken"]
        result = sample["result"].get("measured")
        if result is None or result["failures"]:
            sys.exit(f"a sample failed: {cell}: {sample['result']}")
        rows.append({
            "round": number,
            "kind": half,
            "strategy": cell["strategy"],
            "client": cell["client"],
            "workers": cell["workers_usable"],
            "warm_s": result["warm_s"],
            "cold_s": result["cold_s"],
            "cpu_s": result["cpu_s"],
            "beside": taken["beside"],
            "spoilt": int(is_spoilt(taken)),
        })
    return session, rows


def is_spoilt(taken):
    machine, wall = taken["machine"], taken["wall_s"]
    if machine is None:
        return False
    others = (machine["others_s"] - TICK) / (wall * machine["cores"])
    return others > OTHERS or (machine["steal_s"] - TICK) / wall > STEAL


def write_samples(path, samples):
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(samples[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(samples)


def median_interval(values):
    """Order statistics that enclose the median with CONFIDENCE; None if too few."""
    values, n = sorted(values), len(values)
    below, rank = 0.0, 0
    while 2 * rank < n:
        below += math.comb(n, rank) / 2**n
        if 1 - 2 * below < CONFIDENCE:
            break
        rank += 1
    return (values[rank - 1], values[n - rank]) if rank else None


def cells_of(samples):
    """By cell: the warm runtimes of each kind, round by round, and what else is shown."""
    cells = {}
    for sample in samples:
        key = (sample["workers"], sample["strategy"], sample["client"])
        cell = cells.setdefault(key, {"serial": {}, "side by side": {}, "beside": 0, "spoilt": 0})
        cell[sample["kind"]][sample["round"]] = sample["warm_s"]
        cell["beside"] = max(cell["beside"], sample["beside"])
        cell["spoilt"] += sample["spoilt"]
    return dict(sorted(cells.items()))


def summary(options, session, samples, seconds, took):
    cells = cells_of(samples)
    shared = {key: cell for key, cell in cells.items() if cell["beside"] > 0}
    lines = ["# Serial samples and samples side by side", ""]
    lines += [
        f"{options.requests} requests of {options.delay}, {options.rounds} samples of each kind and cell, "
        f"taken in turn; {len(shared)} of {len(cells)} cells ran beside others. One sample of each cell "
        f"takes {statistics.median(seconds['serial']):.0f} s serially and "
        f"{statistics.median(seconds['side by side']):.0f} s side by side.",
        "",
        *(["Busy loops of idle priority kept the processors awake, and mark every sample as spoilt.", ""]
          if options.awake else []),
        verdict(shared),
        "",
        "| workers | cells | difference of the medians, median over cells | least … most "
        "| paired differences: median | 95 % interval | within 0.1 % |",
        "|--:|--:|--:|--:|--:|--:|---|",
    ]
    for workers in sorted({key[0] for key in shared}):
        group = [cell for key, cell in shared.items() if key[0] == workers]
        between = [difference(cell) for cell in group]
        pairs = [pair for cell in group for pair in paired(cell)]
        interval = median_interval(pairs)
        shown = f"{percent(interval[0])} … {percent(interval[1])}" if interval else "too few"
        agrees = sum(abs(value) <= AGREEMENT for value in between)
        lines.append(
            f"| {workers} | {len(group)} | {percent(statistics.median(between))} "
            f"| {percent(min(between))} … {percent(max(between))} "
            f"| {percent(statistics.median(pairs))} | {shown} | {agrees} of {len(group)} |"
        )
    lines += [
        "", "## Every cell", "",
        "| strategy | workers | serial: median | least … most | side by side: median | least … most "
        "| difference | most beside | spoilt samples |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for (workers, strategy, client), cell in cells.items():
        fields = [f"{strategy} + {client}", str(workers)]
        for kind in ("serial", "side by side"):
            values = list(cell[kind].values())
            fields += [f"{statistics.median(values):.4f} s", f"{min(values):.4f} … {max(values):.4f}"]
        fields += [percent(difference(cell)), str(cell["beside"]), str(cell["spoilt"])]
        lines.append(f"| {' | '.join(fields)} |")
    receipt = session["receipt"]
    spoilt = sum(sample["spoilt"] for sample in samples)
    lines += [
        "",
        f"{spoilt} of {len(samples)} samples are marked as spoilt by the machine; none is left out. Cells "
        "with 0 beside them ran alone both times: their difference is what chance makes.",
        "",
        f"Measured {session['started_at']}, {took / 60:.0f} minutes in all: {receipt['cpu']}, "
        f"{receipt['cores']} cores, {receipt['os']}, kernel {receipt['kernel']}; fanout "
        f"{receipt['fanout']}, revision {receipt['revision']}, {receipt['profile']} build.",
    ]
    return "\n".join(lines) + "\n"


def verdict(shared):
    if not shared:
        return "**No cell ran beside others, so there is nothing to compare.**"
    apart = {key: difference(cell) for key, cell in shared.items()}
    far = {key: value for key, value in apart.items() if abs(value) > AGREEMENT}
    if not far:
        most = max(apart.values(), key=abs)
        return f"**All medians agree within 0.1 %: the largest difference is {percent(most)}.**"
    worst = max(far, key=lambda key: abs(far[key]))
    return (
        f"**{len(far)} of {len(apart)} medians differ by more than 0.1 %: at worst {percent(far[worst])} "
        f"({worst[1]}, w={worst[0]}).**"
    )


def difference(cell):
    return statistics.median(cell["side by side"].values()) / statistics.median(cell["serial"].values()) - 1


def paired(cell):
    rounds = cell["serial"].keys() & cell["side by side"].keys()
    return [cell["side by side"][number] / cell["serial"][number] - 1 for number in rounds]


def percent(fraction):
    return f"{100 * fraction:+.3f} %"


def say(text):
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
