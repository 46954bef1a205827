"""The leakmon after this one: what a rolling upgrade brings, made of this one.

It has one more revision of the schema, which lets this leakmon stay, and writes the next form of
payloads; everything else is the same program.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from monitor.model import PAYLOAD_VERSION
from monitor.store import migrations

REVISION = "9999"
FORM = PAYLOAD_VERSION + 1
ROOT = Path(__file__).parents[2]

_SCRIPT = """
import sqlalchemy as sa

from alembic import op

revision = "{revision}"
down_revision = "{before}"
works_with = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("jobs") as table:
        table.add_column(sa.Column("of_next_version", sa.Text(), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table("jobs") as table:
        table.drop_column("of_next_version")
"""


def make(folder: Path) -> Path:
    """Its checkout, for ``PYTHONPATH``."""
    left_out = shutil.ignore_patterns("__pycache__")
    for name in ("monitor", "alembic"):
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    (folder / "rules").symlink_to(ROOT / "rules")
    work = folder / "monitor" / "model" / "work.py"
    text, count = re.subn(
        r"(?m)^PAYLOAD_VERSION = \d+$", f"PAYLOAD_VERSION = {FORM}", work.read_text()
    )
    assert count == 1
    work.write_text(text)
    script = _SCRIPT.format(revision=REVISION, before=migrations.revisions()[-1])
    (folder / "alembic" / "versions" / f"{REVISION}_next.py").write_text(script)
    return folder
