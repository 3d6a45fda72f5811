"""Queries of prompts."""

from sqlalchemy import Connection, func, select

from ml_service.errors import NotFound
from web.adapters.database.queries.common import insert_once
from web.adapters.database.tables import feedback, prompt_pointers, prompt_versions, prompts
from web.domain.prompts.feedback import Feedback, FeedbackSummary
from web.domain.prompts.prompt import Pointer, PointerKind, VersionLine
from web.rows import prompts as rows

TOP_FAILURES = 5


class PromptQueries(rows.PromptQueries):
    """Named queries of prompts."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def lock(self, prompt_key: str, kind: PointerKind, name: str) -> Pointer:
        here = prompt_pointers.c
        query = select(prompt_pointers).where(here.prompt_key == prompt_key, here.kind == kind, here.name == name)
        row = self.connection.execute(query.with_for_update()).mappings().first()
        if row is None:
            raise NotFound(f"The prompt {prompt_key} has no {kind} {name}.")
        return Pointer(**row)

    def next_number(self, prompt_key: str) -> int:
        # The lock lets rows that refer to the prompt come and go, and those that publish it too.
        query = select(prompts.c.key).where(prompts.c.key == prompt_key)
        self.connection.execute(query.with_for_update(key_share=True))
        newest = select(func.max(prompt_versions.c.number)).where(prompt_versions.c.prompt_key == prompt_key)
        return int(self.connection.execute(newest).scalar() or 0) + 1

    def lines(self, prompt_key: str) -> tuple[VersionLine, ...]:
        here = prompt_versions.c
        query = select(here.id, here.number, here.name, here.status).where(here.prompt_key == prompt_key)
        return tuple(VersionLine(*row) for row in self.connection.execute(query.order_by(here.number)))

    def add_feedback_once(self, new: Feedback) -> bool:
        statement = insert_once(self.connection, feedback, feedback.c.id)
        return self.connection.execute(statement, new.__dict__).first() is not None

    def feedback(self, prompt_key: str) -> dict[str, FeedbackSummary]:
        here = feedback.c
        mine = here.version_id.in_(select(prompt_versions.c.id).where(prompt_versions.c.prompt_key == prompt_key))
        failed = func.count().filter(here.failure != "")
        query = select(here.version_id, func.count(), func.count(here.score), func.avg(here.score), failed)
        words = self._failures(prompt_key)
        rows = self.connection.execute(query.where(mine).group_by(here.version_id))
        return {row[0]: FeedbackSummary(row[1], row[2], row[3], row[4], words.get(row[0], {})) for row in rows}

    def comments(self, version_id: str, limit: int) -> tuple[Feedback, ...]:
        here = feedback.c
        telling = (here.version_id == version_id) & ((here.comment != "") | (here.failure != ""))
        query = select(feedback).where(telling).order_by(here.at.desc(), here.id.desc()).limit(limit)
        return tuple(Feedback(**row) for row in self.connection.execute(query).mappings())

    def _failures(self, prompt_key: str) -> dict[str, dict[str, int]]:
        """Return the commonest failures of each version with how often each came."""
        here = feedback.c
        mine = here.version_id.in_(select(prompt_versions.c.id).where(prompt_versions.c.prompt_key == prompt_key))
        rank = func.row_number().over(partition_by=here.version_id, order_by=(func.count().desc(), here.failure))
        counted = select(here.version_id, here.failure, func.count().label("times"), rank.label("rank"))
        ranked = counted.where(mine, here.failure != "").group_by(here.version_id, here.failure).subquery()
        query = select(ranked).where(ranked.c.rank <= TOP_FAILURES).order_by(ranked.c.version_id, ranked.c.rank)
        found: dict[str, dict[str, int]] = {}
        for version_id, failure, times, _ in self.connection.execute(query):
            found.setdefault(version_id, {})[failure] = times
        return found
