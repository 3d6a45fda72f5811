"""Queries of studies: what was learnt last, and inputs that are held while something is made of them."""

from datetime import datetime

from sqlalchemy import JSON, Connection, and_, bindparam, delete, exists, func, select, type_coerce, update

from web.adapters.database.queries.common import counted
from web.adapters.database.queries.studies.diagnoses import best_steps, newest
from web.adapters.database.tables import diagnoses, inputs, options, ratings, studies
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

    def to_rate(self, project_id: str) -> Study | None:
        row = self.connection.execute(_TO_RATE, {"project": project_id}).mappings().first()
        return None if row is None else Study(**row)

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


# Asked with each request of a rater: it is built once.
_TO_RATE = (
    select(studies)
    .where(studies.c.project_id == bindparam("project"), studies.c.state.in_(("running", "paused", "finished")))
    .order_by((studies.c.state == "running").desc(), studies.c.id.desc())
    .limit(1)
)
