from __future__ import annotations

import random
import string

import pytest

from monitor.rules.entropy import looks_random, shannon
from monitor.rules.placeholders import is_placeholder

STAND_INS = (
    "xxxxxxxxxxxxxxxxxxxx", "XXXXXXXX-XXXX", "ghp_" + "x" * 36, "acme_" + "0" * 30,
    "****************", "<your-token>", "<TOKEN>", "${TOKEN}", "$TOKEN", "${env:TOKEN}",
    "$(cat token)", "{{ token }}", "={{$credentials.token}}",
    "{token}", "%TOKEN%", "%(token)s", "%s", "#{token}",
    "<%= token %>", "@token@", "[your token]", "changeme", "change_me", "CHANGE-ME",
    "your_api_key_here", "YOUR-API-KEY", "your-token", "my_secret", "my-password", "replace_me",
    "insert-token-here", "placeholder", "REDACTED", "dummy", "AKIAIOSFODNN7" + "EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY", "example-token", "password", "secret123",
    "test", "hunter2", "postgres", "user:password"[5:], "foobar", "foo-bar", "abcdef123456",
    "1234567890abcdef1234567890abcdef", "0123456789abcdef", "abcdefghijklmnop",
    "sk_live_" + "abcdefghijklmnopqrstuvwx", "process.env.TOKEN", "os.environ['TOKEN']",
    "......", "glpat-" + "a" * 20, "123456789", "qwertyuiop", "ababababababab",
)  # fmt: skip
SECRETS = (
    "k3JdfR8xQ1zPw7Lm2VbN", "wJalrXUtnFEMIK7MDENGbPxRfiCY", "Tr0ub4dor&3",
    "correct-horse-battery-staple", "xoxb-2048109485-k3JdfR8xQ1zPw7", "AKIA" + "QYLPMN5HFIQR7XYA",
    "9f86d081884c7d659a2feaa0c55ad015", "p@ssw0rd!Secure99", "Sup3rS3cret!2024", "hello$world",
    "d41d8cd98f00b204e9800998ecf8427e", "Zk9q2Xb",
)  # fmt: skip


@pytest.mark.parametrize("value", STAND_INS)
def test_stand_ins_are_known(value: str) -> None:
    assert is_placeholder(value.encode())


@pytest.mark.parametrize("value", SECRETS)
def test_secrets_are_none(value: str) -> None:
    assert not is_placeholder(value.encode())


def test_random_tokens_are_hardly_ever_taken_for_one() -> None:
    randomly = random.Random(11)
    alphabets = (
        string.ascii_letters + string.digits,
        "0123456789abcdef",
        string.ascii_letters + "-_",
    )
    wrong = [
        token
        for alphabet in alphabets
        for length in (20, 32, 36, 40, 64)
        for token in ("".join(randomly.choices(alphabet, k=length)) for _ in range(400))
        if is_placeholder(token.encode())
    ]
    assert len(wrong) <= 3, wrong


def test_entropy() -> None:
    assert shannon(b"") == 0
    assert shannon(b"aaaa") == 0
    assert shannon(b"abcd") == 2
    assert looks_random(b"k3JdfR8xQ1zPw7Lm2VbN9cT5yH0g")
    assert looks_random(b"d41d8cd98f00b204e9800998ecf8427e")
    for dull in (
        b"aaaaaaaaaaaaaaaaaa",
        b"changeme",
        b"password123",
        b"x7f9",
        b"authenticationhandler",
    ):
        assert not looks_random(dull), dull
