"""Edits of a version's texts: each quotes what it changes, and one that does not fit is refused, never bent."""

from collections.abc import Sequence

from ml_service.errors import InvalidRequest
from web.domain.evolution.reflection import Edit
from web.domain.prompts.prompt import PromptVersion

_CLOSING = tuple(".,;:!?)”’'\"")


def apply(parent: PromptVersion, edits: Sequence[Edit]) -> dict[str, dict[str, str]]:
    """Return the parent's components with the edits made in turn; InvalidRequest says which one does not fit."""
    slots = {
        f"{generator}.{slot}": (generator, slot) for generator, texts in parent.components.items() for slot in texts
    }
    made = {generator: dict(texts) for generator, texts in parent.components.items()}
    for number, edit in enumerate(edits, 1):
        if edit.slot not in slots:
            raise InvalidRequest(f"Edit {number} is of {edit.slot[:130]}; the texts there are {', '.join(slots)}.")
        if edit.slot in parent.slots_locked:
            raise InvalidRequest(f"Edit {number} is of {edit.slot}, which is locked.")
        generator, slot = slots[edit.slot]
        try:
            made[generator][slot] = edited(made[generator][slot], edit)
        except InvalidRequest as error:
            raise InvalidRequest(f"Edit {number} of {edit.slot} {error}") from error
    if made == parent.components:
        raise InvalidRequest("The edits change nothing.")
    return made


def edited(text: str, edit: Edit) -> str:
    """Return a text with one edit made; InvalidRequest goes on from “The edit”."""
    if (edit.kind == "remove") != (not edit.text.strip()):
        raise InvalidRequest("must have no new text." if edit.kind == "remove" else "has no new text.")
    if edit.kind == "add" and not edit.quote:
        return _joined(text, edit.text, "")
    if not edit.quote.strip():
        raise InvalidRequest("quotes nothing.")
    if edit.quote not in text:
        raise InvalidRequest(f"quotes “{edit.quote[:80]}”, which is not there.")
    if text.find(edit.quote) != text.rfind(edit.quote):
        raise InvalidRequest(f"quotes “{edit.quote[:80]}”, which is there more than once; quote more of it.")
    before, _, after = text.partition(edit.quote)
    if edit.kind == "add":
        return _joined(before + edit.quote, edit.text, after)
    if edit.kind == "replace":
        return before + edit.text + after
    return _closed(before, after)


def _joined(before: str, new: str, after: str) -> str:
    """Put a text between two others, with a space where words would run together."""
    left = "" if not before or before[-1].isspace() or new[0].isspace() or new.startswith(_CLOSING) else " "
    right = "" if not after or after[0].isspace() or new[-1].isspace() or after.startswith(_CLOSING) else " "
    return before + left + new + right + after


def _closed(before: str, after: str) -> str:
    """Close a gap, with one space where both sides had one, and none at either end."""
    if not before.strip():
        return after.lstrip()
    if not after.strip():
        return before.rstrip() + after.lstrip(" ")
    return before + after[1:] if before[-1].isspace() and after[0] == " " else before + after
