"""Queries of studies: what was learnt last, and inputs that are held while something is made of them."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
    type_coerce,
    update,
)

from web.adapters.database.queries.common import counted
from web.adapters.database.queries.studies.diagnoses import best_steps, newest
from web.adapters.database.tables import (
    assignments,
    diagnoses,
    inputs,
    leases,
    memberships,
    options,
    panel_members,
    ratings,
    studies,
)
from web.domain.studies.assigning import Mine
from web.domain.studies.stopping import Figures, Recommended
from web.domain.studies.study import Input, Learnt, Study
from web.rows import studies as rows

KEPT_DIAGNOSES = 20
KEPT_STEPS = 40  # of the older ones, about so many, evenly over the ratings
FINEST_STEP = 5


class StudyQueries(rows.StudyQueries):
    """Named queries of studies."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def newest_diagnosis(self, study_id: str) -> Learnt | None:
        query = select(diagnoses).where(diagnoses.c.study_id == study_id).order_by(diagnoses.c.made_at.desc()).limit(1)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else Learnt(**row)

    def make_newest(self, diagnosis_id: str, now: datetime) -> None:
        self.connection.execute(update(diagnoses).where(diagnoses.c.id == diagnosis_id).values(made_at=now))

    def forget_old_diagnoses(self, study_id: str) -> None:
        used = type_coerce(diagnoses.c.diagnosis, JSON)["ratings_used"].as_integer()
        query = select(diagnoses.c.id, used).where(diagnoses.c.study_id == study_id)
        kept = self.connection.execute(query.order_by(diagnoses.c.made_at.desc(), diagnoses.c.id.desc())).all()
        step, places, superfluous = _step(max((row[1] for row in kept), default=0)), set[int](), []
        for diagnosis_id, ratings_used in kept[KEPT_DIAGNOSES:]:
            if ratings_used // step in places:
                superfluous.append(diagnosis_id)
            places.add(ratings_used // step)
        if superfluous:
            self.connection.execute(delete(diagnoses).where(diagnoses.c.id.in_(superfluous)))

    def newest(self, project_id: str) -> Study | None:
        row = self.connection.execute(_NEWEST, {"project": project_id}).mappings().first()
        return None if row is None else Study(**row)

    def mine(self, project_id: str, rater_id: str, asked: str) -> tuple[Mine, ...]:
        known = {"project": project_id, "rater": rater_id, "asked": asked}
        return tuple(_mine(dict(row)) for row in self.connection.execute(_MINE, known).mappings())

    def resting(self, project_id: str, rater_id: str) -> Study | None:
        row = self.connection.execute(_RESTING, {"project": project_id, "rater": rater_id}).mappings().first()
        return None if row is None else Study(**row)

    def seen_by(self, project_id: str, rater_id: str) -> tuple[Study, ...]:
        rows = self.connection.execute(_SEEN, {"project": project_id, "rater": rater_id})
        return tuple(Study(**row) for row in rows.mappings())

    def lock(self, study_id: str) -> Study:
        query = select(studies).where(studies.c.id == study_id).with_for_update(key_share=True)
        return Study(**self.connection.execute(query).mappings().one())

    def hold(self, study_id: str) -> Study:
        query = select(studies).where(studies.c.id == study_id).with_for_update(read=True)
        return Study(**self.connection.execute(query).mappings().one())

    def figures(self, study_id: str) -> Figures:
        scored = select(func.count()).where(counted(study_id), ratings.c.score.is_not(None))
        spent = select(func.coalesce(func.sum(options.c.cost_micros), 0)).where(options.c.study_id == study_id)
        count = self.connection.execute(scored).scalar_one()
        learnt = newest(self.connection, study_id, count)
        history = [Recommended(step.ratings, step.rating.mean) for step in best_steps(self.connection, study_id, count)]
        return Figures(
            ratings=count,
            spent_micros=int(self.connection.execute(spent).scalar_one()),
            diagnosis=learnt.diagnosis if learnt else None,
            history=tuple(history),
        )

    def price(self, study_id: str) -> int:
        made = and_(options.c.study_id == study_id, options.c.state.in_(("ready", "spare")))
        mean = select(func.avg(options.c.cost_micros)).where(made)
        return round(self.connection.execute(mean).scalar_one() or 0)

    def lock_input(self, input_id: str) -> Input | None:
        query = select(inputs).where(inputs.c.id == input_id).with_for_update(key_share=True)
        row = self.connection.execute(query).mappings().first()
        return None if row is None else Input(**row)

    def has_grown(self, study_id: str, since: str) -> bool:
        later = exists().where(inputs.c.id > since, inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
        return bool(self.connection.execute(select(later)).scalar_one())

    def hold_inputs(self, study_id: str, input_id: str | None = None) -> tuple[Input, ...]:
        query = select(inputs).where(inputs.c.study_id == study_id, inputs.c.removed_at.is_(None))
        if input_id is not None:
            query = query.where(inputs.c.id == input_id)
        held = self.connection.execute(query.order_by(inputs.c.id).with_for_update(read=True))
        return tuple(Input(**row) for row in held.mappings())


def _step(ratings_used: int) -> int:
    """Return how many ratings lie between two older diagnoses that are kept: a doubling keeps some of those kept."""
    step = FINEST_STEP
    while ratings_used > step * KEPT_STEPS:
        step *= 2
    return step


def _mine(row: dict[str, Any]) -> Mine:
    told = {name: row.pop(f"assigned_{name}") for name in ("kind", "share", "place", "set_at")}
    chosen = row.pop("rates")
    return Mine(Study(**row), **told, chosen=chosen == row["id"])


_PROJECT: BindParameter[str] = bindparam("project")
_RATER: BindParameter[str] = bindparam("rater")
_PANELS = select(panel_members.c.panel_id).where(panel_members.c.user_id == _RATER)
_THEIRS = or_(assignments.c.kind == "everyone", assignments.c.user_id == _RATER, assignments.c.panel_id.in_(_PANELS))
_ASSIGNED = exists().where(assignments.c.study_id == studies.c.id, _THEIRS)
# Since when a study is theirs by an assignment: who joins a panel later has not had it before.
_JOINED = panel_members.c.created_at
_SINCE = case((assignments.c.set_at < _JOINED, _JOINED), else_=assignments.c.set_at)
# Asked with each request of a rater: it is built once.
_MINE = (
    select(
        studies,
        *(assignments.c[name].label(f"assigned_{name}") for name in ("kind", "share", "place")),
        _SINCE.label("assigned_set_at"),
        memberships.c.rates,
    )
    .join(assignments, assignments.c.study_id == studies.c.id)
    .join(memberships, and_(memberships.c.project_id == studies.c.project_id, memberships.c.user_id == _RATER))
    .outerjoin(
        panel_members, and_(panel_members.c.panel_id == assignments.c.panel_id, panel_members.c.user_id == _RATER)
    )
    .where(
        studies.c.project_id == _PROJECT, or_(studies.c.state == "running", studies.c.id == bindparam("asked")), _THEIRS
    )
)
_RESTING = (
    select(studies)
    .where(studies.c.project_id == _PROJECT, studies.c.state.in_(("paused", "finished")), _ASSIGNED)
    .order_by(studies.c.id.desc())
    .limit(1)
)
_SEEN = (
    select(studies)
    .where(
        studies.c.project_id == _PROJECT,
        or_(_ASSIGNED, exists().where(leases.c.study_id == studies.c.id, leases.c.rater_id == _RATER)),
    )
    .order_by(studies.c.id)
)
_NEWEST = (
    select(studies)
    .where(studies.c.project_id == bindparam("project"), studies.c.state.in_(("running", "paused", "finished")))
    .order_by((studies.c.state == "running").desc(), studies.c.id.desc())
    .limit(1)
)
