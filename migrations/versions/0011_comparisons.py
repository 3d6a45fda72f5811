"""A/B tests may compare versions of which none is live."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"

_TESTS = sa.table(
    "ab_tests",
    sa.column("id"),
    sa.column("kind"),
    sa.column("state"),
    sa.column("decision", sa.JSON(none_as_null=True)),
)


def upgrade() -> None:
    _allow("kind IN ('challenge', 'hold_back', 'comparison')")


def downgrade() -> None:
    _stop_comparisons()
    _allow("kind IN ('challenge', 'hold_back')")


def _allow(condition: str) -> None:
    with op.batch_alter_table("ab_tests") as batch:
        batch.drop_constraint(op.f("ck_ab_tests_kind_known"), type_="check")
        batch.create_check_constraint(op.f("ck_ab_tests_kind_known"), condition)


def _stop_comparisons() -> None:
    """Leave each as a test that was stopped: before, nobody knew of winners that are not to go live."""
    connection = op.get_bind()
    for row in connection.execute(sa.select(_TESTS).where(_TESTS.c.kind == "comparison")).mappings().all():
        decision = {**(row["decision"] or {"evidence": []}), "outcome": "stopped", "winner": None}
        values = {"kind": "challenge", "state": "stopped", "decision": decision}
        connection.execute(_TESTS.update().where(_TESTS.c.id == row["id"]).values(values))
