#!/usr/bin/env python3
"""Measures how near fanout's strategies come to what the machine can do, beside
other programs, and prints the tables of METHODOLOGY.md.

Needs: python3 (3.9 or newer), cargo, and a release build (cargo build --release
--bin fanout). Beside it are measured, where they are there:
wrk (--wrk), oha (--oha; cargo install oha), and Python's own thread pool with
requests (pip install requests); what is missing is said and left out.

Everything runs on 127.0.0.1, in turn and in rounds: figures of one run are
comparable with each other only, and are quoted as medians and ratios. The whole
takes about 20 minutes on two cores; --only takes one part.
"""

import argparse
import csv
import io
import json
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent.parent
IN_PROCESS = ["sequential", "thread-pool", "rayon", "tokio", "async-std", "smol"]
WORKERS = 20

PYTHON = """
import concurrent.futures, requests, sys, threading, time
url, total, workers = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
local = threading.local()
def get(index):
    if not hasattr(local, "session"):
        local.session = requests.Session()
        local.session.trust_env = False
    answer = local.session.get(f"{url}/inventory/products?id={index}")
    answer.raise_for_status()
    return answer.json()["id"] == str(index)
with concurrent.futures.ThreadPoolExecutor(workers) as pool:
    begun = time.perf_counter()
    good = sum(pool.map(get, range(total)))
    print(good / (time.perf_counter() - begun))
"""


def run(command, **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


class Fanout:
    """The program, and a directory for what it writes."""

    def __init__(self, program, scratch):
        self.program, self.scratch = program, scratch

    def compare(self, *options):
        """The rows of a summary, each a dictionary."""
        out = pathlib.Path(self.scratch) / "out"
        text = run([self.program, "compare", "--out", out, "--format", "csv", *options])
        return list(csv.DictReader(io.StringIO(text)))


class Server:
    """A bundled server without delay, on a free port, with one thread."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            [program, "serve", "--port", "0", "--delay", "0", "--threads", "1"],
            stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def table(title, head, rows):
    print(f"\n### {title}\n")
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" + "--:|" * (len(head) - 1))
    for row in rows:
        print("| " + " | ".join(str(field) for field in row) + " |", flush=True)


def rate(row):
    return float(row["ok"]) / float(row["warm_s"]) if row["warm_s"] else 0.0


def throughput(fanout, args):
    """Requests a second without delay, beside wrk, oha and Python."""
    wrk, oha = shutil.which(args.wrk), shutil.which(args.oha)
    seen = {}

    def note(name, value):
        seen.setdefault(name, []).append(value)

    with Server(fanout.program) as server:
        url = f"{server.url}/inventory/products?id=1"
        for _ in range(args.rounds):
            if wrk:
                text = run([wrk, "-t1", f"-c{WORKERS}", f"-d{args.seconds}s", url])
                note("wrk", float(re.search(r"Requests/sec:\s*([\d.]+)", text)[1]))
            if oha:
                text = run([oha, "--no-tui", "-c", WORKERS, "-z", f"{args.seconds}s",
                            "--output-format", "json", url])
                note("oha", json.loads(text)["summary"]["requestsPerSec"])
            try:
                note("Python threads + requests", float(run(
                    [sys.executable, "-c", PYTHON, server.url, 1500 * args.seconds, WORKERS])))
            except SystemExit as missing:
                if "No module" not in str(missing):
                    raise
            for strategy, client, amount in [
                    ("thread-pool", "ureq", 40_000), ("thread-pool", "reqwest", 25_000),
                    ("rayon", "ureq", 40_000), ("tokio", "hyper", 70_000),
                    ("tokio", "reqwest", 40_000), ("async-std", "hyper", 50_000),
                    ("smol", "hyper", 50_000), ("multiprocess", "ureq", 30_000)]:
                for row in fanout.compare(
                        "--url", server.url, "--expect", "inventory", "--strategies", strategy,
                        "--clients", client, "--workers", WORKERS, "--samples", 1,
                        "--requests", amount * args.seconds):
                    note(f"{strategy} + {client}", rate(row))
            for row in fanout.compare(
                    "--url", server.url, "--expect", "inventory", "--strategies", "tokio,smol",
                    "--runtime-threads", "0,1,2", "--workers", WORKERS, "--samples", 1,
                    "--requests", 60_000 * args.seconds):
                threads = row["runtime_threads"]
                name = "the calling thread" if threads == "0" else f"{threads} runtime thread(s)"
                note(f"{row['strategy']} + hyper on {name}", rate(row))
    for name, found in [("wrk", wrk), ("oha", oha)]:
        if not found:
            print(f"{name} is not there: left out", file=sys.stderr)
    median = {name: statistics.median(values) for name, values in seen.items()}
    rows = [(name, f"{value:,.0f}", f"{min(seen[name]):,.0f} to {max(seen[name]):,.0f}")
            for name, value in sorted(median.items(), key=lambda pair: -pair[1])]
    table(f"No delay, {WORKERS} connections, one server: good answers a second "
          f"(median of {args.rounds} rounds)", ["", "requests/s", "range"], rows)
    pairs = [("tokio + hyper", "oha"), ("tokio + hyper", "wrk"),
             ("thread-pool + ureq", "Python threads + requests"),
             ("multiprocess + ureq", "thread-pool + ureq")]
    rows = []
    for ours, other in pairs:
        if ours in seen and other in seen:
            ratios = [a / b for a, b in zip(seen[ours], seen[other])]
            rows.append((f"{ours} / {other}", f"{statistics.median(ratios):.2f}",
                         f"{min(ratios):.2f} to {max(ratios):.2f}"))
    table("Ratios, round by round", ["", "median", "range"], rows)


def overhead(_fanout, args):
    """Each strategy beside a bare loop of the same library."""
    bench = ["cargo", "bench", "--quiet", "--locked", "--bench", "overhead", "--"]
    figures = run([*bench, WORKERS, args.seconds, args.rounds], cwd=HERE)
    print(f"\n### Overhead of the harness\n\n{figures}")


def gap(fanout, args):
    """Warm gaps and cold runtimes at 200 ms."""
    rows = []
    for row in fanout.compare("--workers", "3,20,50,100", "--samples", args.rounds,
                              *(["--serial"] if args.serial else [])):
        if row["strategy"] == "sequential":
            continue
        cold = float(row["cold_s"]) / float(row["bound_s"]) - 1
        rows.append((f"{row['strategy']} + {row['client']}", row["workers"],
                     f"{100 * float(row['gap']):.2f} %", f"{100 * cold:.2f} %"))
    rows.sort(key=lambda row: (row[0], int(row[1])))
    table(f"100 requests of 200 ms, medians of {args.rounds} samples",
          ["", "workers", "warm gap", "cold over the bound"], rows)


def files(fanout, args):
    """Fifty thousand files of 20.6 kB, downloaded and saved."""
    rows = []
    for row in fanout.compare("--workload", "files", "--requests", args.files, "--delay", "0",
                              "--workers", WORKERS, "--samples", 3,
                              "--strategies", ",".join(IN_PROCESS[1:] + ["multiprocess"])):
        rows.append((f"{row['strategy']} + {row['client']}", f"{rate(row):,.0f}", row["failed"]))
    table(f"{args.files:,} files of 20.6 kB, saved and verified, {WORKERS} workers",
          ["", "files/s", "failed"], rows)


def million(fanout, args):
    """Peak memory of a batch of ten thousand, and of a million."""
    rows = []
    for strategy in IN_PROCESS:
        peaks = []
        for requests in [10_000, args.million]:
            (row,) = fanout.compare("--strategies", strategy, "--workers", WORKERS,
                                    "--delay", "0", "--requests", requests, "--samples", 1)
            peaks.append((int(row["peak_rss_bytes"]) / 2**20, rate(row), row["failed"]))
        (small, _, _), (large, speed, failed) = peaks
        rows.append((f"{strategy} + {row['client']}", f"{small:.1f} MiB", f"{large:.1f} MiB",
                     f"{speed:,.0f}", failed))
    table(f"Peak memory of 10,000 and of {args.million:,} requests, {WORKERS} workers, no delay",
          ["", "10,000", f"{args.million:,}", "requests/s", "failed"], rows)


def many(fanout, args):
    """Ten thousand workers at 200 ms."""
    rows = []
    for strategy in ["tokio", "async-std", "smol", "thread-pool"]:
        (row,) = fanout.compare("--strategies", strategy, "--workers", 10_000,
                                "--requests", 100_000, "--samples", 3)
        if not row["warm_s"]:
            rows.append((strategy, "", "", "", "", row["first_error"]))
            continue
        busy = float(row["cpu_s"]) / float(row["cold_s"])
        rows.append((f"{strategy} + {row['client']}", f"{float(row['warm_s']):.3f} s",
                     f"{100 * float(row['gap']):.1f} %", f"{busy:.2f} cores",
                     f"{int(row['peak_rss_bytes']) / 2**20:.0f} MiB", row["failed"]))
    table("100,000 requests of 200 ms over 10,000 workers (bound 2 s)",
          ["", "warm", "gap", "CPU", "memory", "failed"], rows)


PARTS = {"overhead": overhead, "throughput": throughput, "gap": gap, "files": files,
         "million": million, "many": many}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fanout", type=pathlib.Path,
                        default=HERE / "target" / "release" / "fanout")
    parser.add_argument("--wrk", default="wrk")
    parser.add_argument("--oha", default="oha")
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--million", type=int, default=1_000_000)
    parser.add_argument("--serial", action="store_true", help="pass --serial to compare")
    parser.add_argument("--scratch", help="directory for records and files [default: a new one]")
    args = parser.parse_args()
    if not args.fanout.exists():
        parser.error(f"{args.fanout} is not there: build it with "
                     "`cargo build --release --bin fanout`")
    with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
        for name, part in PARTS.items():
            if not args.only or name in args.only:
                part(Fanout(args.fanout, scratch), args)


if __name__ == "__main__":
    main()
