"""A headless Chromium under one's hand, over its debugging pipe.

Needs Python 3.9 or later and a Chromium or Chrome, nothing else: the protocol
(https://chromedevtools.github.io/devtools-protocol/) is JSON between zero bytes.
"""

import json
import os
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


class Failed(Exception):
    """The browser does not answer, or says no."""


class Missing(Failed):
    """There is no browser."""


def find(given=None):
    """The browser's path: the one given, that of $CHROMIUM, or the first known name."""
    for name in (given, os.environ.get("CHROMIUM"), *NAMES):
        path = name and shutil.which(name)
        if path:
            return path
    raise Missing(
        "no Chromium found (tried " + ", ".join(NAMES) + "): install one, for example with "
        "`apt-get install chromium`, or name it with --browser PATH"
    )


class Browser:
    """A browser with one page; what the page said and asked for is in `events`."""

    def __init__(self, path, timeout_s=30.0):
        self.timeout_s = timeout_s
        self.events = []
        self._buffer = b""
        self._number = 0
        self._session = None
        self._profile = tempfile.TemporaryDirectory(prefix="fanout-page-", ignore_cleanup_errors=True)
        read_end, self._write = os.pipe()
        self._read, write_end = os.pipe()
        command = [
            path, "--headless", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars",
            "--no-first-run", "--disable-extensions", "--disable-background-networking",
            "--disable-component-update", "--disable-dev-shm-usage",
            "--user-data-dir=" + self._profile.name,
        ]
        if os.geteuid() == 0:
            command.append("--no-sandbox")  # as root it starts no other way
        def place_pipes():
            # The browser reads descriptor 3 and writes descriptor 4. Copies
            # first: one of the two may have the other's number.
            first, second = os.dup(read_end), os.dup(write_end)
            os.dup2(first, 3)
            os.dup2(second, 4)
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            command, preexec_fn=place_pipes, close_fds=False,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._log,
        )
        os.close(read_end)
        os.close(write_end)
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        attached = self.send("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._session = None
            self.send("Browser.close")
            self._process.wait(self.timeout_s)
        except (Failed, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        os.close(self._write)
        self._log.close()
        self._profile.cleanup()

    def send(self, method, **parameters):
        """Asks the browser for something and returns what it answers."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._write, data):]
        while True:
            answer = self._next(method)
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise Failed(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        """Waits for an event that is still to come."""
        while True:
            event = self._next(method)
            self.events.append(event)
            if event.get("method") == method:
                return event

    def _next(self, awaited):
        deadline = time.monotonic() + self.timeout_s
        while b"\0" not in self._buffer:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._read], [], [], left)[0]:
                raise Failed(f"no answer to {awaited} within {self.timeout_s:.0f} s")
            data = os.read(self._read, 1 << 16)
            if not data:
                self._log.seek(0)
                said = self._log.read().decode(errors="replace").strip()[-500:]
                raise Failed(f"the browser ended: {said}")
            self._buffer += data
        line, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(line)

    def open(self, url):
        """Opens a page and waits until it is loaded."""
        self.send("Page.navigate", url=url)
        self.wait_for("Page.loadEventFired")

    def run(self, expression):
        """The value of a JavaScript expression in the page."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True,
                           awaitPromise=True)
        if "exceptionDetails" in answer:
            raise Failed(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def size(self, width, height, mobile=False):
        """The window's size, in the page's pixels."""
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=mobile)

    def prefer(self, **features):
        """What the user prefers, such as prefers_color_scheme='dark'."""
        pairs = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.send("Emulation.setEmulatedMedia", features=pairs)

    def mouse(self, kind, x, y):
        """Moves ('mouseMoved') or presses and releases ('click') at a place of the window."""
        kinds = ("mousePressed", "mouseReleased") if kind == "click" else (kind,)
        for one in kinds:
            button = {"button": "left", "clickCount": 1} if kind == "click" else {}
            self.send("Input.dispatchMouseEvent", type=one, x=x, y=y, **button)

    def key(self, key, code=None, text=None):
        """Presses and releases a key."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowUp": 38,
                 "ArrowRight": 39, "ArrowDown": 40, " ": 32}
        parameters = {"key": key, "code": code or key, "windowsVirtualKeyCode": codes.get(key, 0)}
        text = text or {"Enter": "\r", " ": " "}.get(key)
        down = {"text": text} if text else {}
        self.send("Input.dispatchKeyEvent", type="keyDown", **down, **parameters)
        self.send("Input.dispatchKeyEvent", type="keyUp", **parameters)

    def picture(self, whole=True):
        """The page as PNG, in base64: all of it, or the window's part."""
        clip = {}
        if whole:
            box = self.send("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"clip": {"x": 0, "y": 0, "width": box["width"], "height": box["height"],
                             "scale": 1}, "captureBeyondViewport": True}
        return self.send("Page.captureScreenshot", format="png", **clip)["data"]
