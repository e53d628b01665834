#!/usr/bin/env python3
"""Measures the mock server beside nginx and Mockoon, and prints the tables.

Needs: python3 (3.9 or newer), a release build (cargo build --release -p
mock-server), wrk, and nginx; Mockoon (npm install @mockoon/cli) is measured
when --mockoon names its program. Everything runs on 127.0.0.1 and is stopped
at the end. Figures of one run are comparable with each other only: servers
are measured in turn, in rounds, and quoted as medians and ratios.
"""

import argparse
import json
import os
import pathlib
import re
import resource
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
TARGET = "/inventory/products?id=1"
BODY = '{\n  "id": "1",\n  "name": "Granite",\n  "price": "970.00 EUR",\n  "quantity": "49"\n}'

NGINX = """
worker_processes 1; daemon off; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000;
  client_body_temp_path {dir}/1; proxy_temp_path {dir}/2; fastcgi_temp_path {dir}/3;
  uwsgi_temp_path {dir}/4; scgi_temp_path {dir}/5;
  server {{
    listen 127.0.0.1:{port}; default_type "application/json; charset=utf-8";
    location / {{ return 200 "{body}"; }}
  }}
}}
"""

MOCKOON = {
    "uuid": "a", "lastMigration": 33, "name": "inventory", "port": 0, "hostname": "127.0.0.1",
    "endpointPrefix": "", "latency": 0, "folders": [], "headers": [], "proxyMode": False,
    "proxyHost": "", "cors": False, "data": [], "callbacks": [],
    "rootChildren": [{"type": "route", "uuid": "r"}],
    "routes": [{
        "uuid": "r", "type": "http", "documentation": "", "method": "get",
        "endpoint": "inventory/:type", "responseMode": None, "streamingMode": None,
        "streamingInterval": 0,
        "responses": [{
            "uuid": "s", "label": "", "statusCode": 200, "latency": 0, "filePath": "",
            "headers": [{"key": "Content-Type", "value": "application/json; charset=utf-8"}],
            "bodyType": "INLINE", "databucketID": "", "sendFileAsBody": False, "rules": [],
            "rulesOperator": "OR", "disableTemplating": False, "fallbackTo404": False,
            "default": True, "crudKey": "id", "callbacks": [],
            "body": "{\n  \"id\": \"{{queryParam 'id'}}\",\n  \"name\": \"{{faker 'commerce.product'}}\",\n"
                    "  \"price\": \"{{faker 'commerce.price'}} EUR\",\n"
                    "  \"quantity\": \"{{int 0 50}}\"\n}",
        }],
    }],
}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server in a process of its own, stopped at the end of a `with`."""

    def __init__(self, name, command, port=None, stdin=None):
        self.name, self.port = name, port
        out = subprocess.PIPE if port is None else subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdin=stdin, stdout=out, stderr=subprocess.DEVNULL, text=True)
        if port is None:
            line = self.process.stdout.readline()
            self.port = int(line.rsplit(":", 1)[1])
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        self.process.kill()
        sys.exit(f"{name} did not start: {' '.join(map(str, command))}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def pids(self):
        pid = str(self.process.pid)
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *children]

    def cpu(self):
        """Seconds of processor time so far."""
        ticks = 0
        for pid in self.pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def peak_mib(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024

    def journal(self, query="limit=0"):
        url = f"http://127.0.0.1:{self.port}/journal?{query}"
        with urllib.request.urlopen(url) as answer:
            return json.load(answer)


def mock(binary, *options):
    command = [binary, "--port", "0", "--exit-with-parent", *options]
    return Server("mock-server", command, stdin=subprocess.PIPE)


def wrk(server, connections, seconds, *options):
    """Requests per second, and what wrk said."""
    url = f"http://127.0.0.1:{server.port}{TARGET}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *options, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1]), said


def busy():
    """The share of the machine that was busy since the last call."""
    fields = [int(field) for field in pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]]
    idle, total = fields[3] + fields[4], sum(fields[:8])
    before, busy.last = busy.last, (idle, total)
    return 1 - (idle - before[0]) / max(1, total - before[1])


busy.last = (0, 0)


def others():
    """Warns when other programs would spoil the figures."""
    busy()
    time.sleep(0.5)
    share = busy()
    print(f"busy before the measurement: {share:.0%} of {os.cpu_count()} cores")
    return share


def throughput(binary, mockoon, rounds, seconds):
    print(f"\n## Throughput without delay, wrk -t1 -c20 -d{seconds}s, {rounds} rounds in turn\n")
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = pathlib.Path(folder, "nginx.conf")
        escaped = BODY.replace('"', '\\"')
        config.write_text(NGINX.format(dir=folder, port=port, body=escaped))
        servers = [Server("nginx, 1 worker", ["nginx", "-e", f"{folder}/error.log", "-c", config], port)]
        servers.append(mock(binary, "--delay", "0"))
        if mockoon:
            port = free_port()
            data = pathlib.Path(folder, "mockoon.json")
            data.write_text(json.dumps({**MOCKOON, "port": port}))
            servers.append(Server("Mockoon", [mockoon, "start", "--data", data, "--disable-log-to-file"], port))
        rates = {server.name: [] for server in servers}
        costs = {server.name: [] for server in servers}
        try:
            for _ in range(rounds):
                for server in servers:
                    before = server.cpu()
                    rate, said = wrk(server, 20, seconds)
                    count = int(re.search(r"(\d+) requests in", said)[1])
                    rates[server.name].append(rate)
                    costs[server.name].append((server.cpu() - before) / count * 1e6)
        finally:
            for server in servers:
                server.__exit__()
    base = rates["nginx, 1 worker"]
    print("| server | requests/s, median (least to most) | over nginx, median of rounds | CPU a request |")
    print("|---|---|---|---|")
    for name, rate in rates.items():
        ratio = statistics.median(one / other for one, other in zip(rate, base))
        print(f"| {name} | {statistics.median(rate):,.0f} ({min(rate):,.0f} to {max(rate):,.0f}) "
              f"| {ratio:.2f} | {statistics.median(costs[name]):.2f} µs |")
    if mockoon:
        ratio = statistics.median(rates["mock-server"]) / statistics.median(rates["Mockoon"])
        print(f"\nmock-server over Mockoon: {ratio:.0f} times")


def open_loop(port, rate, seconds):
    """Sends at a steady rate, whatever comes back, and waits for every answer."""
    selector, idle, sent, done = selectors.DefaultSelector(), [], 0, 0
    total, start = int(rate * seconds), time.perf_counter() + 0.05
    while done < total:
        while sent < total and time.perf_counter() >= start + sent / rate:
            if idle:
                stream = idle.pop()
            else:
                stream = socket.create_connection(("127.0.0.1", port))
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(stream, selectors.EVENT_READ)
            stream.send(b"GET /inventory/products?id=%d HTTP/1.1\r\nHost: m\r\n\r\n" % sent)
            sent += 1
        wait = max(0, start + sent / rate - time.perf_counter()) if sent < total else 1
        for key, _ in selector.select(wait):
            key.fileobj.recv(4096)
            idle.append(key.fileobj)
            done += 1
    for key in list(selector.get_map().values()):
        key.fileobj.close()


def lateness(binary, seconds):
    print(f"\n## Lateness at 1,000 requests/s, open loop, {seconds} s each\n")
    print("| delay | p50 | p99 | p99.9 | most | machine busy |")
    print("|---|---|---|---|---|---|")
    for millis in (1, 5, 20, 200):
        with mock(binary, "--delay", f"{millis}ms") as server:
            busy()
            open_loop(server.port, 1000, seconds)
            share, late = busy(), server.journal()["summary"]["lateness"]
        print(f"| {millis} ms | {late['p50_ms']:.3f} ms | {late['p99_ms']:.3f} ms | {late['p999_ms']:.3f} ms "
              f"| {late['max_ms']:.3f} ms | {share:.0%} |")


def one_burst(port, connections, rounds):
    """Every connection asks for ids of its own, all at once, round after round."""
    selector, streams = selectors.DefaultSelector(), []
    for _ in range(connections):
        stream = socket.create_connection(("127.0.0.1", port))
        selector.register(stream, selectors.EVENT_READ)
        streams.append(stream)
    failed = 0
    for number in range(rounds):
        for at, stream in enumerate(streams):
            stream.send(b"GET /inventory/products?id=%d HTTP/1.1\r\nHost: m\r\n\r\n" % (number * connections + at))
        left = connections
        while left:
            for key, _ in selector.select():
                failed += not key.fileobj.recv(4096).startswith(b"HTTP/1.1 200")
                left -= 1
    for stream in streams:
        stream.close()
    return failed


def in_flight(binary, seconds):
    print("\n## 10,000 requests in flight at 200 ms\n")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    # All at once would come before the first delay is over only if sending
    # were that quick: a second's delay keeps all of them in flight.
    with mock(binary, "--delay", "1s") as server:
        failed = one_burst(server.port, 10_000, 2)
        page = server.journal("limit=0&expect=products:0-19999")
        summary, proof = page["summary"], page["proof"]
        print(f"20,000 ids, 10,000 at once: exactly once: {proof['exactly_once']}, missing {proof['missing']}, "
              f"repeated {proof['repeated']}, refused or failed {failed}, most in flight {summary['most_in_flight']}, "
              f"peak memory {server.peak_mib():.0f} MiB")
    print("\n| connections | requests/s | of n / 0.2 s | machine busy | peak memory |")
    print("|---|---|---|---|---|")
    for connections in (1_000, 2_000, 5_000, 10_000):
        with mock(binary, "--delay", "200ms") as server:
            # wrk's own figure counts the time in which it connects; the
            # journal's change over a second in the middle does not.
            load = subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
                                     f"http://127.0.0.1:{server.port}{TARGET}"], stdout=subprocess.DEVNULL)
            time.sleep(1.5)
            busy()
            first, at = server.journal()["summary"]["completed"], time.perf_counter()
            time.sleep(max(1, seconds - 3))
            last, until = server.journal()["summary"]["completed"], time.perf_counter()
            share = busy()
            load.wait()
            rate = (last - first) / (until - at)
            print(f"| {connections:,} | {rate:,.0f} | {rate / (connections / 0.2):.1%} | {share:.0%} | {server.peak_mib():.0f} MiB |")


def million(binary, seconds):
    print("\n## A million requests for a million ids\n")
    with mock(binary, "--delay", "0") as server:
        wrk(server, 20, 1)
        warm = server.peak_mib()
        request = urllib.request.Request(f"http://127.0.0.1:{server.port}/journal", method="DELETE")
        urllib.request.urlopen(request).close()
        wrk(server, 20, seconds, "-s", str(HERE / "million.lua"))
        page = server.journal("limit=0&expect=products:0-999999")
        print(f"arrived {page['summary']['arrived']:,}, exactly once: {page['proof']['exactly_once']}, "
              f"memory {warm:.0f} MiB before and at most {server.peak_mib():.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", default="target/release/mock-server", help="the release build to measure")
    parser.add_argument("--mockoon", help="Mockoon's program, as node_modules/.bin/mockoon-cli")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the throughput comparison")
    parser.add_argument("--seconds", type=int, default=3, help="seconds of each measurement")
    parser.add_argument("--only", choices=["throughput", "lateness", "in-flight", "million"], action="append")
    args = parser.parse_args()
    if not pathlib.Path(args.binary).is_file():
        sys.exit(f"{args.binary} is not there: build it with `cargo build --release -p mock-server`, or name it with --binary")
    others()
    wanted = args.only or ["throughput", "lateness", "in-flight", "million"]
    if "throughput" in wanted:
        throughput(args.binary, args.mockoon, args.rounds, args.seconds)
    if "lateness" in wanted:
        lateness(args.binary, args.seconds)
    if "in-flight" in wanted:
        in_flight(args.binary, args.seconds + 3)
    if "million" in wanted:
        million(args.binary, 12)


if __name__ == "__main__":
    main()
