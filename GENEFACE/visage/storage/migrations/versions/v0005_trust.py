"""Consents, what was made from them, and the log of what was agreed to and made."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "consents",
        sa.Column("id", sa.String(32), primary_key=True),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("person", "giver", "statement", "proof_name")),
        *(sa.Column(name, sa.String(8), nullable=False) for name in ("scope", "language")),
        sa.Column("uses", sa.JSON, nullable=False),
        sa.Column("photos", sa.JSON, nullable=False),
        sa.Column("recording", sa.String(64), nullable=False),
        sa.Column("proof_kind", sa.String(16), nullable=False),
        sa.Column("proof_sha256", sa.String(64), nullable=False),
        sa.Column("proof_size", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("expires", sa.Float),
        sa.Column("revoked", sa.Float),
    )
    op.create_index("consents_owner", "consents", ["owner", "created"])
    op.create_table(
        "consent_things",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("consent", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
    )
    op.create_index("consent_things_consent", "consent_things", ["consent"])
    op.create_index("consent_things_path", "consent_things", ["path"])
    op.create_table(
        "audit",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("event", sa.String(32), nullable=False),
        sa.Column("subject", sa.String(128), nullable=False),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("facts", sa.JSON, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
    )
    op.create_index("audit_at", "audit", ["at"])
