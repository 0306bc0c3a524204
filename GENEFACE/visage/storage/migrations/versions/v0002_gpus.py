"""Jobs know the device they asked for, the GPU they got, their container, and how far a lost attempt had come."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns and the index by which a free GPU is found."""
    with op.batch_alter_table("jobs") as table:
        table.add_column(sa.Column("device", sa.String(16), nullable=False, server_default="auto"))
        table.add_column(sa.Column("gpu", sa.Integer))
        table.add_column(sa.Column("container", sa.Boolean, nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("reached", sa.Float, nullable=False, server_default="0"))
    op.create_index("jobs_lane_state_gpu", "jobs", ["lane", "state", "gpu"])
