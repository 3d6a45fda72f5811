"""Pictures in a real browser: the kept table is what Chromium shows today, and what Palate shows comes out alike."""

from playwright.sync_api import Browser

from tests.samples.chromium import kept, measured


def test_the_kept_table_is_what_chromium_shows_today(browser: Browser) -> None:
    """The unit tests compare what comes out of the cleaner with this table, within 3 levels."""
    shown, told = measured(browser), kept()
    assert shown.keys() == told.keys()
    apart = {}
    for name, one in shown.items():
        other = told[name]
        if one is None or other is None:
            if one is not other:
                apart[name] = f"{one} for {other}"
        elif one.apart(other) > 1:
            apart[name] = f"{one} for {other}"
    assert apart == {}
