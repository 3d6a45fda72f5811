"""Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP *.test 127.0.0.1",  # names that browsers do not trust as they trust localhost
)


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """Run a browser, with more arguments, until the block is left."""
    program = shutil.which("chromium")
    if program is None:
        raise RuntimeError("Journeys need Chromium: install it (apt-get install chromium) and put it on the PATH.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=[*ARGUMENTS, *more])
        yield browser
        browser.close()
