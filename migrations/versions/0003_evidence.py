"""What spoke for an option when it was suggested."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.add_column("experiment_options", sa.Column("evidence", _JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("experiment_options", "evidence")
