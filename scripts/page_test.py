#!/usr/bin/env python3
"""Opens report.html in a headless Chromium and uses it as a person would.

    cargo build --release
    python3 scripts/page_test.py [--fanout target/release/fanout] [--pictures DIR]

Draws pages from results/reference and from small records that it makes up
(without a success, of one cell, cut off, of many cells, with markup for names),
opens each from its file, in light and dark, at 1280 and 360 pixels, and asks
that nothing is said on the console, nothing is loaded, nothing is wider than the
window, and no figure is NaN; that pointer, keyboard, legend, table and theme work.

Needs Python 3.9 or later and a Chromium or Chrome (`apt-get install chromium`),
found by name, by $CHROMIUM or by --browser. Exits 0 if all is well, 1 if not, 2 if
it could not run, and 3 if there is no browser.
"""

import argparse
import base64
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import browser
import records

ROOT = Path(__file__).resolve().parent.parent
WINDOWS = [(1280, 800, "light"), (1280, 800, "dark"), (360, 740, "light"), (360, 740, "dark")]


class Check:
    """Counts what holds, and tells what does not."""

    def __init__(self):
        self.held, self.broken = 0, 0

    def that(self, holds, what):
        if holds:
            self.held += 1
        else:
            self.broken += 1
            print("FAILED:", what, file=sys.stderr)


def draw(fanout, source, out):
    """The page of a record, as `fanout report` writes it."""
    if source.is_dir():
        command = [fanout, "report", source, "--out", out]
    else:
        command = [fanout, "report", "--partial", source.parent, "--out", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise browser.Failed(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return Path(out) / "report.html"


def quiet(page, check, name, url):
    """Nothing said on the console, nothing asked for but the page itself."""
    for event in page.events:
        method, told = event.get("method"), event.get("params", {})
        said = method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        check.that(not said, f"{name}: on the console: {json.dumps(told)[:400]}")
        if method == "Network.requestWillBeSent":
            asked = told["request"]["url"]
            check.that(asked == url, f"{name}: asked for {asked[:200]}")
    page.events.clear()


def looks(page, check, name):
    """What holds of every page, whatever it shows."""
    wide = page.run("document.documentElement.scrollWidth - innerWidth")
    check.that(wide <= 0, f"{name}: {wide} pixels wider than the window")
    text = page.run("document.body.innerText + [...document.querySelectorAll('svg [aria-label]')]"
                    ".map((node) => node.getAttribute('aria-label')).join(' ')")
    places = page.run("[...document.querySelectorAll('svg, svg *')].flatMap((node) => "
                      "[...node.attributes].map((one) => one.value)).join(' ')")
    for wrong in ("NaN", "undefined", "Infinity", "[object"):
        check.that(wrong not in text, f"{name}: {wrong} on the page")
        check.that(wrong not in places, f"{name}: {wrong} in a plot")
    check.that(page.run("[...document.querySelectorAll('table')].every((one) => one.caption)"),
               f"{name}: a table without a caption")
    nameless = page.run("[...document.querySelectorAll('button, select, input')].filter((one) => "
                        "!one.textContent.trim() && !one.labels?.length).length")
    check.that(nameless == 0, f"{name}: {nameless} controls without a name")
    lost = page.run("""(() => {
        // Texts of a plot that leave it, or lie on one another.
        const wrong = [];
        for (const svg of document.querySelectorAll('.plot svg')) {
            const frame = svg.getBoundingClientRect();
            const boxes = [...svg.querySelectorAll('text')].map((text) =>
                [text.textContent, text.getBoundingClientRect()]).filter(([, box]) => box.width);
            boxes.forEach(([text, box], i) => {
                if (box.left < frame.left - 1 || box.right > frame.right + 1 ||
                    box.top < frame.top - 1 || box.bottom > frame.bottom + 1) wrong.push('cut: ' + text);
                for (const [other, its] of boxes.slice(i + 1)) {
                    if (box.left < its.right - 1 && its.left < box.right - 1 &&
                        box.top < its.bottom - 3 && its.top < box.bottom - 3) {
                        wrong.push(text + ' on ' + other);
                    }
                }
            });
        }
        return wrong;
    })()""")
    check.that(not lost, f"{name}: labels: {lost}")


def centre(page, selector):
    """The middle of an element, brought into the window."""
    return page.run(f"""(async () => {{
        const node = document.querySelector({json.dumps(selector)});
        node.scrollIntoView({{block: 'center', behavior: 'instant'}});
        // Until the page has heard of it, and nothing above it moves any more.
        const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        let box = node.getBoundingClientRect();
        for (let still = 0; still < 3;) {{
            await frame();
            const now = node.getBoundingClientRect();
            still = now.top === box.top && now.left === box.left ? still + 1 : 0;
            if (!still) node.scrollIntoView({{block: 'center', behavior: 'instant'}});
            box = now;
        }}
        return [box.left + box.width / 2, box.top + box.height / 2];
    }})()""")


def tooltip(page):
    """What the tooltip says; nothing where it is hidden."""
    return page.run("tooltip.hidden ? '' : tooltip.innerText")


def uses(page, check, name):
    """Pointer, keyboard, legend, table and theme, on the page of the reference."""
    hover(page, check, name)
    toggles(page, check, name)
    keyboard(page, check, name)
    table(page, check, name)
    theme(page, check, name)


def hover(page, check, name):
    point = "#runtime [data-series='4'] [data-x='20'] .halo"
    x, y = centre(page, point)
    page.mouse("mouseMoved", x, y)
    said = tooltip(page)
    check.that("20 workers" in said and "lower bound 1 s" in said, f"{name}: hover says {said!r}")
    for strategy in ("tokio", "rayon", "multiprocess"):
        check.that(strategy in said, f"{name}: hover leaves out {strategy}: {said!r}")
    inside = page.run("(() => { const box = tooltip.getBoundingClientRect(); return box.left >= 0 && "
                      "box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight; })()")
    check.that(inside, f"{name}: the tooltip leaves the window")
    for figure in ("gap", "cpu", "memory", "latency", "split", "timeline"):
        x, y = centre(page, f"#{figure} .plot [aria-label][tabindex]")
        page.mouse("mouseMoved", x, y)
        check.that(len(tooltip(page)) > 5, f"{name}: no tooltip in {figure}")
    page.mouse("mouseMoved", 1, 1)


def toggles(page, check, name):
    lines = "document.querySelectorAll('#gap [data-series=\"6\"] .line').length"
    button = "#legend button[data-row='6']"
    check.that(page.run(f"document.querySelector({json.dumps(button)}).innerText") == "tokio+hyper",
               f"{name}: the seventh line is not tokio+hyper")
    check.that(page.run(lines) == 7, f"{name}: tokio has {page.run(lines)} pieces of a line")
    page.mouse("click", *centre(page, button))
    check.that(page.run(lines) == 0, f"{name}: tokio's line stays")
    pressed = f"document.querySelector({json.dumps(button)}).getAttribute('aria-pressed')"
    check.that(page.run(pressed) == "false", f"{name}: the button does not say that it is off")
    page.mouse("click", *centre(page, button))
    check.that(page.run(lines) == 7, f"{name}: tokio's line does not come back")
    page.mouse("click", *centre(page, "#legend .plain:last-child"))
    left = page.run("document.querySelectorAll('[data-series]').length")
    check.that(left == 0, f"{name}: {left} lines stay when none is asked for")
    check.that(page.run("document.querySelector('#gap').innerText.includes('no line')"),
               f"{name}: an empty plot does not say why")
    page.mouse("click", *centre(page, "#legend .plain:nth-last-child(2)"))
    check.that(page.run(lines) == 7, f"{name}: all do not come back")
    page.mouse("mouseMoved", 1, 1)


def keyboard(page, check, name):
    page.run("document.querySelector(\"#legend button[data-row='0']\").focus()")
    page.key(" ")
    check.that(page.run("document.querySelectorAll('#gap [data-series=\"0\"]').length") == 0,
               f"{name}: the space bar does not switch a line off")
    page.key("Enter")
    check.that(page.run("document.querySelectorAll('#gap [data-series=\"0\"]').length") == 1,
               f"{name}: the enter key does not switch it on")
    page.run("document.querySelector('#legend .plain:last-child').focus()")
    page.key("Tab")
    here = "document.activeElement"
    check.that(page.run(f"{here}.closest('figure')?.id") == "runtime",
               f"{name}: the tab key does not lead to the first plot")
    first = tooltip(page)
    check.that("1 worker" in first, f"{name}: a focused point says {first!r}")
    page.key("ArrowRight")
    check.that(page.run(f"{here}.dataset.x") == "2", f"{name}: the right arrow stays")
    row = f"{here}.parentNode.dataset.series"
    column = {page.run(row)}
    for _ in range(8):
        page.key("ArrowUp")
        column.add(page.run(row))
    top = page.run(row)
    for _ in range(8):
        page.key("ArrowDown")
        column.add(page.run(row))
    check.that(page.run(f"{here}.dataset.x") == "2", f"{name}: up and down leave the column")
    check.that(column == set("01234567"), f"{name}: up and down reach {sorted(column)} alone")
    check.that(page.run(row) != top, f"{name}: down does not lead down")
    seen = page.run(f"getComputedStyle({here}.querySelector('.halo')).strokeWidth")
    check.that(seen == "3px", f"{name}: the focus of a point is not seen")
    page.key("Escape")
    check.that(tooltip(page) == "", f"{name}: the escape key leaves the tooltip")
    page.key("Tab")
    check.that(page.run(f"{here}.closest('figure')?.id") == "gap",
               f"{name}: a plot is more than one stop of the tab key")


def table(page, check, name):
    rows = "[...document.querySelectorAll('#table tbody tr')].filter((row) => !row.hidden)"
    column = f"{rows}.map((row) => Number(row.cells[12].dataset.value))"
    head = "#table thead th:nth-child(13) button"
    check.that(page.run(f"document.querySelector({json.dumps(head)}).innerText") == "CPU",
               f"{name}: the thirteenth column is not CPU")
    page.mouse("click", *centre(page, head))
    values = page.run(column)
    check.that(values == sorted(values) and len(values) == 65, f"{name}: not sorted: {values}")
    page.run(f"document.querySelector({json.dumps(head)}).focus()")
    page.key("Enter")
    values = page.run(column)
    check.that(values == sorted(values, reverse=True), f"{name}: not sorted downwards: {values}")
    sort = page.run(f"document.querySelector({json.dumps(head)}).parentNode.ariaSort")
    check.that(sort == "descending", f"{name}: the head says {sort}")
    page.run("document.querySelector('#filter-name').focus()")
    for letter in "hyper":
        page.key(letter, text=letter)
    names = page.run(f"{rows}.map((row) => row.cells[0].innerText)")
    check.that(len(names) == 24 and all("hyper" in one for one in names), f"{name}: filter: {names}")
    page.run("(() => { const field = document.querySelector('#filter-workers'); field.value = '20'; "
             "field.dispatchEvent(new Event('input')); })()")
    check.that(page.run(f"{rows}.length") == 3, f"{name}: not three cells of hyper at 20 workers")
    count = page.run("document.querySelector('#filter-count').innerText")
    check.that(count == "3 of 65 cells", f"{name}: the count says {count}")


def theme(page, check, name):
    paper = "getComputedStyle(document.body).backgroundColor"
    before = page.run(paper)
    page.mouse("click", *centre(page, "#theme"))
    changed = page.run(paper)
    check.that(changed != before, f"{name}: the button does not change the colours")
    page.mouse("click", *centre(page, "#theme"))
    check.that(page.run(paper) == before, f"{name}: the button does not change them back")


def visit(page, check, args, name, path):
    """One page in every window."""
    url = path.resolve().as_uri()
    papers = set()
    for width, height, scheme in WINDOWS:
        title = f"{name} at {width}, {scheme}"
        page.size(width, height, mobile=width < 500)
        page.prefer(prefers_color_scheme=scheme, prefers_reduced_motion="reduce")
        page.open(url)
        papers.add(page.run("getComputedStyle(document.body).backgroundColor"))
        looks(page, check, title)
        if args.pictures:
            file = args.pictures / f"{name}-{width}-{scheme}.png"
            file.write_bytes(base64.b64decode(page.picture()))
        if name == "reference":
            uses(page, check, title)
        quiet(page, check, title, url)
    check.that(len(papers) == 2, f"{name}: light and dark are one")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fanout", default=ROOT / "target/release/fanout", type=Path)
    parser.add_argument("--browser", help="the browser, where it has an unusual name")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="keep a picture of every page")
    args = parser.parse_args()
    check = Check()
    try:
        if not args.fanout.exists():
            raise browser.Failed(f"{args.fanout} is missing: build it with `cargo build --release`")
        if args.pictures:
            args.pictures.mkdir(parents=True, exist_ok=True)
        found = browser.find(args.browser)
        with tempfile.TemporaryDirectory() as made, browser.Browser(found) as page:
            reference = ROOT / "results/reference"
            sources = {"reference": reference, **records.write(reference, Path(made))}
            for name, source in sources.items():
                visit(page, check, args, name, draw(args.fanout, source, Path(made) / "out" / name))
            attacked = page.run("window.attacked")
            check.that(attacked is None, "a name became a script")
    except browser.Missing as error:
        print(error, file=sys.stderr)
        return 3
    except (browser.Failed, OSError) as error:
        print(f"cannot run: {error}", file=sys.stderr)
        return 2
    print(f"{check.held} checks held, {check.broken} did not")
    return 1 if check.broken else 0


if __name__ == "__main__":
    sys.exit(main())
