import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.errors import MalformedInput
from layerlens.oci.digest import Digest, chain_ids, sha256_digest

from .messages import refusal, refusal_at_most

EMPTY = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("text", [EMPTY, "sha512:" + "0" * 128])
def test_a_digest_reads_back_as_it_was_written(text: str) -> None:
    assert str(Digest.parse(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sha256",
        "sha256:",
        EMPTY.upper(),
        "sha256:" + EMPTY[7:].upper(),
        EMPTY + "0",
        EMPTY[:-1],
        EMPTY + "\n",
        " " + EMPTY,
        "sha256:../../../../etc/passwd",
        "sha256:" + "\u0661" * 64,
        "sha512:" + "0" * 64,
        "sha256:" + "0" * 128,
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha256:\x1b[31m\u202e\ud800" + "x" * 10_000,
    ],
)
def test_anything_else_is_no_digest(text: str) -> None:
    with refusal(MalformedInput, "is not a digest"):
        Digest.parse(text)


def test_a_digest_cannot_be_made_invalid() -> None:
    with refusal(MalformedInput, "is not a digest"):
        Digest(algorithm="sha256", hex="../x")


@pytest.mark.parametrize("algorithm", ["sha256", "sha512"])
def test_the_hasher_is_of_the_digest_s_algorithm(algorithm: str) -> None:
    hasher = Digest(algorithm=algorithm, hex=hashlib.new(algorithm).hexdigest()).hasher()
    hasher.update(b"layer")
    assert hasher.hexdigest() == hashlib.new(algorithm, b"layer").hexdigest()


def test_sha256_of_nothing() -> None:
    assert str(sha256_digest(b"")) == EMPTY


def test_chain_ids_fold_each_diff_id_onto_those_below() -> None:
    a, b, c = (sha256_digest(name) for name in (b"a", b"b", b"c"))
    chain_ab = "sha256:" + hashlib.sha256(f"{a} {b}".encode()).hexdigest()
    chain_abc = "sha256:" + hashlib.sha256(f"{chain_ab} {c}".encode()).hexdigest()
    assert [str(chain) for chain in chain_ids([a, b, c])] == [str(a), chain_ab, chain_abc]
    assert chain_ids([]) == ()


@given(st.text())
def test_hostile_text_is_refused_in_one_printable_line(text: str) -> None:
    with refusal_at_most(MalformedInput):
        assert str(Digest.parse(text)) == text
