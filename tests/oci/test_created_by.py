"""Each builder's dialect, with strings as those builders write them."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.oci.created_by import Instruction, instruction
from layerlens.oci.image_config import HistoryEntry

BUILDKIT = "buildkit.dockerfile.v0"


def read(created_by: str | None, comment: str = "", author: str | None = None) -> Instruction:
    return instruction(HistoryEntry(created_by=created_by, comment=comment, author=author))


@pytest.mark.parametrize(
    ("created_by", "text"),
    [
        ('/bin/sh -c #(nop)  CMD ["sh"]', 'CMD ["sh"]'),
        (
            '/bin/sh -c #(nop)  CMD ["nginx" "-g" "daemon off;"]',
            'CMD ["nginx", "-g", "daemon off;"]',
        ),
        ("/bin/sh -c #(nop)  CMD []", "CMD []"),
        ('/bin/sh -c #(nop)  ENTRYPOINT &{["/entry point"]}', 'ENTRYPOINT ["/entry point"]'),
        ("/bin/sh -c #(nop) ADD file:1ee in / ", "ADD file:1ee in /"),
        ("/bin/sh -c #(nop) COPY multi:a1 in /x/ ", "COPY multi:a1 in /x/"),
        ("/bin/sh -c #(nop)  ENV PATH=/usr/bin:/bin A=b c", "ENV PATH=/usr/bin:/bin A=b c"),
        ("/bin/sh -c #(nop)  EXPOSE 80/tcp", "EXPOSE 80/tcp"),
        ("/bin/sh -c #(nop)  EXPOSE map[443/tcp:{} 80/tcp:{}]", "EXPOSE 443/tcp 80/tcp"),
        ("/bin/sh -c #(nop)  VOLUME [/data /log]", "VOLUME /data /log"),
        ("/bin/sh -c #(nop)  USER [app]", "USER app"),
        ("/bin/sh -c #(nop)  STOPSIGNAL [SIGQUIT]", "STOPSIGNAL SIGQUIT"),
        ("/bin/sh -c #(nop) MAINTAINER A <a@example.com>", "MAINTAINER A <a@example.com>"),
        ("/bin/sh -c #(nop)  LABEL a=b", "LABEL a=b"),
        ("/bin/bash -o pipefail -c #(nop)  WORKDIR /app", "WORKDIR /app"),
        (
            '/bin/sh -c #(nop)  HEALTHCHECK &{["CMD-SHELL" "curl -f \\"x\\" || exit 1"] "30s" "3s"'
            " \"0s\" '\\x03'}",
            'HEALTHCHECK --interval=30s --timeout=3s --retries=3 CMD curl -f "x" || exit 1',
        ),
        (
            "/bin/sh -c apt-get update && apt-get install -y x",
            "RUN apt-get update && apt-get install -y x",
        ),
        ("/bin/sh -c set -ex; \\\n\tmake # not buildkit", "RUN set -ex; \\\n\tmake # not buildkit"),
        ("/bin/bash -euxo pipefail -c a | b", "RUN a | b"),
        ("/bin/bash --login -c conda list", "RUN conda list"),
        ("cmd /S /C echo hello", "RUN echo hello"),
        ("cmd /S /C #(nop) WORKDIR C:\\app", "WORKDIR C:\\app"),
        (
            "powershell -Command $ErrorActionPreference = 'Stop'; dir",
            "RUN $ErrorActionPreference = 'Stop'; dir",
        ),
    ],
)
def test_the_classic_builder(created_by: str, text: str) -> None:
    assert read(created_by) == Instruction(
        keyword=text.split(maxsplit=1)[0], text=text, dialect="classic"
    )


@pytest.mark.parametrize(
    ("created_by", "text", "arguments"),
    [
        ("|1 VERSION=1.0 /bin/sh -c make", "RUN make", ("VERSION=1.0",)),
        ("|2 A=1 B=2 /bin/sh -c make C=3 all", "RUN make C=3 all", ("A=1", "B=2")),
        ("|2 A=hello world B= /bin/sh -c make", "RUN make", ("A=hello world", "B=")),
        ("|1 FLAGS=-a x=y /bin/bash -o pipefail -c make", "RUN make", ("FLAGS=-a x=y",)),
        ("|1 SHELL=/bin/sh /bin/sh -c make", "RUN make", ("SHELL=/bin/sh",)),
        ("|3 A=hello world B=2 /bin/sh -c make", "RUN make", ("A=hello world", "B=2")),
        ("|1 A=1 apk add curl", "RUN apk add curl", ("A=1",)),
        ("|1 A=1", "RUN", ("A=1",)),
        ("|0 /bin/sh -c make", "RUN make", ()),
    ],
)
def test_build_arguments_are_kept_apart(
    created_by: str, text: str, arguments: tuple[str, ...]
) -> None:
    expected = Instruction(keyword="RUN", text=text, dialect="classic", arguments=arguments)
    assert read(created_by) == expected
    assert read(f"RUN {created_by} # buildkit", BUILDKIT) == Instruction(
        keyword="RUN", text=text, dialect="buildkit", arguments=arguments
    )


@pytest.mark.parametrize(
    ("created_by", "text"),
    [
        ("RUN /bin/sh -c apt-get update # buildkit", "RUN apt-get update"),
        ("RUN /bin/sh -c echo '# buildkit' # buildkit", "RUN echo '# buildkit'"),
        ("RUN /bin/sh -c a\nb\n # buildkit", "RUN a\nb"),
        ("RUN /app/setup --now # buildkit", "RUN /app/setup --now"),
        ("COPY . /app # buildkit", "COPY . /app"),
        (
            "COPY --chown=1000:1000 --link a b /app/ # buildkit",
            "COPY --chown=1000:1000 --link a b /app/",
        ),
        ("ADD https://example.com/x.tgz / # buildkit", "ADD https://example.com/x.tgz /"),
        ("WORKDIR /app", "WORKDIR /app"),
        ("WORKDIR /app # buildkit", "WORKDIR /app"),
        ("ENV A=b c", "ENV A=b c"),
        ("USER 1000", "USER 1000"),
        ("ARG VERSION=1", "ARG VERSION=1"),
        ('CMD ["a" "b"]', 'CMD ["a", "b"]'),
        (
            'ENTRYPOINT ["/bin/sh" "-c" "echo \\"hi\\" \\\\ \\u00e9"]',
            'ENTRYPOINT ["/bin/sh", "-c", "echo \\"hi\\" \\\\ é"]',
        ),
        ("EXPOSE [80/tcp 443/tcp]", "EXPOSE 80/tcp 443/tcp"),
        ("EXPOSE map[80/tcp:{}]", "EXPOSE 80/tcp"),
        ("VOLUME [/data]", "VOLUME /data"),
        ("SHELL [/bin/bash -o pipefail -c]", 'SHELL ["/bin/bash", "-o", "pipefail", "-c"]'),
        ("ONBUILD RUN make", "ONBUILD RUN make"),
        (
            'HEALTHCHECK &{["CMD" "curl" "x"] "1m0s" "3s" "5s" "1s" \'\\n\'}',
            "HEALTHCHECK --interval=1m0s --timeout=3s --start-period=5s --start-interval=1s"
            ' --retries=10 CMD ["curl", "x"]',
        ),
        ('HEALTHCHECK &{["NONE"] "0s" "0s" "0s" "0s" \'\\x00\'}', "HEALTHCHECK NONE"),
        ("HEALTHCHECK &{[] \"0s\" '\\x00'}", "HEALTHCHECK &{[] \"0s\" '\\x00'}"),
    ],
)
def test_buildkit(created_by: str, text: str) -> None:
    expected = Instruction(keyword=text.split(maxsplit=1)[0], text=text, dialect="buildkit")
    assert read(created_by, BUILDKIT) == expected


def test_buildkit_without_a_dockerfile() -> None:
    pulled = read("pulled from docker.io/library/alpine", "buildkit.exporter.image.v0")
    assert pulled == Instruction(
        keyword=None, text="pulled from docker.io/library/alpine", dialect="buildkit"
    )


@pytest.mark.parametrize(
    ("created_by", "text"),
    [
        ('/bin/sh -c #(nop) CMD ["sh", "-c"]', 'CMD ["sh", "-c"]'),
        ("/bin/sh -c #(nop) workdir /app", "WORKDIR /app"),
        ("/bin/sh -c #(nop) ADD dir:3a in /x |inheritLabels=false", "ADD dir:3a in /x"),
        (
            "/bin/sh -c #(nop) HEALTHCHECK NONE|unsetLabel=true|inheritLabels=false|force-mtime=10",
            "HEALTHCHECK NONE",
        ),
        ("/bin/sh -c --mount=type=cache,target=/c make", "RUN --mount=type=cache,target=/c make"),
        ("/bin/sh -c a | b|c=d", "RUN a | b|c=d"),
        ('/bin/sh -c ["ls", "-l"]', 'RUN ["ls", "-l"]'),
    ],
)
def test_buildah(created_by: str, text: str) -> None:
    expected = Instruction(keyword=text.split(maxsplit=1)[0], text=text, dialect="classic")
    assert read(created_by, "FROM docker.io/library/alpine:latest") == expected


@pytest.mark.parametrize(
    "line",
    [
        "RUN apk add --no-cache curl",
        "RUN /bin/sh -c true",
        "COPY --from=build /a /b",
        'CMD ["a"]',
    ],
)
def test_kaniko_keeps_the_dockerfile_s_line(line: str) -> None:
    expected = Instruction(keyword=line.split(maxsplit=1)[0], text=line, dialect="dockerfile")
    assert read(line, author="kaniko") == expected
    assert read(line.replace("RUN", "run"), author="kaniko").text == line


@pytest.mark.parametrize(
    ("created_by", "comment", "author", "text", "dialect"),
    [
        ("jib-maven-plugin:3.4.0", "classes", "Jib", "jib-maven-plugin:3.4.0 (classes)", "jib"),
        ("jib-core:0.1", "", "", "jib-core:0.1", "jib"),
        ("ko build ko://example.com/a", "kodata contents, at $KO_DATA_PATH", "ko",
         "ko build ko://example.com/a (kodata contents, at $KO_DATA_PATH)", "ko"),
        ("ko publish example.com/a", "", "ko", "ko publish example.com/a", "ko"),
        ("bazel build ...", "", "Bazel", "bazel build ...", "other"),
        ("# debian.sh --arch 'amd64' out/ 'bookworm'", "debuerreotype 0.15", None,
         "# debian.sh --arch 'amd64' out/ 'bookworm'", "other"),
        ("/bin/sh", "", None, "/bin/sh", "other"),
        ("bash", "docker commit", None, "bash", "other"),
        ("run the tests", "", None, "run the tests", "other"),
        ("Copy of a layer", "", None, "Copy of a layer", "other"),
    ],
)  # fmt: skip
def test_tools_that_have_no_dockerfile(
    created_by: str, comment: str, author: str | None, text: str, dialect: str
) -> None:
    read_back = read(created_by, comment, author)
    assert (read_back.keyword, read_back.text, read_back.dialect) == (None, text, dialect)


def test_nix_may_leave_the_entry_empty() -> None:
    assert instruction(HistoryEntry()) == Instruction(keyword=None, text="", dialect="none")
    assert read(None, "store paths: ['/nix/store/x']").text == "store paths: ['/nix/store/x']"


@pytest.mark.parametrize(
    "created_by",
    [
        "|",
        "|2 ",
        "|2 A=1 make",
        "|1 =x /bin/sh -c make",
        "|9999999999999999999999 A=1 /bin/sh -c make",
        "/bin/sh -c",
        "RUNNING",
        "RUN\u00a0",
    ],
)
def test_text_that_only_looks_like_a_dialect_is_handed_on(created_by: str) -> None:
    assert read(created_by).text == created_by.strip()
    assert read(created_by).arguments == ()


@pytest.mark.parametrize(
    ("created_by", "text"),
    [
        ('CMD ["a" b]', 'CMD ["a" b]'),
        ('CMD ["a', 'CMD ["a'),
        ('CMD ["\\ud800"]', 'CMD ["\\\\ud800"]'),
        ('CMD ["\\U7fffffff"]', 'CMD ["\\\\U7fffffff"]'),
        ('CMD ["\\x1b[31m"]', 'CMD ["\\u001b[31m"]'),
        ("EXPOSE map[", "EXPOSE map["),
        ("HEALTHCHECK &{", "HEALTHCHECK &{"),
        ("CMD", "CMD"),
    ],
)
def test_go_s_text_that_is_broken_or_hostile(created_by: str, text: str) -> None:
    assert read(created_by, BUILDKIT).text == text


@pytest.mark.parametrize(
    "unit",
    [
        " ",
        "|unsetLabel=x",
        "|1 A=1 ",
        " A=1",
        "/",
        " /sh",
        '"a" ',
        "\\",
        " -o pipefail",
        "sh -c ",
    ],
)
@pytest.mark.parametrize(
    "frame",
    ["{}x", "/bin/sh {}x", "|9 A=1{}x", "/bin/sh -c #(nop) CMD [{}x", "EXPOSE map[{}x]", "a{}b|c"],
)
def test_a_megabyte_of_anything_is_read_in_a_moment(unit: str, frame: str) -> None:
    text = frame.format(unit * (1_000_000 // len(unit)))
    start = time.process_time()
    read(text)
    read(text, BUILDKIT)
    assert time.process_time() - start < 2


pieces = st.sampled_from(
    ["RUN ", "|2 ", "|1 ", "A=1 ", "B=", " ", "/bin/sh -c ", "#(nop)", "CMD ", "[", '"', "\\", "]",
     "map[", ":{}", "HEALTHCHECK ", "&{", "}", "'", " # buildkit", "\n", "\ud800", "x"]
)  # fmt: skip


@given(st.lists(pieces).map("".join) | st.text(st.characters()))
def test_any_text_reads_as_something(text: str) -> None:
    for comment in ("", BUILDKIT):
        found = read(text, comment)
        if found.keyword is not None:
            assert found.text.startswith(found.keyword)
            assert found.text == found.text.strip()


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=4))
def test_words_survive_go_s_quoting(words: list[str]) -> None:
    # json's escapes are among those that Go's %q writes.
    quoted = "[" + " ".join(json.dumps(word, ensure_ascii=False) for word in words) + "]"
    text = read(f"CMD {quoted}", BUILDKIT).text
    assert json.loads(text.removeprefix("CMD ")) == words
