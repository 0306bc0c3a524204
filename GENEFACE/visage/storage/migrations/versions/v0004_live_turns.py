"""Turns know what a live conversation leaves: captions, stages, how long question and answer were heard."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; what there is already was heard to its end."""
    with op.batch_alter_table("turns") as table:
        table.add_column(sa.Column("captions", sa.JSON, nullable=False, server_default="[]"))
        table.add_column(sa.Column("stages", sa.JSON, nullable=False, server_default="[]"))
        table.add_column(sa.Column("asked", sa.Float, nullable=False, server_default="0"))
        table.add_column(sa.Column("seconds", sa.Float, nullable=False, server_default="0"))
        table.add_column(sa.Column("heard", sa.Float, nullable=False, server_default="1"))
        table.add_column(sa.Column("frame", sa.Integer, nullable=False, server_default="0"))
