"""What a request may consist of: text that can be kept and shown again, and numbers that are some."""

import math
import re
from collections.abc import Iterator
from typing import Any

from fastapi import Request
from starlette.datastructures import FormData

from ml_service.errors import InvalidRequest
from web.http.edge.csrf import FORM_TYPES, SAFE

# No database keeps a NUL in text on every engine, and half of a surrogate pair is in no encoding at all.
_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
TEXT = "Text may hold neither a NUL character nor half of a surrogate pair; take it out and send the rest."
NUMBER = "A number must be finite; NaN and Infinity are none."


async def refuse_malformed(request: Request) -> None:
    """Refuse what the framework lets through and nothing behind it can keep, wherever in a request it is."""
    if "\x00" in request.scope["path"] or b"%00" in request.scope["query_string"]:
        raise InvalidRequest(TEXT)
    if request.method in SAFE:
        return
    kind = request.headers.get("content-type", "")
    if kind.startswith(FORM_TYPES):
        _check(_fields(await request.form()))
    elif "json" in kind:
        _check(_values(await _parsed(request)))


async def _parsed(request: Request) -> Any:
    """Return the body, or None where it cannot be read, which the route says better if it wants it at all."""
    try:
        return await request.json()
    except (ValueError, RecursionError):
        return None


def _check(values: Iterator[Any]) -> None:
    for value in values:
        if isinstance(value, str) and _UNKEEPABLE.search(value):
            raise InvalidRequest(TEXT)
        if isinstance(value, float) and not math.isfinite(value):
            raise InvalidRequest(NUMBER)


def _fields(form: FormData) -> Iterator[str]:
    for name, value in form.multi_items():
        yield name
        yield value if isinstance(value, str) else value.filename or ""


def _values(parsed: Any) -> Iterator[Any]:
    """Yield every name and value of a JSON document; it may be nested too deeply for recursion."""
    left = [parsed]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            left += value
        else:
            yield value
