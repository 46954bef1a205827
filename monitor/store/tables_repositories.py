"""The schema: repositories, what their refs pointed to, and which commits and files were seen."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from monitor.store.columns import Row


class RepositoryRow(Row):
    """A package that is a repository. ``head`` is the commit of its default branch, if known."""

    __tablename__ = "repositories"

    package_id: Mapped[int] = mapped_column(
        ForeignKey("packages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    address: Mapped[str]
    head: Mapped[str]
    first_looked_at: Mapped[datetime]
    looked_at: Mapped[datetime]


class RefRow(Row):
    """What a ref points to, or pointed to until ``left_at``: an old id may still be fetched."""

    __tablename__ = "repository_refs"

    package_id: Mapped[int] = mapped_column(
        ForeignKey("packages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    name: Mapped[str] = mapped_column(primary_key=True)
    commit_id: Mapped[str] = mapped_column(primary_key=True)
    seen_at: Mapped[datetime]
    left_at: Mapped[datetime | None]


class CommitRow(Row):
    """A commit that was or is to be inspected, with the artifact that it is part of."""

    __tablename__ = "repository_commits"

    package_id: Mapped[int] = mapped_column(
        ForeignKey("packages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    commit_id: Mapped[str] = mapped_column(primary_key=True)
    artifact_id: Mapped[int] = mapped_column(
        ForeignKey("artifacts.id", ondelete="CASCADE"), index=True
    )
    number: Mapped[int]
    ref: Mapped[str]
    is_away: Mapped[bool]


class BlobRow(Row):
    """A file in which the rules of ``rules_digest`` found nothing: it is not looked at again."""

    __tablename__ = "repository_blobs"

    package_id: Mapped[int] = mapped_column(
        ForeignKey("packages.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    blob_id: Mapped[str] = mapped_column(primary_key=True)
    rules_digest: Mapped[str]
