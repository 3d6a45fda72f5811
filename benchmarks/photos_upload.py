"""A folder of photos sent from Chromium to the real server, the tab closed half-way, and the folder chosen again."""

import re
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import BrowserContext, Page

from tests.journeys.browser import chromium
from tests.journeys.server import Server, serving, until
from web.adapters.generators.local import SPACE
from web.domain.studies.study import Study
from web.http.edge.session import COOKIE
from web.services.studies.studies import StudyDraft, make_study, move_study

SIDE = 190  # pixels of noise: about 50 kB
FOLDER = "holiday"
PATIENCE_MS = 600_000


@dataclass(frozen=True)
class Sent:
    """What came of it: files there were, photos stored, what the page said, how long it took, and memory at most."""

    files: int
    at_closing: int
    stored: int
    said: str
    seconds: float
    megabytes: float

    @property
    def is_right(self) -> bool:
        """Tell whether each file is stored once, and the page says so."""
        return self.stored == self.files and f"{FOLDER}: {self.files:,} added, 0 there already, 0 refused." in self.said

    def __str__(self) -> str:
        verdict = "right" if self.is_right else f"wrong: {self.said}"
        return (
            f"{self.files:,} files, the tab closed when {self.at_closing:,} were there: {self.stored:,} stored, the "
            f"summary {verdict}; {self.seconds:.0f} s, the web process at most {self.megabytes:.0f} MB"
        )


def sent_with_a_closed_tab(files: int) -> Sent:
    """Send so many files, close the tab half-way, and send them again."""
    with tempfile.TemporaryDirectory() as place, serving(Path(place)) as server, chromium() as browser:
        folder = _folder(Path(place), files)
        study = make_study(server.parts, server.operator, StudyDraft("Photos", {"local": SPACE}))
        move_study(server.parts, server.operator, study.id, "paused")  # only taking in is measured
        context = browser.new_context(base_url=server.url)
        secret = server.session_of("admin@example.org", "admin")
        context.add_cookies([{"name": COOKIE, "value": secret, "url": server.url}])
        began = time.monotonic()
        first = _choose(context, study, folder)
        until("half of the photos", lambda: _stored(server, study) >= files // 2)
        first.close()
        at_closing = _stored(server, study)
        said = _said(_choose(context, study, folder))
        return Sent(files, at_closing, _stored(server, study), said, time.monotonic() - began, _peak(server))


def _folder(place: Path, files: int) -> Path:
    folder = place / FOLDER
    random = np.random.default_rng(0)
    for number in range(files):
        path = folder / f"day {number % 7}" / f"photo {number:04}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = random.integers(0, 255, (SIDE, SIDE, 3), np.uint8)
        path.write_bytes(cv2.imencode(".jpg", noise, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())
    return folder


def _choose(context: BrowserContext, study: Study, folder: Path) -> Page:
    page = context.new_page()
    page.goto(f"/admin/studies/{study.id}/photos")
    page.locator("input[data-folder]").set_input_files(folder)
    return page


def _said(page: Page) -> str:
    page.wait_for_selector("[data-done] .notice", timeout=PATIENCE_MS)
    return page.locator("[data-done]").inner_text()


def _stored(server: Server, study: Study) -> int:
    with server.store.read() as tx:
        return tx.of_reports.photo_counts(study.id).photos


def _peak(server: Server) -> float:
    """Return the most memory that the web process ever had, in MB."""
    assert server.process is not None
    told = Path(f"/proc/{server.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", told)
    return int(found[1]) / 1000 if found else float("nan")
