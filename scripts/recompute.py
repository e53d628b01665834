#!/usr/bin/env python3
"""Recomputes summary.csv from record.jsonl, sharing nothing with the program.

Prints every difference and exits with 1 if there is one. With --inject it puts the same
chance of failure into every request of the record, many times over, and counts how often
the worker count that `fanout report` advises changes; more than one in twenty is exit
code 1. Needs `cargo build --release`, or --fanout.

Not recomputed, and said so: bounds and gaps where requests do not all take one stated
time or the server is limited; the split of the gap; `fails_more` where requests failed;
the whole rule of the advice (the advised row must compare and be within 5 % of the least).
"""

import argparse
import collections
import csv
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOLERANCE = 0.05
KEY = ("strategy", "client", "dispatch", "reuse", "runtime_threads", "requests", "profile",
       "processes", "workers", "workers_usable")
# Columns that have another name than the record's field.
COLUMN = {"processes": "processes_chosen"}


def read(directory):
    lines = [json.loads(line) for line in (directory / "record.jsonl").open()]
    return lines[0]["session"], [line["sample"] for line in lines if "sample" in line], lines


def median(values):
    values, middle = sorted(values), len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def low_median(values):
    return sorted(values)[(len(values) - 1) // 2]


def interval(values):
    """The closest pair of order statistics that holds the median with 95 %; least and
    most, and False, where that takes more samples."""
    values, n = sorted(values), len(values)
    best = 0
    for k in range(1, (n + 1) // 2 + 1):
        below = sum(math.comb(n, j) for j in range(k)) / 2**n
        if 1 - 2 * below >= 0.95:
            best = k
    k = best or 1
    return values[k - 1], values[n - k], best > 0


def failed(measured):
    return sum(failure["count"] for failure in measured["failures"])


def timed(measured):
    """The samples whose times count."""
    whole = [m for m in measured if failed(m) == 0]
    nearly = [m for m in measured if failed(m) <= (m["ok"] + failed(m)) // 20]
    return whole or nearly or measured, whole or nearly


def by_status(counts):
    """As the column has it, in the order of kinds and statuses."""
    order = sorted(counts.items(), key=lambda item: (item[0][0], item[0][1] or -1))
    return " ".join(f"{status or kind}:{count}" for (kind, status), count in order)


def plain_bound(session, cell):
    """The bound of equal service times; None where something else may decide."""
    server = session["server"]
    servers = [server, *session.get("others", [])]
    named = [one for one in servers if one.get("profile") == cell.get("profile")]
    server = named[0] if cell.get("profile") and named else server
    conditions = session.get("conditions", {})
    if server["service_s"] is None or server.get("longest_s") is not None or server.get("times"):
        return None
    if any(server.get("limits", {}).values()) or conditions.get("cpu_per_answer_s"):
        return None
    rounds = -(-cell["requests"] // cell["workers_usable"])
    return rounds * server["service_s"]


def figures(session, cell, results):
    measured = [result["measured"] for result in results if "measured" in result]
    row = {"samples": len(measured), "errors": len(results) - len(measured)}
    bound = plain_bound(session, cell)
    if bound is not None:
        row["bound_s"] = bound
    if not measured:
        return row
    times, interval_of = timed(measured)
    warm = [m["warm_s"] for m in times]
    worst = max(measured, key=failed)
    requests = sum(m["ok"] + failed(m) for m in measured)
    row |= {
        "warm_s": median(warm),
        "warm_min_s": min(warm),
        "warm_max_s": max(warm),
        "cold_s": median([m["cold_s"] for m in times]),
        "cpu_s": median([m["cpu_s"] for m in times]),
        "ok": worst["ok"],
        "failed": failed(worst),
        "requests_of_all": requests,
        "failed_of_all": sum(map(failed, measured)),
        "connecting_s": median([m.get("connecting_s", 0.0) for m in measured]),
        "processes": low_median([m["processes"] for m in measured]),
        "connections": low_median([m["connections"] for m in measured]),
        "most_in_flight": low_median([m["most_in_flight"] for m in measured]),
        "retried": low_median([len(m.get("retried", {}).get("index", [])) for m in measured]),
    }
    for name in ("peak_rss_bytes", "threads"):
        row[name] = low_median([m[name] for m in measured]) or ""
    low, high, sure = interval([m["warm_s"] for m in interval_of]) if interval_of else (0, 0, False)
    row |= {"warm_low_s": low if sure else "", "warm_high_s": high if sure else ""}
    if bound is not None:
        has_gap = bound > 0 and failed(worst) == 0
        row["gap"] = row["warm_s"] / bound - 1 if has_gap else ""
    counts = collections.Counter()
    for m in measured:
        for failure in m["failures"]:
            status = failure.get("status")
            if status is None and failure["kind"] == "status":
                code = failure["example"].rpartition(": status ")[2]
                status = int(code) if code.isdigit() else None
            counts[failure["kind"], status] += failure["count"]
    row["failure_statuses"] = by_status(counts)
    return row


def unsound(rows, purpose, advised):
    """Why the advised rows cannot be right, if they cannot: there is one, it compares,
    and the median that decides is within 5 % of the least."""
    judged = "warm_s" if purpose == "repeated" else "cold_s"
    places = [key for key, row in rows.items() if row["_compares"]]
    if not places:
        return [] if not advised else [f"{advised}: recommended, and nothing compares"]
    if len(advised) != 1 or advised[0] not in places:
        return [f"{advised}: expected one recommended row that compares"]
    least = min(rows[key][judged] for key in places)
    if rows[advised[0]][judged] > least * (1 + TOLERANCE):
        return [f"{advised[0]}: recommended, and {judged} is over 1.05 × {least}"]
    return []


def report(fanout, directory, out):
    run = [fanout, "report", directory, "--out", out, "--format", "csv"]
    return subprocess.run(run, check=True, capture_output=True, text=True).stdout


def same(own, text):
    if isinstance(own, float):
        return text != "" and math.isclose(own, float(text), rel_tol=1e-9, abs_tol=2e-9)
    return str(own) == text


def recompute(directory, text):
    """The differences in words, and how many fields were compared."""
    session, samples, _ = read(directory)
    cells = {}
    for sample in samples:
        # Those only estimate what the others chose.
        if sample.get("taken", {}).get("confirms"):
            continue
        cell = sample["cell"]
        key = tuple(cell.get(name) for name in KEY)
        cells.setdefault(key, (cell, []))[1].append(sample["result"])
    own = {key: figures(session, cell, results) for key, (cell, results) in cells.items()}
    shown = {}
    numbers = ("runtime_threads", "requests", "processes", "workers", "workers_usable")
    for line in csv.DictReader(text.splitlines()):
        given = {name: line[COLUMN.get(name, name)] for name in KEY}
        key = tuple((int(given[n]) if n in numbers else given[n]) if given[n] else None for n in KEY)
        shown[key] = line
    told = [f"{key}: not in both" for key in own.keys() ^ shown.keys()]
    compared = 0
    profiles = collections.defaultdict(dict)
    whole = all(not row.get("failed_of_all") and not row["errors"] for row in own.values())
    for key in own.keys() & shown.keys():
        row, line = own[key], shown[key]
        row["_compares"] = row["samples"] > 0 and (whole or line["fails_more"] == "false")
        profiles[key[KEY.index("profile")]][key] = row
        if whole:
            row["fails_more"] = "false"
        for name, value in row.items():
            if not name.startswith("_"):
                compared += 1
                if not same(value, line[name]):
                    told.append(f"{key}: {name} is {line[name]!r}, recomputed {value!r}")
    for rows in profiles.values():
        compared += 1
        advised = [key for key in rows if shown[key]["recommended"] == "true"]
        told += unsound(rows, session.get("purpose"), advised)
    bounds = sum("bound_s" in row for row in own.values())
    print(f"{compared} fields of {len(own)} rows compared, {bounds} of them with their bound")
    return told


def advised(text):
    lines = csv.DictReader(text.splitlines())
    return sorted((one["profile"], int(one["workers"])) for one in lines if one["recommended"] == "true")


def injected(lines, rate, seed):
    """The record's lines with the same chance of failure in every request."""
    chance = random.Random(seed)
    for line in lines:
        line = json.loads(json.dumps(line))
        measured = line.get("sample", {}).get("result", {}).get("measured")
        if measured:
            ok = measured["outcomes"]["ok"]
            after = [one and chance.random() >= rate for one in ok]
            lost = sum(ok) - sum(after)
            measured["outcomes"]["ok"] = after
            measured["ok"] -= lost
            if lost:
                failure = {"kind": "timeout", "count": lost, "example": "GET /: too late"}
                measured["failures"].append(failure)
        yield json.dumps(line) + "\n"


def inject(fanout, directory, rate, seeds):
    _, _, lines = read(directory)
    changed = 0
    with tempfile.TemporaryDirectory() as below:
        below = pathlib.Path(below)
        right = advised(report(fanout, directory, below / "out"))
        for seed in range(seeds):
            (below / "record.jsonl").write_text("".join(injected(lines, rate, seed)))
            found = advised(report(fanout, below, below / "out"))
            if found != right:
                changed += 1
                print(f"seed {seed}: {found} instead of {right}")
    print(f"{changed} of {seeds} reports advise another worker count with {rate:.1%} failures")
    return changed


def rate_of(text):
    return float(text[:-1]) / 100 if text.endswith("%") else float(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path, nargs="?", default=ROOT / "results/reference")
    parser.add_argument("--fanout", type=pathlib.Path, default=ROOT / "target/release/fanout")
    parser.add_argument("--inject", metavar="RATE", type=rate_of, help="as 1%% or 0.01")
    parser.add_argument("--seeds", type=int, default=60)
    arguments = parser.parse_args()
    if arguments.inject is not None:
        changed = inject(arguments.fanout, arguments.directory, arguments.inject, arguments.seeds)
        sys.exit(1 if changed * 20 > arguments.seeds else 0)
    with tempfile.TemporaryDirectory() as out:
        text = report(arguments.fanout, arguments.directory, out)
        told = recompute(arguments.directory, text)
    print("\n".join(told) or "no difference")
    sys.exit(1 if told else 0)


if __name__ == "__main__":
    main()
