"""One GraphQL query for a hundred repositories: last push, newest release, default branch.

Source: GitHub's GraphQL reference, ``RepositoryOwner.repositories``; a query costs one point.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from monitor.errors import NotFoundError, TargetError
from monitor.registries.npm import time_of
from monitor.watchers import holdings
from monitor.watchers.holdings import Holding, Holdings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.registries.rest import Rest

QUERY = """
query($login: String!, $after: String) {
  repositoryOwner(login: $login) {
    repositories(first: 100, after: $after, privacy: PUBLIC, ownerAffiliations: OWNER,
                 orderBy: {field: PUSHED_AT, direction: DESC}) {
      nodes {
        databaseId nameWithOwner isFork isPrivate pushedAt
        releases(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) {
          nodes { databaseId updatedAt releaseAssets(first: 1) { totalCount } }
        }
        refs(refPrefix: "refs/", first: 1) { totalCount }
        defaultBranchRef { target { oid } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""


async def rows(rest: Rest, url: str, login: str, most_pages: int) -> list[dict[str, Any]]:
    """The nodes of all pages. Raises NotFoundError for an owner that is none, TargetError."""
    found: list[dict[str, Any]] = []
    after: str | None = None
    for _ in range(most_pages):
        told = await rest.ask(url, {"query": QUERY, "variables": {"login": login, "after": after}})
        owner = told.get("repositoryOwner")
        if owner is None:
            raise NotFoundError(f"github:{login}: there is no such owner")
        listed = _of(_of(owner).get("repositories"))
        nodes = listed.get("nodes")
        if not isinstance(nodes, list):
            raise TargetError(f"{url}: no list of repositories", reason="bad-answer")
        found += [each for each in nodes if isinstance(each, dict)]
        about = _of(listed.get("pageInfo"))
        cursor = about.get("endCursor")
        if about.get("hasNextPage") is not True:
            return found
        if not isinstance(cursor, str) or cursor == after:
            raise TargetError(f"{url}: a list without end", reason="bad-answer")
        after = cursor
    raise TargetError(f"{url}: more than {most_pages} pages", reason="too-many")


def holdings_of(nodes: Sequence[Mapping[str, Any]]) -> Holdings:
    """The public repositories of the nodes. Nodes without sense are left out."""
    found: Holdings = {}
    for node in nodes:
        name, number = node.get("nameWithOwner"), node.get("databaseId")
        if not isinstance(name, str) or not holdings.is_name(name) or name.count("/") != 1:
            continue
        if node.get("isPrivate") is True:
            continue
        found[name] = Holding(
            number if isinstance(number, int) else 0,
            holdings.epoch(time_of(node.get("pushedAt"))),
            _mark(node),
            node.get("isFork") is True,
        )
    return found


def _mark(node: Mapping[str, Any]) -> str:
    """Changes with the newest release, its assets, the number of refs and the default branch."""
    releases = _of(node.get("releases")).get("nodes")
    newest = _of(releases[0]) if isinstance(releases, list) and releases else {}
    assets = _of(newest.get("releaseAssets")).get("totalCount")
    target = _of(_of(node.get("defaultBranchRef")).get("target")).get("oid")
    refs = _of(node.get("refs")).get("totalCount")
    told = (newest.get("databaseId"), newest.get("updatedAt"), assets, refs, target)
    return ":".join("" if each is None else str(each)[:64] for each in told)


def _of(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
