"""Finished evaluations."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the table and the indexes by which avatars and clips find theirs."""
    op.create_table(
        "evaluations",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("job", sa.String(32), nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("pred", sa.Text, nullable=False),
        sa.Column("truth", sa.Text, nullable=False),
        sa.Column("region", sa.String(16), nullable=False),
        sa.Column("avatar", sa.String(64), nullable=False),
        sa.Column("clip", sa.String(32), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("figures", sa.JSON, nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_index("evaluations_avatar", "evaluations", ["avatar", "created"])
    op.create_index("evaluations_clip", "evaluations", ["clip", "created"])
    op.create_index("evaluations_created", "evaluations", ["created"])
