"""Studies stop by their rules, may start from another's ratings, and keep what is set of the optimizer."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_JSON = sa.JSON(none_as_null=True)
_SETTINGS = '{"exploration": 1.0, "initial": 10}'
_STUDIES = sa.table(
    "studies",
    *(sa.column(name) for name in ("id", "options_per_experiment", "raters_wanted")),
    sa.column("stop", _JSON),
)


def upgrade() -> None:
    with op.batch_alter_table("studies") as batch:
        batch.add_column(sa.Column("stopped", _JSON, nullable=True))
        batch.add_column(sa.Column("optimizer", _JSON, nullable=False, server_default=_SETTINGS))
        batch.add_column(sa.Column("starts_from", sa.String(36), nullable=True))
        batch.drop_constraint(op.f("ck_studies_state_known"), type_="check")
        batch.create_check_constraint(
            op.f("ck_studies_state_known"), "state IN ('running', 'paused', 'finished', 'archived')"
        )
    with op.batch_alter_table("studies") as batch:
        batch.alter_column("optimizer", existing_type=_JSON, server_default=None)
    _rewrite_rules(_in_ratings)


def downgrade() -> None:
    op.execute("UPDATE studies SET state = 'paused' WHERE state = 'finished'")
    _rewrite_rules(_in_samples)
    with op.batch_alter_table("studies") as batch:
        batch.drop_constraint(op.f("ck_studies_state_known"), type_="check")
        batch.create_check_constraint(op.f("ck_studies_state_known"), "state IN ('running', 'paused', 'archived')")
        for column in ("starts_from", "optimizer", "stopped"):
            batch.drop_column(column)


def _rewrite_rules(rewritten: Any) -> None:
    connection = op.get_bind()
    for row in connection.execute(sa.select(_STUDIES)).mappings().all():
        a_sample = row["options_per_experiment"] * row["raters_wanted"]
        stop = rewritten(row["stop"], a_sample)
        connection.execute(sa.update(_STUDIES).where(_STUDIES.c.id == row["id"]).values(stop=stop))


def _in_ratings(stop: dict[str, Any], a_sample: int) -> dict[str, Any]:
    """Count ratings where samples were counted: a sample had one for each option and rater wanted."""
    kept = {name: stop.get(name) for name in ("goal", "budget_micros")}
    patience, samples = stop.get("patience"), stop.get("samples")
    return kept | {"patience": patience and patience * a_sample, "ratings": samples and samples * a_sample}


def _in_samples(stop: dict[str, Any], a_sample: int) -> dict[str, Any]:
    kept = {name: stop.get(name) for name in ("goal", "budget_micros")}
    patience, ratings = stop.get("patience"), stop.get("ratings")
    return kept | {"patience": patience and -(-patience // a_sample), "samples": ratings and -(-ratings // a_sample)}
