#!/usr/bin/env python3
"""How much the recommendation of a default sweep loses to an exhaustive search.

For each profile: a default sweep, whose recommendation is taken, then an exhaustive
search (every strategy, worker counts up to 128). Its regret is how much longer
the recommended cell takes, as the exhaustive search measured it, than the fastest
cell there without more failures; its distance, how many worker counts of the
search lie between the recommended one and the smallest that is within 5 %.

Needs: python3 (standard library only) and a release build of fanout. Everything
stays on 127.0.0.1. Run it on a machine that does nothing else:

    cargo build --release --locked
    python3 scripts/regret.py                      every preset of the bundled server
    python3 scripts/regret.py steady contended     some of them
    python3 scripts/regret.py my-profile.toml      a profile of one's own

Worker counts are thinned where that loses nothing or little: up to 16 every one,
then every second up to 32, every fourth up to 64, every eighth up to 128, and
always each count that saves a round of the batch (the left edges of ceil(N / w)),
both its neighbours, and the recommended one; --every takes every count from 1 to
128. The long service times of some presets are scaled down (see SCALED), which
shortens the study and makes it harder: the client's own time then weighs more.

Lines of other profiles that are in regret.csv already stay there.
"""

import argparse
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

TOLERANCE = 0.05
MOST = 128

# Settings that make a preset shorter without changing what it teaches.
SCALED = {
    "steady": ["service_time.time=50ms"],
    "jittery": ["service_time.mean=50ms", "service_time.sd=10ms"],
    "exponential": ["service_time.mean=50ms"],
    "long-tail": ["service_time.p50=6ms", "service_time.p99=120ms"],
    "heavy-tail": ["service_time.min=5ms"],
    "saturating": ["service_time.mean=25ms"],
    "overloaded": ["service_time.time=50ms"],
}

COLUMNS = [
    "profile", "recommended", "workers", "measured_s", "failed", "best", "best_s",
    "best_failed", "regret", "smallest", "distance", "constraint", "searched", "cells",
    "sweep_s", "exhaustive_s", "shortened", "revision",
]


def counts(requests, every):
    """The worker counts of the exhaustive search."""
    everyone = range(1, MOST + 1)
    if every:
        return list(everyone)
    chosen = {w for w in everyone
              if w <= 16 or (w <= 32 and w % 2 == 0) or (w <= 64 and w % 4 == 0) or w % 8 == 0}
    for w in everyone:
        if w > 1 and -(-requests // w) < -(-requests // (w - 1)):
            chosen.update({w - 1, w, w + 1})
    return sorted(w for w in chosen if w <= MOST)


def compare(program, profile, options, out, limit):
    """Runs `fanout compare`; its summary and how long it took."""
    command = [program, "compare", "--for", "repeated", "--format", "json", "--out", out, *options]
    command += ["--profile", profile]
    for setting in SCALED.get(profile, []):
        command += ["--set", setting]
    begun = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    took = time.monotonic() - begun
    # Whatever it ended with: with faults, cells may fail.
    if not done.stdout.strip():
        sys.exit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout), took


def key(row):
    """What tells a cell from others."""
    return (row["strategy"], row["client"], row["workers_usable"])


def failures(row):
    """How bad a cell's failures are."""
    return (row["errors"], row["figures"]["failed"])


def name(row):
    return f"{row['strategy']}+{row['client']} w={row['workers_usable']}"


def judge(profile, sweep, exhaustive, took):
    """One line of the result."""
    advice = sweep["recommendation"]
    measured = [row for row in exhaustive["rows"] if row["figures"] and row["figures"]["ok"]]
    line = {"profile": profile, "cells": len(sweep["rows"]),
            "sweep_s": round(took[0], 1), "exhaustive_s": round(took[1], 1)}
    if advice is None or not measured:
        line["recommended"] = "none" if advice is None else "nothing measured"
        return line
    row = sweep["rows"][advice["row"]]
    same = {key(other): other for other in measured}
    # What failed altogether in the search has the sweep's own figures.
    again = same.get(key(row), row)
    fewest = min(map(failures, measured))
    whole = [other for other in measured if failures(other) == fewest]
    runtime = lambda other: other["figures"]["warm_s"]
    best = min(whole, key=runtime)
    limit = runtime(best) * (1 + TOLERANCE)
    smallest = min(other["workers_usable"] for other in whole if runtime(other) <= limit)
    steps = sorted({other["workers_usable"] for other in measured} | {row["workers_usable"]})
    line.update(
        recommended=name(row), workers=row["workers_usable"],
        measured_s=round(runtime(again), 6), failed=again["figures"]["failed"],
        best=name(best), best_s=round(runtime(best), 6), best_failed=best["figures"]["failed"],
        regret=round(runtime(again) / runtime(best) - 1, 4), smallest=smallest,
        distance=steps.index(row["workers_usable"]) - steps.index(smallest),
        constraint=advice["constraint"],
    )
    return line


def holds(line):
    """Whether a recommendation is as good as it should be."""
    if line.get("regret") in (None, ""):
        return False
    # Those that were kept are read as text.
    number = lambda name: float(line[name])
    return (number("regret") <= TOLERANCE and abs(number("distance")) <= 1
            and number("failed") <= number("best_failed"))


def age(line):
    """Which build a line is of, and whether by the settings above."""
    now = ", ".join(SCALED.get(line["profile"], []))
    other = "" if line["shortened"] == now else f", with {line['shortened']}"
    return f"{line.get('revision') or 'earlier'}{other}"


def kept(folder):
    """The lines of an earlier study, by profile."""
    try:
        with open(folder / "regret.csv", newline="", encoding="utf-8") as file:
            return {line["profile"]: line for line in csv.DictReader(file)}
    except FileNotFoundError:
        return {}


def report(folder, lines):
    """Writes regret.csv and summary.md."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "regret.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(lines)
    text = ["# Regret of the recommendation", "",
            f"By `python3 scripts/regret.py`, {os.cpu_count()} cores.", "",
            "Regret: the recommended cell's runtime over the fastest cell's of an exhaustive "
            "search, both as that search measured them. Distance: in worker counts of the "
            "search, from the smallest within 5 %.", "",
            "| profile | recommended | best | regret | smallest w | distance | constraint "
            "| searched | build | |",
            "|---|---|---|--:|--:|--:|---|---|---|---|"]
    for line in lines:
        regret = f"{float(line['regret']):.1%}" if line.get("regret") not in (None, "") else "–"
        text.append(
            f"| {line['profile']} | {line['recommended']} | {line.get('best') or '–'} | {regret} "
            f"| {line.get('smallest', '–')} | {line.get('distance', '–')} "
            f"| {line.get('constraint', '–')} | {line.get('searched', '–')} | {age(line)} "
            f"| {'✓' if holds(line) else '✗'} |")
    shortened = [f"{line['profile']}: {line['shortened']}" for line in lines if line.get("shortened")]
    if shortened:
        text += ["", f"Shortened: {'; '.join(shortened)}."]
    held = sum(map(holds, lines))
    text += ["", f"{held} of {len(lines)} profiles: regret at most 5 %, no more failures, the "
                 "smallest worker count or its neighbour."]
    (folder / "summary.md").write_text("\n".join(text) + "\n", encoding="utf-8")


def presets(program):
    """The names of the bundled server's presets."""
    listed = subprocess.run([program, "serve", "--list-profiles"], capture_output=True,
                            text=True, check=True).stdout
    return [line.split()[0] for line in listed.splitlines() if line and not line[0].isspace()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("profiles", nargs="*", help="presets or TOML files [default: all presets]")
    parser.add_argument("--program", default="target/release/fanout")
    parser.add_argument("--out", default="results/regret", type=pathlib.Path)
    parser.add_argument("--requests", default=100, type=int)
    parser.add_argument("--samples", default=3, type=int, help="samples a cell, in both (the sweep takes more of the best)")
    parser.add_argument("--strategies", help="comma-separated [default: all]")
    parser.add_argument("--timeout", help="longest that a request may take [default: fanout's own]")
    parser.add_argument("--every", action="store_true", help="every worker count from 1 to 128")
    parser.add_argument("--limit", default=3600, type=int,
                        help="seconds that one search or sweep may take")
    options = parser.parse_args()
    common = ["--requests", str(options.requests), "--samples", str(options.samples)]
    if options.strategies:
        common += ["--strategies", options.strategies]
    if options.timeout:
        common += ["--timeout", options.timeout]
    searched = counts(options.requests, options.every)
    lines = kept(options.out)
    taken = []
    for profile in options.profiles or presets(options.program):
        with tempfile.TemporaryDirectory() as out:
            sweep, quick = compare(options.program, profile, common, out, options.limit)
            workers = set(searched)
            if sweep["recommendation"]:
                workers.add(sweep["rows"][sweep["recommendation"]["row"]]["workers_usable"])
            workers = ",".join(map(str, sorted(workers)))
            search, slow = compare(options.program, profile,
                                   [*common, "--workers", workers], out, options.limit)
        line = judge(profile, sweep, search, (quick, slow))
        strategies = options.strategies.replace(",", ", ") if options.strategies else "all strategies"
        line["searched"] = (f"{strategies}; {'every count' if options.every else f'{len(searched)} counts'}; "
                            f"{options.samples} samples")
        line["shortened"] = ", ".join(SCALED.get(profile, []))
        line["revision"] = sweep["receipt"]["revision"]
        lines[profile] = line
        taken.append(line)
        report(options.out, list(lines.values()))
        print(line, flush=True)
    return 0 if all(map(holds, taken)) else 1


if __name__ == "__main__":
    sys.exit(main())
