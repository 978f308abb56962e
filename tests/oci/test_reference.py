import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.errors import UsageError
from layerlens.oci.digest import Digest
from layerlens.oci.reference import Reference, parse_reference, same_name

from .messages import refusal, refusal_at_most

DIGEST = "sha256:" + "a" * 64
OTHER_DIGEST = "sha256:" + "b" * 64


@pytest.mark.parametrize(
    ("text", "full"),
    [
        ("web", "docker.io/library/web"),
        ("web:1.0", "docker.io/library/web:1.0"),
        ("python:3.12-slim", "docker.io/library/python:3.12-slim"),
        ("team/web", "docker.io/team/web"),
        ("docker.io/web", "docker.io/library/web"),
        ("docker.io/library/web:1.0", "docker.io/library/web:1.0"),
        ("index.docker.io/team/web", "docker.io/team/web"),
        ("localhost/web:1.0", "localhost/web:1.0"),
        ("localhost:5000/web", "localhost:5000/web"),
        ("127.0.0.1:5000/a/b/c:x", "127.0.0.1:5000/a/b/c:x"),
        ("[::1]:5000/web:1", "[::1]:5000/web:1"),
        ("ghcr.io/a/b_c/d__e/f-g.h:T_1.x", "ghcr.io/a/b_c/d__e/f-g.h:T_1.x"),
        ("HOST/web", "HOST/web"),
        (f"web@{DIGEST}", f"docker.io/library/web@{DIGEST}"),
        (f"quay.io/web:1.0@{DIGEST}", f"quay.io/web:1.0@{DIGEST}"),
    ],
)
def test_a_name_is_read_as_docker_reads_it(text: str, full: str) -> None:
    reference = parse_reference(text)
    assert str(reference) == full
    assert parse_reference(full) == reference


@pytest.mark.parametrize("text", ["mole:s3cret@ghcr.io/web:1", "s3cret@ghcr.io/web"])
def test_a_password_in_a_name_is_not_repeated(text: str) -> None:
    with pytest.raises(UsageError, match="no password in it") as raised:
        parse_reference(text)
    assert "s3cret" not in str(raised.value)


def test_the_parts_of_a_name() -> None:
    assert parse_reference(f"ghcr.io/a/b:1@{DIGEST}") == Reference(
        registry="ghcr.io", repository="a/b", tag="1", digest=Digest.parse(DIGEST)
    )
    assert parse_reference("web").tag is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "its repository is malformed"),
        ("Web", "its repository must be lower case"),
        ("team/Web", "its repository must be lower case"),
        ("ghcr.io/", "its repository is malformed"),
        ("ghcr.io//web", "its repository is malformed"),
        ("web/", "its repository is malformed"),
        ("-web", "its repository is malformed"),
        ("a..b/web", "its registry is malformed"),
        ("host:0/web", "its registry is malformed"),
        ("host:65536/web", "its registry is malformed"),
        ("[::x]/web", "its registry is malformed"),
        ("[:::]:5000/web", "its registry is malformed"),
        ("web___x", "its repository is malformed"),
        ("../etc/passwd", "its registry is malformed"),
        ("web:", "its tag is malformed"),
        ("web:.x", "its tag is malformed"),
        ("web:" + "x" * 129, "its tag is malformed"),
        ("web:1\n", "its tag is malformed"),
        ("web@sha256:abc", "its digest is malformed"),
        (f"web@{DIGEST}@{DIGEST}", "its digest is malformed"),
        ("https://ghcr.io/web", "leave out https://"),
        ("oci://ghcr.io/web", "its registry is malformed"),
        ("host:port/web", "its registry is malformed"),
        ("host:123456/web", "its registry is malformed"),
        ("a" * 64, "an image ID is no name"),
        ("a" * 256, "longer than 255"),
        ("a/" * 5000, "longer than 1024"),
        ("w\u0435b", "its repository is malformed"),
        ("we\u202eb:\x1b", "its tag is malformed"),
    ],
)
def test_what_is_no_name(text: str, why: str) -> None:
    with refusal(UsageError, "is not an image reference", why):
        parse_reference(text)


@given(st.text(st.characters()) | st.from_regex(r"[a-zA-Z0-9:/@._\[\]-]*", fullmatch=True))
def test_any_text_is_a_name_that_reads_back_or_a_usage_error(text: str) -> None:
    with refusal_at_most(UsageError):
        reference = parse_reference(text)
        assert parse_reference(str(reference)) == reference
        assert same_name(str(reference), text)


SAME = [
    ("web", "web:latest"),
    ("web:1.0", "docker.io/library/web:1.0"),
    ("web:1.0", "localhost/web:1.0"),
    ("web", "localhost/web:latest"),
    ("team/web:1", "docker.io/team/web:1"),
    ("team/web:1", "localhost/team/web:1"),
    ("docker.io/web", "index.docker.io/library/web:latest"),
    ("ghcr.io/web", "ghcr.io/web:latest"),
    (f"web@{DIGEST}", f"docker.io/library/web@{DIGEST}"),
    (f"web:1@{DIGEST}", f"web@{DIGEST}"),
    ("Not A Name", "Not A Name"),
]
DIFFERENT = [
    ("web", "web:1.0"),
    ("web", "ghcr.io/web"),
    ("web", "ghcr.io/library/web"),
    ("web", "team/web"),
    ("docker.io/library/web", "localhost/web"),
    ("web:1", f"web@{DIGEST}"),
    ("web", f"web@{DIGEST}"),
    (f"web@{DIGEST}", f"web@{OTHER_DIGEST}"),
    (f"web:1@{DIGEST}", f"web:2@{DIGEST}"),
    ("Not A Name", "not a name"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_names_of_one_image(one: str, other: str) -> None:
    assert same_name(one, other)
    assert same_name(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_names_of_two_images(one: str, other: str) -> None:
    assert not same_name(one, other)
    assert not same_name(other, one)


def test_a_stored_digest_does_not_hide_the_tag() -> None:
    assert same_name("web:1", f"web:1@{DIGEST}")
    assert not same_name(f"web:1@{DIGEST}", "web:1")
