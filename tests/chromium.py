"""A page in a headless Chromium, driven through its debugging pipe; skipped where there is none.

Nothing is listened to on any port: the protocol's messages, JSON ended by NUL, go through two
pipes that the browser knows as its descriptors 3 and 4.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from layerlens.oci.json_document import JsonValue
from layerlens.oci.json_fields import JsonObject

_PATIENCE = 30.0  # seconds: other work on the machine must not fail a test
_WRAPPER = """
import os, sys
reads, writes = int(sys.argv[1]), int(sys.argv[2])
high = os.dup(writes) if writes == 3 else writes
os.dup2(reads, 3)
os.dup2(high, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def chromium_path() -> str:
    """Where it is; the test is skipped where it is not."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found is not None:
            return found
    pytest.skip("there is no chromium")


class Browser:
    """A browser that runs; `open_browser` makes it."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads = reads
        self._writes = writes
        self._number = 0
        self._buffer = b""
        self.events: list[JsonObject] = []
        """What it told without being asked, by ``method`` and ``params``."""

    def ask(self, method: str, session: str | None = None, **parameters: JsonValue) -> JsonObject:
        """The result of one command; AssertionError for one that it refuses."""
        self._number += 1
        message: dict[str, JsonValue] = {
            "id": self._number,
            "method": method,
            "params": parameters,
        }
        if session is not None:
            message["sessionId"] = session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + _PATIENCE
        while True:
            answer = self._next(deadline)
            if answer.optional_integer("id") == self._number:
                assert not answer.has("error"), answer.object("error").string("message")
                return answer.object("result")
            self.events.append(answer)

    def _next(self, deadline: float) -> JsonObject:
        while b"\0" not in self._buffer:
            left = deadline - time.monotonic()
            ready, _, _ = select.select([self._reads], [], [], max(left, 0))
            assert ready, "chromium does not answer"
            data = os.read(self._reads, 1 << 16)
            assert data, "chromium has ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        value: JsonValue = json.loads(message)
        assert isinstance(value, dict)
        return JsonObject(value, "chromium")


class Page:
    """One page of a browser."""

    def __init__(self, browser: Browser, session: str) -> None:
        self._browser = browser
        self._session = session

    def ask(self, method: str, **parameters: JsonValue) -> JsonObject:
        """The result of one command to the page."""
        return self._browser.ask(method, self._session, **parameters)

    def load(self, url: str) -> None:
        """Go to an address, and wait until the page is loaded."""
        self.ask("Page.navigate", url=url)
        self.wait_for("document.readyState === 'complete'")

    def value(self, expression: str) -> JsonValue:
        """What a piece of JavaScript gives in the page (numbers, texts, arrays of them)."""
        result = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert not result.has("exceptionDetails"), expression
        return result.object("result")._value("value")  # of any type

    def number(self, expression: str) -> float:
        """The same where it is a number."""
        found = self.value(expression)
        assert isinstance(found, int | float), found
        return found

    def text(self, expression: str) -> str:
        """The same where it is a text."""
        found = self.value(expression)
        assert isinstance(found, str), found
        return found

    def wait_for(self, expression: str) -> None:
        """Wait until a piece of JavaScript gives true."""
        deadline = time.monotonic() + _PATIENCE
        while self.value(f"Boolean({expression})") is not True:
            assert time.monotonic() < deadline, expression
            time.sleep(0.02)

    def press(self, key: str, code: int) -> None:
        """Press a key, as a person would."""
        for kind in ("keyDown", "keyUp"):
            text: dict[str, JsonValue] = {"text": "\r"} if key == "Enter" else {}
            self.ask(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                windowsVirtualKeyCode=code,
                **(text if kind == "keyDown" else {}),
            )

    def complaints(self) -> list[str]:
        """What the page has logged as errors, violations of its policy and exceptions."""
        found = []
        for event in self._browser.events:
            if event.optional_string("sessionId") != self._session:
                continue
            match event.optional_string("method"):
                case "Log.entryAdded":
                    found.append(event.object("params").object("entry").string("text"))
                case "Runtime.exceptionThrown":
                    details = event.object("params").object("exceptionDetails")
                    found.append(details.string("text"))
        return found

    def requests(self) -> list[str]:
        """The addresses of all that the page has asked for."""
        return [
            event.object("params").object("request").string("url")
            for event in self._browser.events
            if event.optional_string("method") == "Network.requestWillBeSent"
            and event.optional_string("sessionId") == self._session
        ]


@contextlib.contextmanager
def open_browser(directory: Path) -> Iterator[Browser]:
    """A browser that keeps what it keeps below *directory*, until the block ends."""
    chromium = chromium_path()
    to_read, to_write = os.pipe()
    from_read, from_write = os.pipe()
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", _WRAPPER, str(to_read), str(from_write), chromium),
            *("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            *("--no-first-run", "--disable-dev-shm-usage", "--hide-scrollbars"),
            *(f"--user-data-dir={directory / 'profile'}", "--remote-debugging-pipe"),
        ],
        pass_fds=(to_read, from_write),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(to_read)
    os.close(from_write)
    browser = Browser(from_read, to_write)
    try:
        yield browser
        browser.ask("Browser.close")
    finally:
        os.close(to_write)
        os.close(from_read)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextlib.contextmanager
def open_page(
    browser: Browser, *, width: int = 1200, height: int = 900, scheme: str = "light"
) -> Iterator[Page]:
    """An empty page of such a size, in a ``light`` or ``dark`` scheme, until the block ends."""
    target = browser.ask("Target.createTarget", url="about:blank").string("targetId")
    attached = browser.ask("Target.attachToTarget", targetId=target, flatten=True)
    page = Page(browser, attached.string("sessionId"))
    for domain in ("Page", "Runtime", "Log", "Network"):
        page.ask(f"{domain}.enable")
    page.ask(
        "Emulation.setDeviceMetricsOverride",
        width=width,
        height=height,
        deviceScaleFactor=1,
        mobile=False,
    )
    features: list[JsonValue] = [{"name": "prefers-color-scheme", "value": scheme}]
    page.ask("Emulation.setEmulatedMedia", features=features)
    try:
        yield page
    finally:
        browser.ask("Target.closeTarget", targetId=target)
