"""How long a server wants to be left alone, from the headers of its answer."""

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?(?:ms|s|m|h))+")  # 6m0s, 20ms
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_NUMBER = re.compile(r"\d{1,9}(?:\.\d{1,9})?")


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds to wait, or None where the server does not say so in a way that is understood.

    Retry-After is a number or a date (RFC 9110, section 10.2.3), `retry-after-ms` a number; without either, the limit
    that is used up says when it is renewed.
    """
    milliseconds = headers.get("retry-after-ms", "").strip()
    if _NUMBER.fullmatch(milliseconds):
        return float(milliseconds) / 1000
    if "retry-after" in headers:
        return _moment(headers["retry-after"].strip(), now)
    resets = [
        _duration(headers.get(f"x-ratelimit-reset-{of}", ""))
        for of in ("requests", "tokens")
        if headers.get(f"x-ratelimit-remaining-{of}") == "0"
    ]
    return max((reset for reset in resets if reset is not None), default=None)


def _moment(text: str, now: datetime) -> float | None:
    if _NUMBER.fullmatch(text):
        return float(text)
    try:
        return max((parsedate_to_datetime(text) - now).total_seconds(), 0.0)
    except (ValueError, TypeError, OverflowError):  # no date, or one without a zone
        return None


def _duration(text: str) -> float | None:
    if not _TIME.fullmatch(text):
        return None
    return sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
