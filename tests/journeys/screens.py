"""Screens that pages are looked at on, and what holds on each of them."""

import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.journeys.server import until
from tests.journeys.test_accessible import SCHEMES, assert_accessible

DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"}
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 844},
    "color_scheme": "dark",
    "has_touch": True,
    "is_mobile": True,
}
SCREENS = {"desk": DESK, "phone": PHONE}
SHOTS = os.environ.get("PALATE_SCREENSHOTS")
OVER = "() => document.readyState === 'complete' && [...document.images].every(image => image.complete)"
UNSEEN = "() => [...document.images].filter(image => !image.complete || !image.naturalWidth).map(image => image.alt)"


def look(page: Page, name: str) -> None:
    """Hold a page to what every page must be, and keep pictures of it where somebody wants to see it."""
    for image in page.locator("main img").all():
        image.scroll_into_view_if_needed()
    until(f"all of {name}", lambda: page.evaluate(OVER))
    assert page.evaluate(UNSEEN) == [], f"{name} has images that cannot be seen"
    assert page.viewport_size is not None
    wide = page.evaluate("document.scrollingElement.scrollWidth") - page.viewport_size["width"]
    assert wide <= 0, f"{name} is {wide} px too wide"
    assert_accessible(page)
    if SHOTS:
        for scheme in SCHEMES:
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=Path(SHOTS) / f"{name}-{scheme}.png", full_page=True)
        page.emulate_media()
