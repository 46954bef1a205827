"""A plug-in for devpi-server: only users who are logged in may read anything.

devpi has the hook but no setting for it; companies do this with a plug-in or a proxy in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from devpi_server.config import hookimpl
from pyramid.httpexceptions import HTTPUnauthorized  # type: ignore[import-untyped]

if TYPE_CHECKING:
    from collections.abc import Callable

_OPEN = ("/+login", "/+api", "/+status")


@hookimpl
def devpiserver_stage_get_principals_for_pkg_read(ixconfig: Any) -> list[str]:
    """Files are for users who are logged in."""
    del ixconfig
    return [":AUTHENTICATED:"]


@hookimpl
def devpiserver_pyramid_configure(config: Any, pyramid_config: Any) -> None:
    """Add the check before every view."""
    del config
    # Below the transaction: users are looked up in the database.
    pyramid_config.add_tween(
        "leakmon_devpi_read_access.tween", under="devpi_server.views.tween_keyfs_transaction"
    )


def tween(handler: Callable[[Any], Any], registry: Any) -> Callable[[Any], Any]:
    """Ask for a login where there is none."""
    del registry

    def checked(request: Any) -> Any:
        if not request.path.endswith(_OPEN) and request.authenticated_userid is None:
            return HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="devpi"'})
        return handler(request)

    return checked
