"""The names in source maps: shown harmlessly, and told whose they are."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.archive import map_names


@pytest.mark.parametrize(
    ("name", "shown", "is_first_party"),
    [
        ("webpack://ns/./src/x.ts?1a2b", "src/x.ts", True),
        ("webpack://_N_E/./app/page.tsx", "app/page.tsx", True),
        ("webpack://@acme/console/./src/a.js", "src/a.js", True),
        ("webpack://@acme/console/src/a.js", "src/a.js", True),
        ("webpack://ns/../shared/a.js", "../shared/a.js", True),
        ("webpack:///src/a.js", "src/a.js", True),
        ("webpack:///./node_modules/react/index.js", "node_modules/react/index.js", False),
        ("webpack:///./~/react/index.js", "~/react/index.js", False),
        ("webpack://ns/webpack/runtime/chunk", "webpack/runtime/chunk", False),
        ("webpack:///(webpack)/buildin/module.js", "(webpack)/buildin/module.js", False),
        ("webpack:///./node_modules/css-loader!./src/x.css", "src/x.css", False),
        ('webpack://ns/external "react"', 'external "react"', False),
        ("turbopack:///[project]/src/b.ts", "src/b.ts", True),
        ("turbopack:///[next]/internal/font.js", "[next]/internal/font.js", False),
        (
            "turbopack:///[project]/node_modules/.pnpm/x@1/i.js",
            "node_modules/.pnpm/x@1/i.js",
            False,
        ),
        ("/[metro-project]/App.tsx", "App.tsx", True),
        ("file:///Users/jo/work/a.ts", "Users/jo/work/a.ts", True),
        ("C:\\work\\app\\a.ts", "C:/work/app/a.ts", True),
        ("..\\node_modules\\x\\i.js", "../node_modules/x/i.js", False),
        (
            "../../../packages/internal-billing/a.ts",
            "../../../packages/internal-billing/a.ts",
            True,
        ),
        ("../../../etc/cron.d/x", "../../../etc/cron.d/x", True),
        ("%2e%2e/node_modules%2Fx.js", "%2e%2e/node_modules%2Fx.js", False),
        ("\0commonjsHelpers.js", "\\x00commonjsHelpers.js", False),
        ("\0virtual:entry", "\\x00virtual:entry", False),
        ("virtual:config", "virtual:config", False),
        ("a\u202egnp.ts", "a\\u202egnp.ts", True),
        ("../../vite/preload-helper.js", "../../vite/preload-helper.js", False),
        (
            "/rustc/" + "0a" * 20 + "/library/core/a.rs",
            "rustc/" + "0a" * 20 + "/library/core/a.rs",
            False,
        ),
        ("", "(unnamed 7)", True),
        ("my_node_modules/a.ts", "my_node_modules/a.ts", True),
    ],
)
def test_names_are_shown_and_classified(name: str, shown: str, is_first_party: bool) -> None:  # noqa: FBT001 - a table's column
    assert map_names.display(name, 7) == shown
    assert map_names.is_first_party(name) is is_first_party


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_name_is_shown_printably(root: str, name: str) -> None:
    shown = map_names.display(map_names.joined(root, name), 1)
    assert shown
    assert shown.isprintable()
    assert not shown.startswith("/")
    map_names.is_first_party(name)
    map_names.is_remote(name)
