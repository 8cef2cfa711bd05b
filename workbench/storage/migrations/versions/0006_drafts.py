"""What a rater has written beside an item and not sent yet."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("rating_items", sa.Column("draft", sa.JSON(), nullable=True))
