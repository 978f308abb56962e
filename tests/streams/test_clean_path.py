import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.streams.clean_path import clean_path


@pytest.mark.parametrize(
    ("name", "path", "clamped"),
    [
        ("", "/", False),
        (".", "/", False),
        ("./", "/", False),
        ("/", "/", False),
        ("//", "/", False),
        ("a", "/a", False),
        ("./a/./b//c/", "/a/b/c", False),
        ("/a", "/a", True),
        ("..", "/", True),
        ("../../etc/passwd", "/etc/passwd", True),
        ("a/../b", "/b", True),
        ("a/../../../b", "/b", True),
        ("...", "/...", False),
        ("..a/.b.", "/..a/.b.", False),
        ("a\nb/\x1b[31m", "/a\nb/\x1b[31m", False),
    ],
)
def test_names(name: str, path: str, clamped: bool) -> None:
    assert clean_path(name) == (path, clamped)


@given(st.lists(st.sampled_from(["a", "b.", "..", ".", "", "é", "\udcff"])).map("/".join))
def test_a_clean_path_is_absolute_below_the_root_and_stays_as_it_is(name: str) -> None:
    path = clean_path(name).path
    assert path.startswith("/")
    assert path == "/" or not {"", ".", ".."} & set(path[1:].split("/"))
    assert clean_path(path).path == path
