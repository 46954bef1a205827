"""Bytes go in once, lie there sealed, and come out as they were, from a folder and from S3."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from monitor.errors import ConfigError, IntegrityError, NotFoundError, TransientError, UsageError
from monitor.evidence import Evidence, evidence_key
from monitor.evidence.keys import Keyring, kept_at, parse
from monitor.evidence.places import Bucket, open_evidence
from monitor.evidence.sealing import CHUNK, plain_size, seal, sealed_size, unseal
from tests.evidence.s3 import served

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = "aa" * 32
OTHER = "bb" * 32
RING = Keyring([bytes.fromhex(KEY)])
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 9 * CHUNK + 5)


class Place:
    """Somewhere to keep evidence, and a way to reach the raw objects."""

    def __init__(self, url: str, bucket: Bucket | None, raw: Path | dict[str, bytes]) -> None:
        self.url, self.bucket, self.raw = url, bucket, raw

    def open(self, key: str = KEY) -> Evidence:
        return open_evidence(self.url, key, self.bucket).evidence

    def __getitem__(self, key: str) -> bytes:
        return (self.raw / key).read_bytes() if isinstance(self.raw, Path) else self.raw[f"p/{key}"]

    def __setitem__(self, key: str, body: bytes) -> None:
        if isinstance(self.raw, Path):
            (self.raw / key).write_bytes(body)
        else:
            self.raw[f"p/{key}"] = body


@pytest.fixture(params=["file", "s3"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "file":
        yield Place(f"file:{tmp_path / 'kept'}", None, tmp_path / "kept")
        return
    with served() as (bucket, endpoint):
        access = Bucket(endpoint=endpoint, access_key_id="id", secret_access_key="x")
        yield Place("s3://bucket/p", access, bucket.objects)


@pytest.fixture
def artifact(tmp_path: Path) -> Path:
    path = tmp_path / "artifact.tgz"
    path.write_bytes(random.Random(4).randbytes(3 * CHUNK + 17))
    return path


def bytes_of(path: Path) -> bytes:
    return path.read_bytes()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def test_bytes_come_out_as_they_went_in(place: Place, artifact: Path, tmp_path: Path) -> None:
    evidence = place.open()
    kept = await evidence.put(str(artifact))
    plain = bytes_of(artifact)
    assert (kept.sha256, kept.size) == (hashlib.sha256(plain).hexdigest(), len(plain))
    assert kept.key == evidence_key(kept.sha256)
    assert kept.is_new
    assert plain[:64] not in place[kept.key]
    before = place[kept.key]
    assert not (await evidence.put(str(artifact))).is_new
    assert place[kept.key] == before
    assert await evidence.get(kept.key, str(tmp_path / "out")) == len(plain)
    assert bytes_of(tmp_path / "out") == plain
    assert mode(tmp_path / "out") == 0o600
    with pytest.raises(UsageError):
        await evidence.get(kept.key, str(tmp_path / "out"))
    (entry,) = evidence.entries()
    assert (entry.key, entry.size, entry.key_id) == (kept.key, kept.size, RING.key_id)
    await evidence.delete(kept.key)
    await evidence.delete(kept.key)
    assert list(evidence.entries()) == []
    with pytest.raises(NotFoundError) as missing:
        evidence.verify(kept.key)
    assert missing.value.reason == "evidence-missing"


def test_a_large_artifact_goes_in_parts(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "large"
    path.write_bytes(random.Random(5).randbytes(20 * CHUNK))
    evidence = place.open()
    kept = evidence.put_now(str(path))
    assert evidence.verify(kept.key) == 20 * CHUNK
    assert len(place[kept.key]) == sealed_size(20 * CHUNK)


def test_what_a_crash_cut_short_is_written_anew(place: Place, artifact: Path) -> None:
    evidence = place.open()
    kept = evidence.put_now(str(artifact))
    place[kept.key] = place[kept.key][:1000]
    with pytest.raises(IntegrityError):
        evidence.verify(kept.key)
    assert evidence.put_now(str(artifact)).is_new
    assert evidence.verify(kept.key) == kept.size


@pytest.mark.parametrize("position", [0, 3, 10, 40, 50, CHUNK, -1])
def test_a_changed_byte_is_noticed(
    place: Place, artifact: Path, tmp_path: Path, position: int
) -> None:
    evidence = place.open()
    kept = evidence.put_now(str(artifact))
    body = bytearray(place[kept.key])
    body[position] ^= 1
    place[kept.key] = bytes(body)
    with pytest.raises((IntegrityError, ConfigError)):
        evidence.get_now(kept.key, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_bytes_under_another_name_are_noticed(place: Place, artifact: Path) -> None:
    evidence = place.open()
    kept = evidence.put_now(str(artifact))
    wrong = kept.key[:-1] + ("0" if kept.key[-1] != "0" else "1")
    place[wrong] = place[kept.key]
    with pytest.raises(IntegrityError, match="other bytes"):
        evidence.verify(wrong)


def test_keys_rotate(place: Place, artifact: Path) -> None:
    kept = place.open().put_now(str(artifact))
    both = place.open(f"{OTHER}\n{KEY}")
    assert both.verify(kept.key) == kept.size
    assert both.reseal(kept.key)
    assert not both.reseal(kept.key)
    assert place.open(OTHER).verify(kept.key) == kept.size
    with pytest.raises(ConfigError, match="not in the ring"):
        place.open().verify(kept.key)


def test_a_service_that_fails_now_and_then_is_asked_again(artifact: Path) -> None:
    with served() as (bucket, endpoint):
        access = Bucket(endpoint=endpoint, access_key_id="id", secret_access_key="x")
        evidence = open_evidence("s3://bucket/p", KEY, access).evidence
        bucket.failures = 2
        assert evidence.put_now(str(artifact)).is_new


def test_a_store_that_cannot_be_reached_may_come_back(artifact: Path) -> None:
    with served() as (_, endpoint):
        pass
    access = Bucket(endpoint=endpoint, access_key_id="id", secret_access_key="x")
    with pytest.raises(TransientError) as raised:
        open_evidence("s3://bucket/p", KEY, access).evidence.put_now(str(artifact))
    assert raised.value.reason == "evidence"


@pytest.mark.parametrize("size", SIZES)
def test_any_size_is_sealed_and_opened(size: int) -> None:
    plain = random.Random(size).randbytes(size)
    sealed = b"".join(seal([plain[:7], b"", plain[7:]], RING))
    assert len(sealed) == sealed_size(size)
    assert plain_size(len(sealed)) == size
    assert b"".join(unseal([sealed[:3], sealed[3:50], sealed[50:]], RING)) == plain


def test_chunks_cannot_be_cut_swapped_or_joined() -> None:
    header, *chunks = seal([bytes(3 * CHUNK)], RING)
    _, *others = seal([bytes(3 * CHUNK)], RING)
    for forged in (
        chunks[:-1],
        [chunks[1], chunks[0], *chunks[2:]],
        [*chunks, chunks[-1]],
        [chunks[0], others[1], *chunks[2:]],
        [],
    ):
        with pytest.raises(IntegrityError):
            list(unseal([header, *forged], RING))


def test_a_key_is_made_once_and_for_its_owner(tmp_path: Path) -> None:
    url = f"file:{tmp_path / 'kept'}"
    path = str(tmp_path / "kept.key")
    assert open_evidence(url, None).made_key == path
    assert open_evidence(url, None).made_key is None
    assert mode(Path(path)) == 0o600
    assert mode(tmp_path / "kept") == 0o700
    assert kept_at(path)[0].key_id == parse(Path(path).read_text()).key_id


@pytest.mark.parametrize("text", ["", "abc", "a" * 63, "zz" * 32, f"{KEY} x"])
def test_a_key_that_is_none_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ConfigError, match="openssl rand -hex 32") as raised:
        parse(text)
    assert len(text) < 3 or text not in str(raised.value)


def test_a_bucket_needs_a_key() -> None:
    with pytest.raises(ConfigError, match=r"evidence\.key: missing"):
        open_evidence("s3://bucket", None)


MEASURE = """
import resource, sys
from monitor.evidence.places import open_evidence
evidence = open_evidence("file:" + sys.argv[2], None).evidence
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kept = evidence.put_now(sys.argv[1])
evidence.verify(kept.key)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


def test_memory_does_not_grow_with_the_artifact(tmp_path: Path) -> None:
    path = tmp_path / "huge"
    with path.open("wb") as stream:
        stream.truncate(160 * 1024 * 1024)
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, str(path), str(tmp_path / "kept")],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    unit = 1 if sys.platform != "darwin" else 1024  # macOS counts bytes
    assert int(ran.stdout) // unit < 80 * 1024 * 1024
