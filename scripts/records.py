"""Small records of unusual sessions, made from a real one."""

import copy
import json

ATTACK = "</script><script>window.attacked=1</script><img src=x onerror=window.attacked=1>\"'"


def write(source, target):
    """Writes records below a directory; returns what to draw, by name."""
    lines = (source / "record.jsonl").read_text().splitlines()
    session, *samples, end = [json.loads(line) for line in lines]
    measured = [one for one in samples if "measured" in one["sample"]["result"]]
    drawn = {}
    for name, (head, some) in {
        "failed": (session, [error(one) for one in measured[:6]]),
        "one-cell": (session, measured[-1:]),
        "mixed": (session, measured[:9] + [error(one) for one in measured[9:12]] + failing(measured)),
        "many-cells": (session, many(measured)),
        "long-names": (session, named(measured, "a-strategy-whose-name-goes-on-and-on-" * 5)),
        "markup": (attacking(session), named(measured, ATTACK)),
        "unknown-times": (foreign(session), measured[:20]),
    }.items():
        drawn[name] = target / name
        drawn[name].mkdir()
        text = "".join(json.dumps(line) + "\n" for line in [head, *some, end])
        (drawn[name] / "record.jsonl").write_text(text)
    cut = target / "cut-off" / "record.jsonl.partial"
    cut.parent.mkdir()
    cut.write_text("\n".join(lines[:8]) + "\n" + lines[8][:200])
    return {**drawn, "cut-off": cut}


def error(sample):
    """The sample, had it come to nothing."""
    changed = copy.deepcopy(sample)
    changed["sample"]["result"] = {"error": "too many open files (os error 24)"}
    return changed


def failing(samples):
    """Samples in which some requests failed."""
    failing = copy.deepcopy(samples[12:16])
    for sample in failing:
        result = sample["sample"]["result"]["measured"]
        result["ok"] -= 30
        example = "status 429: " + ATTACK
        result["failures"] = [{"kind": "status", "count": 30, "example": example}]
        result["outcomes"]["ok"][:30] = [False] * 30
    return failing


def many(samples):
    """The same cells under several dispatches and connection reuses."""
    made = []
    for dispatch in ("queue", "chunked", "unbounded"):
        for reuse in ("session", "per-request"):
            for sample in samples[:41]:
                changed = copy.deepcopy(sample)
                changed["sample"]["cell"].update(dispatch=dispatch, reuse=reuse)
                made.append(changed)
    return made


def named(samples, name):
    """Two of the strategies under another name."""
    made = copy.deepcopy(samples[:41])
    for sample in made:
        cell = sample["sample"]["cell"]
        if cell["strategy"] in ("tokio", "rayon"):
            cell["strategy"] = name + cell["strategy"]
    return made


def attacking(session):
    """A session whose texts hold markup."""
    changed = copy.deepcopy(session)
    inner = changed["session"]
    inner["command"] = inner["verified"] = inner["server"]["url"] = ATTACK
    inner["server"]["kind"] = "url"
    inner["receipt"]["cpu"] = ATTACK
    inner["notes"] = [ATTACK, "<!--"]
    return changed


def foreign(session):
    """A server whose service time is not known."""
    changed = copy.deepcopy(session)
    changed["session"]["server"].update(kind="url", service_s=None, url="http://127.0.0.1:1/{index}")
    return changed
