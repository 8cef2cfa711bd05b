"""What evaluation keeps: reasons of scores, tags on rows, races, and tokens' alternatives."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("completions", sa.Column("top_logprobs", sa.Text(), nullable=True))
    op.add_column("scores", sa.Column("blocks", sa.Text(), nullable=True))
    op.add_column("scores", sa.Column("reasons", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("race", sa.JSON(), nullable=True))
    op.create_table(
        "row_tags",
        sa.Column("dataset", sa.String(length=100), nullable=False),
        sa.Column("row_id", sa.Text(), nullable=False),
        sa.Column("tag", sa.String(length=60), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("dataset", "row_id", "tag"),
    )
