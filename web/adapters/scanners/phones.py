"""Phone numbers, as the phonenumbers library knows those of all countries."""

import re

from web.domain.prompts.hostile import Finding
from web.hooks import implements

REGIONS = (None, "US", "GB")  # where a phone number is read as one without its country; None wants the country
_DIGITS = re.compile(r"[+(]?\d[\d\s()./-]{5,24}\d")


@implements
def scan(text: str) -> list[Finding]:
    """Return the phone numbers in a text."""
    return [Finding("personal", *match.span()) for match in _DIGITS.finditer(text) if _is_phone(match[0])]


def _is_phone(digits: str) -> bool:
    import phonenumbers  # a tenth of a second, and only texts with such digits need it

    return any(any(phonenumbers.PhoneNumberMatcher(digits, region)) for region in REGIONS)
