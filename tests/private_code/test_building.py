"""Indexes of real repositories: what is found, what is kept, what is left out and said so."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ConfigError
from tests.private_code.keeping import (
    KEYS,
    NOW,
    OTHER_KEYS,
    build,
    builder,
    code,
    commit,
    git,
    hashes,
    matched,
    opened,
    source,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_a_file_is_found_with_repository_path_and_lines(tmp_path: Path) -> None:
    head = commit(tmp_path / "app", {"src/a.py": code("alpha"), "src/b.py": code("beta")})
    (told,) = build(tmp_path / "index", source(tmp_path / "app"))
    assert told.walked is not None
    assert (told.walked.files, told.walked.skipped) == (2, 0)
    index = opened(tmp_path / "index")
    assert matched(index, code("alpha")) == {"app:src/a.py": 1.0}
    assert matched(index, code("gamma")) == {}
    (number,) = index.by_suffixes(["src/a.py", "x/y/z.py"])["src/a.py"]
    file = index.file(number)
    assert (file.repository, file.path, file.language) == ("app", "src/a.py", "python")
    assert (file.lines, file.commit, file.first_commit_at) == (35, head, NOW)
    assert file.selected
    assert index.organisation == "acme"


def test_an_update_reads_what_is_new_and_keeps_what_was_deleted(tmp_path: Path) -> None:
    app, index = tmp_path / "app", tmp_path / "index"
    commit(app, {"a.py": code("alpha"), "b.py": code("beta")})
    build(index, source(app))
    old = opened(index)
    commit(app, {"a.py": code("alpha") + code("added"), "b.py": None})
    (told,) = build(index)
    assert told.walked is not None
    assert told.walked.files == 1
    assert matched(old, code("added")) == {}
    assert old.refresh()
    assert not old.refresh()
    assert matched(old, code("added"))["app:a.py"] > 0.9
    assert matched(old, code("alpha"))["app:a.py"] == 1.0
    assert matched(old, code("beta")) == {"app:b.py": 1.0}
    (number,) = old.by_digest(_content("beta"))
    assert [(place.path, place.is_present) for place in old.places(number)] == [("b.py", False)]
    (told,) = build(index)
    assert told.walked is not None
    assert told.walked.files == 0


def _content(seed: str) -> bytes:
    return hashlib.blake2b(code(seed).encode(), digest_size=16).digest()


def test_nothing_on_disk_confirms_a_guess_of_a_file_without_the_key(tmp_path: Path) -> None:
    app, folder = tmp_path / "app", tmp_path / "index"
    commit(app, {"a.py": code("alpha"), "b.bin": "\0binary"})
    build(folder, source(app))
    content = code("alpha").encode()
    guesses = {
        git(app, "rev-parse", "HEAD:a.py"),
        git(app, "rev-parse", "HEAD:b.bin"),
        *(hashlib.new(name, content).hexdigest() for name in ("sha1", "sha256", "blake2b")),
        hashlib.blake2b(content, digest_size=16).hexdigest(),
    }
    stored = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"a.py" in stored
    for guess in guesses:
        assert guess.encode() not in stored
        assert bytes.fromhex(guess) not in stored
    for one in hashes(code("alpha")).tolist():
        assert one.to_bytes(8, "little")[2:] not in stored


def test_history_knows_what_was_never_in_head(tmp_path: Path) -> None:
    app, index = tmp_path / "app", tmp_path / "index"
    commit(app, {"old.py": code("ancient"), "a.py": code("first")}, at=NOW - 300)
    commit(app, {"old.py": None, "a.py": code("first") + code("second")}, at=NOW - 200)
    commit(app, {"a.py": code("second")}, at=NOW - 100)
    build(index, source(app))
    assert matched(opened(index), code("ancient")) == {}
    build(index, source(app, has_history=True))
    found = opened(index)
    assert matched(found, code("ancient")) == {"app:old.py": 1.0}
    assert matched(found, code("first"))["app:a.py"] == 1.0
    (number,) = found.by_digest(_content("ancient"))
    assert found.file(number).first_commit_at == NOW - 300


def test_first_commits_follow_renames_and_are_unknown_where_history_is_cut(tmp_path: Path) -> None:
    app, index = tmp_path / "app", tmp_path / "index"
    commit(app, {"a.py": code("alpha"), "b.py": code("beta")}, at=NOW - 300)
    git(app, "mv", "a.py", "c.py")
    commit(app, {"c.py": code("alpha") + "\nimport os\n"}, at=NOW - 200)
    build(index, source(app))
    assert _first(index, "alpha") == NOW - 300
    git(app, "mv", "b.py", "d.py")
    commit(app, {"d.py": code("beta") + "\nimport os\n", "e.py": code("late")}, at=NOW - 100)
    build(index)
    assert (_first(index, "beta"), _first(index, "late")) == (NOW - 300, NOW - 100)
    git(tmp_path, "clone", "-q", "--depth=1", app.as_uri(), "cut")
    build(tmp_path / "other", source(tmp_path / "cut"))
    assert _first(tmp_path / "other", "late") == 0


def _first(folder: Path, seed: str) -> int:
    index = opened(folder)
    files = index.lookup(hashes(code(seed))).files
    return max(index.file(int(number)).first_commit_at for number in set(files.tolist()))


def test_what_is_not_ours_to_know_is_left_out_and_said_so(tmp_path: Path) -> None:
    app = tmp_path / "app"
    (app / "src").mkdir(parents=True)
    (app / "src" / "link.py").symlink_to("/etc/passwd")
    commit(
        app,
        {
            "node_modules/x/index.js": code("vendored"),
            "LICENSE": "MIT\n\nPermission is hereby granted, free of charge\n",
            "gen.py": "# @generated\n" + code("generated"),
            "big.py": "x = 1\n" * 800_000,
            "asset.lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n",
            "a.py": code("alpha"),
        },
    )
    (told,) = build(tmp_path / "index", source(app))
    assert told.walked is not None
    assert (told.walked.files, told.walked.skipped) == (1, 6)
    index = opened(tmp_path / "index")
    assert index.rows.skipped("app") == [
        ("app", "LICENSE", "licence-text"),
        ("app", "asset.lfs", "lfs-pointer"),
        ("app", "big.py", "too-large"),
        ("app", "gen.py", "generated"),
        ("app", "node_modules/x/index.js", "vendored"),
        ("app", "src/link.py", "link"),
    ]
    assert matched(index, code("vendored")) == {}
    (told,) = build(tmp_path / "index")
    assert told.walked is not None
    assert told.walked.skipped == 0
    assert len(opened(tmp_path / "index").rows.skipped()) == 6


def test_the_same_content_is_kept_once_and_named_everywhere(tmp_path: Path) -> None:
    commit(tmp_path / "one", {"a.py": code("alpha")})
    commit(tmp_path / "two", {"lib/b.py": code("alpha"), "c.py": code("gamma")})
    index = tmp_path / "index"
    build(index, source(tmp_path / "one"), source(tmp_path / "two"))
    found = opened(index)
    (number,) = found.by_digest(_content("alpha"))
    assert [(one.repository, one.path) for one in found.places(number)] == [
        ("one", "a.py"),
        ("two", "lib/b.py"),
    ]
    with builder(index) as made:
        assert made.remove(made.sources[0]) == 1
    assert matched(opened(index), code("alpha")) == {}
    assert matched(opened(index), code("gamma")) == {"two:c.py": 1.0}
    build(index)
    assert matched(opened(index), code("alpha")) == {"two:lib/b.py": 1.0}


def test_a_plain_folder(tmp_path: Path) -> None:
    top, index = tmp_path / "plain", tmp_path / "index"
    (top / "src").mkdir(parents=True)
    (top / "src" / "a.py").write_text(code("alpha"), encoding="utf-8")
    (top / "src" / "self").symlink_to(top)
    build(index, source(top))
    (top / "src" / "b.py").write_text(code("beta"), encoding="utf-8")
    (told,) = build(index)
    assert told.walked is not None
    assert told.walked.files == 1
    found = opened(index)
    assert matched(found, code("alpha")) == {"plain:src/a.py": 1.0}
    assert matched(found, code("beta")) == {"plain:src/b.py": 1.0}
    assert found.rows.skipped() == [("plain", "src/self", "link")]
    assert _first(index, "beta") == 0


def test_a_key_of_another_opens_nothing(tmp_path: Path) -> None:
    commit(tmp_path / "app", {"a.py": code("alpha")})
    build(tmp_path / "index", source(tmp_path / "app"))
    with pytest.raises(ConfigError, match=KEYS.key_id) as caught:
        opened(tmp_path / "index", OTHER_KEYS)
    assert caught.value.reason == "index-key"
    with (
        pytest.raises(ConfigError, match=KEYS.key_id),
        builder(tmp_path / "index", keys=(OTHER_KEYS,)),
    ):
        pass
    assert matched(opened(tmp_path / "index", OTHER_KEYS, KEYS), code("alpha"))
