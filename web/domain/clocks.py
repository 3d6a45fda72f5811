"""Clocks that do not tell what they told before: by how much they may differ without harm."""

from datetime import datetime, timedelta

JUMP = timedelta(minutes=10)  # more than machines of one place differ by, and less than anybody plans ahead


def is_ahead(dated: datetime, now: datetime) -> bool:
    """Tell whether something was dated by a clock that was far ahead of the one that says what time it is now."""
    return dated - now > JUMP
