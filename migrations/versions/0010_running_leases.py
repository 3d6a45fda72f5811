"""Only running leases are looked for by their end; an index that has the others too misleads the query planner."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"

_HELD = sa.text("state = 'held'")


def upgrade() -> None:
    op.drop_index(op.f("ix_leases_state_until"), "leases")
    op.create_index(op.f("ix_leases_held_until"), "leases", ["until"], sqlite_where=_HELD, postgresql_where=_HELD)


def downgrade() -> None:
    op.drop_index(op.f("ix_leases_held_until"), "leases")
    op.create_index(op.f("ix_leases_state_until"), "leases", ["state", "until"])
