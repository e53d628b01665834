#!/usr/bin/env python3
"""Writes the tables of README.md and METHODOLOGY.md from the files in results/.

A table stands between two comments, `<!-- begin NAME -->` and `<!-- end NAME -->`.
This script replaces what is between them, so that no figure is copied by hand:

    python3 scripts/splice.py            writes the tables
    python3 scripts/splice.py --check    exit code 1 where one differs from results/

Needs: python3 (standard library only).
"""

import argparse
import csv
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "results" / "reference" / "summary.csv"
DOCUMENTS = ("README.md", "METHODOLOGY.md")

sys.path.insert(0, str(ROOT / "scripts"))
import regret  # noqa: E402


def rows(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def seconds(text):
    """A time as people read it, to four digits."""
    value = float(text)
    return f"{value:.4g} s" if value >= 0.4 else f"{1000 * value:.4g} ms"


def table(head, lines):
    """A Markdown table; the first column is text, the others are figures."""
    rule = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in [head, rule, *lines])


def lines_of(cells):
    """Strategy with client, in the order of the first appearance in the catalogue."""
    order = ["sequential", "thread-pool", "rayon", "tokio", "async-std", "smol", "multiprocess"]
    found = {(row["strategy"], row["client"]) for row in cells}
    place = lambda line: (order.index(line[0]) if line[0] in order else len(order), line)
    return sorted(found, key=place)


def names(lines):
    """Names of lines: the client only where a strategy has several."""
    count = lambda strategy: sum(line[0] == strategy for line in lines)
    return {line: line[0] if count(line[0]) == 1 else f"{line[0]} + {line[1]}" for line in lines}


def runtime():
    """Warm runtime and gap: worker counts down, strategies across."""
    cells = rows(REFERENCE)
    lines = lines_of(cells)
    at = {(row["strategy"], row["client"], int(row["workers_usable"])): row for row in cells}
    named = names(lines)

    def field(line, workers):
        row = at.get((*line, workers))
        return f"{seconds(row['warm_s'])} (+{100 * float(row['gap']):.1f} %)" if row else ""

    counts = sorted({workers for _, _, workers in at})
    bound = {workers: next(row["bound_s"] for key, row in at.items() if key[2] == workers)
             for workers in counts}
    # An older table has no such column, and an older record does not tell.
    beside = {workers: any(int(row.get("beside") or 0) > 0
                           for key, row in at.items() if key[2] == workers) for workers in counts}
    mark = lambda workers: f"{workers} ∥" if beside[workers] else str(workers)
    return table(["workers", "lower bound", *(named[line] for line in lines)],
                 [[mark(workers), seconds(bound[workers]), *(field(line, workers) for line in lines)]
                  for workers in counts])


def overview():
    """Lower bound, fastest and slowest strategy at a few worker counts."""
    cells = [row for row in rows(REFERENCE) if row["strategy"] != "sequential"]
    named = names(lines_of(cells))

    def line(workers):
        there = [row for row in cells if int(row["workers_usable"]) == workers]
        ends = [find(there, key=lambda row: float(row["warm_s"])) for find in (min, max)]
        fields = [f"{named[row['strategy'], row['client']]}, {seconds(row['warm_s'])} "
                  f"(+{100 * float(row['gap']):.1f} %)" for row in ends]
        return [str(workers), seconds(there[0]["bound_s"]), *fields]

    return table(["workers", "lower bound", "fastest strategy", "slowest strategy"],
                 [line(workers) for workers in (1, 5, 20, 50, 100)])


def resources():
    """CPU time and memory with the most workers."""
    cells = [row for row in rows(REFERENCE) if row["strategy"] != "sequential"]
    most = max(int(row["workers_usable"]) for row in cells)
    there = {(row["strategy"], row["client"]): row
             for row in cells if int(row["workers_usable"]) == most}
    lines = lines_of(there.values())

    def line(key):
        row = there[key]
        run = 1e6 * float(row["run_cpu_s"]) / int(row["requests"])
        return [f"{key[0]} + {key[1]}", f"{run:.0f} µs", f"{1000 * float(row['build_cpu_s']):.1f} ms",
                f"{float(row['peak_rss_bytes']) / 2 ** 20:.0f} MiB"]

    return table([f"{most} workers", "CPU per request", "CPU to build", "peak memory"],
                 [line(key) for key in lines])


def gaps():
    """Warm gaps, and the cold runtime over the bound."""
    cells = [row for row in rows(REFERENCE) if row["strategy"] != "sequential"]
    at = {(row["strategy"], row["client"], int(row["workers_usable"])): row for row in cells}
    lines = lines_of(cells)
    named = names(lines)
    warm = lambda row: f"{100 * float(row['gap']):.2f} %"
    cold = lambda row: f"{100 * (float(row['cold_s']) / float(row['bound_s']) - 1):.2f} %"
    wanted = [(warm, 3), (warm, 20), (warm, 50), (warm, 100), (cold, 3), (cold, 20)]
    body = [[named[line], *(figure(at[(*line, workers)]) for figure, workers in wanted)]
            for line in lines]
    target = ["target", "≤ 0.2 %", "≤ 0.2 %", "≤ 1.5 %", "≤ 1.5 %", "≤ 1 % (multiprocess)",
              "≤ 5 % (multiprocess)"]
    return table(["", "gap, w = 3", "w = 20", "w = 50", "w = 100", "cold over the bound, w = 3",
                  "w = 20"], [*body, target])


def split():
    """Parts of the gap of thread-pool + ureq with the most workers, the largest first."""
    cells = [row for row in rows(REFERENCE)
             if (row["strategy"], row["client"]) == ("thread-pool", "ureq")]
    row = max(cells, key=lambda row: int(row["workers_usable"]))
    parts = {key[4:-2]: 1000 * float(row[key]) for key in row
             if re.fullmatch(r"gap_[a-z_]+_s", key) and row[key] and key != "gap_building_s"}
    shown = sorted(((part, ms) for part, ms in parts.items() if ms >= 0.005),
                   key=lambda part: -part[1])
    gap = 1000 * (float(row["warm_s"]) - float(row["bound_s"]))
    return table(["part", "time"], [*([f"`{part.replace('_', '-')}`", f"{ms:.2f} ms"]
                                      for part, ms in shown), ["gap", f"{gap:.2f} ms"]])


def lateness():
    """Mean lateness of the server per request, the least and the most over strategies."""
    cells = [row for row in rows(REFERENCE) if row["gap_server_s"]]
    counts = sorted({int(row["workers_usable"]) for row in cells})

    def line(workers):
        late = [1000 * float(row["gap_server_s"]) * workers / int(row["requests"])
                for row in cells if int(row["workers_usable"]) == workers]
        return [str(workers), f"{min(late):.2f} to {max(late):.2f} ms"]

    return table(["workers", "lateness"], [line(workers) for workers in counts])


def searched(folder):
    """The recommendation against an exhaustive search."""
    found = rows(folder / "regret.csv")
    return table(["profile", "recommended", "fastest found", "regret", "smallest count within 5 %",
                  "searched", "build"],
                 [[row["profile"], row["recommended"], row["best"],
                   f"{100 * float(row['regret']):.1f} %", row["smallest"], row["searched"],
                   regret.age(row)] for row in found])


TABLES = {
    "reference-overview": overview,
    "reference-runtime": runtime,
    "reference-resources": resources,
    "reference-gaps": gaps,
    "reference-split": split,
    "reference-lateness": lateness,
    "regret": lambda: searched(ROOT / "results" / "regret"),
    "regret-profiles": lambda: searched(ROOT / "results" / "regret" / "profiles"),
}


def spliced(text):
    """A document with its tables written anew, and their names."""
    used = []

    def replace(match):
        name = match["name"]
        if name not in TABLES:
            sys.exit(f"error: there is no table `{name}`: expected one of {', '.join(TABLES)}")
        used.append(name)
        return f"<!-- begin {name} -->\n{TABLES[name]()}\n<!-- end {name} -->"

    pattern = r"<!-- begin (?P<name>[\w-]+) -->\n.*?<!-- end (?P=name) -->"
    return re.sub(pattern, replace, text, flags=re.DOTALL), used


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 on a difference")
    options = parser.parse_args()
    stale, used = [], []
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new, tables = spliced(text)
        used += tables
        if new != text:
            stale.append(name)
            if not options.check:
                path.write_text(new, encoding="utf-8")
    missing = [name for name in TABLES if name not in used]
    if missing:
        sys.exit(f"error: no document has a place for {', '.join(missing)}")
    if options.check and stale:
        sys.exit(f"error: {', '.join(stale)} differs from results/: run python3 scripts/splice.py")


if __name__ == "__main__":
    main()
