"""Prompts, versions, pointers, and what production said."""

from typing import Protocol

from web.domain.prompts.feedback import Feedback, FeedbackSummary
from web.domain.prompts.prompt import Pointer, PointerKind, Prompt, PromptVersion, VersionLine
from web.rows.audit import AuditRows
from web.rows.collection import Collection


class PromptQueries(Protocol):
    """Named queries of prompts."""

    def lock(self, prompt_key: str, kind: PointerKind, name: str) -> Pointer:
        """Return a pointer as it stands, which nobody else moves or publishes until this transaction ends."""
        ...

    def next_number(self, prompt_key: str) -> int:
        """Return the number of a prompt's next version, which nobody else is given until this transaction ends."""
        ...

    def lines(self, prompt_key: str) -> tuple[VersionLine, ...]:
        """Return what there is of a prompt's versions without what is in them, oldest first."""
        ...

    def add_feedback_once(self, new: Feedback) -> bool:
        """Insert a report unless its id is taken; tell whether it went in."""
        ...

    def feedback(self, prompt_key: str) -> dict[str, FeedbackSummary]:
        """Sum up what production said, by the id of the version; versions nobody reported on are left out."""
        ...

    def comments(self, version_id: str, limit: int) -> tuple[Feedback, ...]:
        """Return the newest reports on a version that say something in words or name a failure."""
        ...


class PromptRows(Protocol):
    """Prompts, versions, pointers, and what production said."""

    prompts: Collection[Prompt]
    versions: Collection[PromptVersion]
    pointers: Collection[Pointer]
    feedback: Collection[Feedback]
    of_prompts: PromptQueries


class PromptHistoryRows(PromptRows, AuditRows, Protocol):
    """Prompts with the events that say what was live when."""
