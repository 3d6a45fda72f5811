"""What was sent by a form: its fields, and the words and numbers that were typed into them."""

from math import isfinite
from typing import Annotated

from fastapi import Depends, Request
from starlette.datastructures import FormData

from ml_service.errors import InvalidRequest


async def form_fields(request: Request) -> FormData:
    """Return what a form sent."""
    return await request.form()


Fields = Annotated[FormData, Depends(form_fields)]


def written(fields: FormData, name: str) -> str:
    """Return a field as it was typed, or "" where it is none; browsers end lines with two characters, we with one."""
    value = fields.get(name, "")
    return value.replace("\r\n", "\n") if isinstance(value, str) else ""


def text(fields: FormData, name: str) -> str:
    """Return what was typed into a field, without what is blank around it."""
    return written(fields, name).strip()


def revision(fields: FormData) -> int:
    """Return the revision that a form was made from, or one that no row has."""
    typed = text(fields, "revision")
    return int(typed) if typed.isdecimal() and len(typed) < 10 else -1


def figure(label: str, typed: str, *, whole: bool) -> float:
    """Return a number that was typed, or raise InvalidRequest with what it should be."""
    kind = "a whole number" if whole else "a number"
    try:
        value = float(typed)
    except ValueError:
        raise InvalidRequest(f"{label} must be {kind}, not {typed[:20]!r}.") from None
    if not isfinite(value) or (whole and value != int(value)):
        raise InvalidRequest(f"{label} must be {kind}, not {typed[:20]!r}.")
    return int(value) if whole else value
