"""Every kind of finding: what triggers it, and what is close to that and does not."""

from __future__ import annotations

import pytest
from filesystem.layers import images
from hypothesis import assume, given
from image_builder import (
    BuiltLayer,
    Member,
    directory,
    file,
    hard_link,
    layer,
    symlink,
    whiteout,
)

from analysis.written_layers import built, drawn, of_fixture
from layerlens.analysis import findings_files
from layerlens.analysis.findings import (
    Finding,
    FindingKind,
    Stance,
    findings_of_layer,
    worth_fixing,
)
from layerlens.analysis.findings_dead import WRITTEN_AGAIN_MINIMUM
from layerlens.analysis.findings_duplicates import DUPLICATE_MINIMUM
from layerlens.analysis.waste_survey import survey_waste
from layerlens.errors import MalformedInput
from layerlens.layer.entry import EntryKind, LayerEntry

Kind = FindingKind
SOME = b"some bytes"


def found(*layers: BuiltLayer) -> tuple[Finding, ...]:
    return survey_waste(built(*layers)).findings


def kinds(*layers: BuiltLayer) -> set[FindingKind]:
    return {finding.kind for finding in found(*layers)}


def only(kind: FindingKind, *layers: BuiltLayer) -> Finding:
    """The one finding of that kind."""
    (finding,) = [finding for finding in found(*layers) if finding.kind is kind]
    return finding


# A kind, a file that is one, where it is told, and paths close to it that are none.
PLACES: list[tuple[FindingKind, str, str, list[str]]] = [
    (
        Kind.APT_LISTS,
        "/var/lib/apt/lists/deb.debian.org_debian_dists_bookworm_InRelease",
        "/var/lib/apt/lists",
        ["/var/lib/apt/extended_states", "/etc/apt/sources.list"],
    ),
    (
        Kind.APT_CACHE,
        "/var/cache/apt/archives/curl_8.0_amd64.deb",
        "/var/cache/apt",
        ["/var/cache/debconf/templates.dat", "/srv/repo/curl_8.0_amd64.deb"],
    ),
    (Kind.APT_CACHE, "/var/cache/apt/pkgcache.bin", "/var/cache/apt", []),
    (
        Kind.APK_CACHE,
        "/var/cache/apk/APKINDEX.00740ba1.tar.gz",
        "/var/cache/apk",
        ["/lib/apk/db/installed", "/etc/apk/keys/alpine-devel@x.rsa.pub"],
    ),
    (Kind.APK_CACHE, "/etc/apk/cache/a.apk", "/etc/apk/cache", []),
    (
        Kind.DNF_CACHE,
        "/var/cache/dnf/fedora-1234/repodata/primary.xml.gz",
        "/var/cache/dnf",
        ["/var/lib/dnf/history.sqlite", "/var/lib/rpm/rpmdb.sqlite"],
    ),
    (Kind.DNF_CACHE, "/var/cache/yum/x86_64/7/base/repomd.xml", "/var/cache/yum", []),
    (Kind.DNF_CACHE, "/var/cache/libdnf5/x.solv", "/var/cache/libdnf5", []),
    (
        Kind.ZYPPER_CACHE,
        "/var/cache/zypp/solv/repo/solv",
        "/var/cache/zypp",
        ["/etc/zypp/zypp.conf"],
    ),
    (
        Kind.PACMAN_CACHE,
        "/var/cache/pacman/pkg/zlib.pkg.tar.zst",
        "/var/cache/pacman/pkg",
        ["/var/lib/pacman/local/x/desc"],
    ),
    (
        Kind.PIP_CACHE,
        "/root/.cache/pip/http/a/b/c",
        "/root/.cache/pip",
        ["/usr/lib/python3/dist-packages/pip/cache.py", "/root/.config/pip/pip.toml"],
    ),
    (
        Kind.UV_CACHE,
        "/home/app/.cache/uv/archive-v0/x/y.py",
        "/home/app/.cache/uv",
        ["/usr/local/bin/uv", "/root/.local/share/uv/python/bin/python3"],
    ),
    (
        Kind.POETRY_CACHE,
        "/root/.cache/pypoetry/artifacts/a/b.whl",
        "/root/.cache/pypoetry",
        ["/root/.cache/pypoetry/virtualenvs/app-x/lib/python3.12/site-packages/a.py"],
    ),
    (
        Kind.CONDA_CACHE,
        "/opt/conda/pkgs/numpy-1.26.tar.bz2",
        "/opt/conda/pkgs",
        ["/opt/conda/lib/libz.so", "/opt/conda/conda-meta/numpy.json", "/srv/pkgs/a"],
    ),
    (Kind.CONDA_CACHE, "/root/miniconda3/pkgs/a.conda", "/root/miniconda3/pkgs", []),
    (
        Kind.NPM_CACHE,
        "/root/.npm/_cacache/content-v2/sha512/aa/bb",
        "/root/.npm/_cacache",
        ["/app/node_modules/npm/index.js", "/app/node_modules/cacache/index.js"],
    ),
    (
        Kind.YARN_CACHE,
        "/usr/local/share/.cache/yarn/v6/npm-a/package.json",
        "/usr/local/share/.cache/yarn",
        ["/app/.yarn/cache/a.zip", "/opt/yarn-v1.22/bin/yarn.js"],
    ),
    (Kind.YARN_CACHE, "/root/.yarn/berry/cache/a.zip", "/root/.yarn/berry/cache", []),
    (
        Kind.PNPM_STORE,
        "/root/.local/share/pnpm/store/v3/files/00/ab",
        "/root/.local/share/pnpm/store",
        ["/app/node_modules/.pnpm/a@1/node_modules/a/i.js", "/root/.local/share/pnpm/pnpm"],
    ),
    (
        Kind.CARGO_CACHE,
        "/usr/local/cargo/registry/cache/index.crates.io-1/a.crate",
        "/usr/local/cargo/registry",
        ["/usr/local/cargo/bin/cargo", "/usr/share/cargo/registry/a/Cargo.toml"],
    ),
    (Kind.CARGO_CACHE, "/root/.cargo/git/db/a/HEAD", "/root/.cargo/git", []),
    (
        Kind.GO_CACHE,
        "/go/pkg/mod/github.com/a/b@v1/b.go",
        "/go/pkg/mod",
        ["/go/src/example.com/app/main.go", "/usr/local/go/pkg/tool/linux_amd64/compile"],
    ),
    (Kind.GO_CACHE, "/root/.cache/go-build/00/00a-d", "/root/.cache/go-build", []),
    (
        Kind.MAVEN_CACHE,
        "/root/.m2/repository/junit/junit/4/junit-4.jar",
        "/root/.m2/repository",
        ["/usr/share/maven-repo/junit/junit.pom", "/app/lib/junit-4.jar"],
    ),
    (
        Kind.GRADLE_CACHE,
        "/root/.gradle/caches/modules-2/files-2.1/a.jar",
        "/root/.gradle/caches",
        ["/opt/gradle/lib/gradle-core.jar", "/root/.gradle/gradle.properties"],
    ),
    (
        Kind.COMPOSER_CACHE,
        "/root/.composer/cache/files/a/b.zip",
        "/root/.composer/cache",
        ["/app/vendor/composer/installed.json", "/root/.composer/vendor/bin/x"],
    ),
    (
        Kind.BUNDLER_CACHE,
        "/usr/local/bundle/ruby/3.2.0/cache/rails-7.gem",
        "/usr/local/bundle/ruby/3.2.0/cache",
        ["/app/vendor/cache/rails-7.gem", "/usr/local/bundle/gems/rails-7/lib/rails.rb"],
    ),
    (
        Kind.BUNDLER_CACHE,
        "/usr/local/lib/ruby/gems/3.2.0/cache/a.gem",
        "/usr/local/lib/ruby/gems/3.2.0/cache",
        [],
    ),
    (
        Kind.BUNDLER_CACHE,
        "/root/.local/share/gem/ruby/3.2.0/cache/a.gem",
        "/root/.local/share/gem/ruby/3.2.0/cache",
        ["/root/.gem/ruby/3.2.0/gems/a/lib.rb"],
    ),
    (
        Kind.BYTECODE,
        "/usr/lib/python3/dist-packages/a/b/__pycache__/c.cpython-312.pyc",
        "/usr/lib/python3/dist-packages",
        ["/srv/app/__pycache__/c.cpython-312.pyc", "/usr/lib/python3/dist-packages/a/c.pyc"],
    ),
    (
        Kind.DOCUMENTATION,
        "/usr/share/doc/curl/changelog.gz",
        "/usr/share/doc",
        ["/usr/share/doc/curl/copyright", "/srv/doc/index.html"],
    ),
    (
        Kind.MANUALS,
        "/usr/share/man/man1/curl.1.gz",
        "/usr/share/man",
        ["/usr/share/mandoc.css", "/usr/lib/man/x"],
    ),
    (
        Kind.LOCALES,
        "/usr/share/locale/da/LC_MESSAGES/curl.mo",
        "/usr/share/locale",
        ["/usr/share/locale/locale.alias", "/usr/lib/locale/C.utf8/LC_CTYPE"],
    ),
    (Kind.LOCALES, "/usr/share/i18n/locales/da_DK", "/usr/share/i18n", []),
    (
        Kind.VERSION_CONTROL,
        "/app/.git/objects/pack/pack-1.pack",
        "/app/.git",
        ["/app/.gitignore", "/app/.github/CODEOWNERS", "/app/module/.git"],
    ),
    (Kind.VERSION_CONTROL, "/app/.svn/wc.db", "/app/.svn", []),
    (
        Kind.CORE_DUMP,
        "/app/core.1234",
        "/app/core.1234",
        ["/app/core.js", "/app/core/1234", "/app/core.dump.md"],
    ),
    (Kind.CORE_DUMP, "/app/java_pid7.hprof", "/app/java_pid7.hprof", []),
    (Kind.CORE_DUMP, "/var/crash/_usr_bin_x.0.crash", "/var/crash/_usr_bin_x.0.crash", []),
    (
        Kind.LOG_FILES,
        "/var/log/dpkg.log",
        "/var/log/dpkg.log",
        ["/var/log/lastlog", "/var/log/faillog", "/app/changes.log"],
    ),
    (Kind.LOG_FILES, "/app/npm-debug.log", "/app/npm-debug.log", []),
    (Kind.TEMPORARY_FILES, "/tmp/build/a.o", "/tmp", ["/srv/tmp/a.o", "/var/tmpfiles/a"]),
    (Kind.TEMPORARY_FILES, "/var/tmp/a", "/var/tmp", []),
]


@pytest.mark.parametrize(("kind", "path", "root", "close"), PLACES)
def test_a_place(kind: FindingKind, path: str, root: str, close: list[str]) -> None:
    content = SOME * 7000  # a small file is no core dump
    finding = only(kind, layer(file(path, content), created_by="RUN make"))
    (place,) = finding.places
    assert (place.path, place.files, place.bytes, place.dead) == (root, 1, len(content), 0)
    assert (finding.layer, finding.instruction, finding.other_layer) == (0, "RUN make", None)
    assert finding.remedy
    for other in close:
        assert kind not in kinds(layer(file(other, content), created_by="RUN make")), other


def test_empty_files_links_and_small_dumps_are_nothing() -> None:
    members = [
        directory("/var/lib/apt/lists"),
        file("/var/lib/apt/lists/lock"),
        symlink("/root/.cache/pip/x", "/y"),
        file("/app/core", b"the core of it"),
        file("/app/bin/core", bytes(70_000), mode=0o755),
    ]
    assert found(layer(*members)) == ()
    assert kinds(layer(file("/app/core", bytes(70_000)))) == {Kind.CORE_DUMP}


def test_files_of_one_place_are_added_up_and_layers_are_kept_apart() -> None:
    lower = layer(file("/tmp/a", b"1"), file("/tmp/b/c", b"234"), file("/tmp/d", b"5"))
    upper = layer(file("/tmp/e", b"6"))
    first, second = found(lower, upper)
    assert (first.layer, first.files, first.bytes) == (0, 3, 5)
    assert (second.layer, second.files, second.bytes) == (1, 1, 1)


def test_what_a_later_layer_deletes_is_told_once_with_the_layer_that_did() -> None:
    layers = [
        layer(file("/var/lib/apt/lists/x", SOME), file("/opt/x", SOME)),
        layer(whiteout("/var/lib/apt/lists")),
        layer(whiteout("/opt/x")),
    ]
    finding = only(Kind.APT_LISTS, *layers)
    (place,) = finding.places
    assert (place.dead, place.killers) == (len(SOME), (1,))
    assert only(Kind.DELETED_LATER, *layers).places[0].path == "/opt/x"


def test_documentation_that_is_gone_is_waste_of_the_layer_that_deletes_it() -> None:
    layers = [layer(file("/usr/share/doc/x", SOME)), layer(whiteout("/usr/share/doc"))]
    assert kinds(*layers) == {Kind.DELETED_LATER}


def test_a_hard_link_out_of_a_cache_keeps_the_bytes() -> None:
    linked = layer(
        file("/opt/conda/pkgs/a/x", SOME), hard_link("/opt/conda/x", "/opt/conda/pkgs/a/x")
    )
    assert Kind.CONDA_CACHE not in kinds(linked)
    other = layer(file("/opt/conda/x", SOME), hard_link("/opt/conda/pkgs/a/x", "/opt/conda/x"))
    assert Kind.CONDA_CACHE not in kinds(other)
    within = layer(
        file("/opt/conda/pkgs/a/x", SOME), hard_link("/opt/conda/pkgs/b/x", "/opt/conda/pkgs/a/x")
    )
    assert only(Kind.CONDA_CACHE, within).bytes == len(SOME)


def test_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings_files, "LARGE_FILE_BYTES", 1000)
    assert only(Kind.LARGE_FILE, layer(file("/opt/model", bytes(1001)))).bytes == 1001
    assert found(layer(file("/opt/model", bytes(1000)))) == ()
    # A cache is told as one, and what is dead by how it died.
    assert kinds(layer(file("/tmp/model", bytes(1001)))) == {Kind.TEMPORARY_FILES}
    gone = [layer(file("/opt/model", bytes(1001))), layer(whiteout("/opt/model"))]
    assert kinds(*gone) == {Kind.DELETED_LATER}
    assert findings_files.LARGE_FILE_BYTES == 1000


def test_fifty_megabytes_are_large() -> None:
    assert findings_files.LARGE_FILE_BYTES == 50_000_000


CONTEXT = [
    file("/app/Dockerfile", SOME),
    file("/app/src/main.py", SOME),
    file("/app/node_modules/a/index.js", SOME),
    file("/app/web/node_modules/b/index.js", SOME),
    file("/app/.venv/bin/python", SOME),
    file("/app/.DS_Store", SOME),
]


def test_a_build_context_copied_as_a_whole() -> None:
    finding = only(Kind.BUILD_CONTEXT, layer(*CONTEXT, created_by="COPY . /app"))
    assert {place.path for place in finding.places} == {
        "/app/Dockerfile",
        "/app/node_modules",
        "/app/web/node_modules",
        "/app/.venv",
        "/app/.DS_Store",
    }
    git = [file("/app/.git/HEAD", SOME), file("/app/.venv/bin/python", SOME)]
    assert kinds(layer(*git, created_by="ADD . /app")) == {
        Kind.VERSION_CONTROL,
        Kind.BUILD_CONTEXT,
    }


def test_what_a_context_might_hold_is_let_be_without_a_sign_of_one() -> None:
    assert found(layer(*CONTEXT[1:], created_by="COPY /app /app")) == ()
    assert found(layer(*CONTEXT, created_by="RUN npm ci")) == ()
    inner = [file("/app/node_modules/a/Dockerfile", SOME), *CONTEXT[1:]]
    assert found(layer(*inner, created_by="COPY /app /app")) == ()
    elsewhere = [file("/x/Dockerfile", SOME), *CONTEXT[1:]]
    finding = only(Kind.BUILD_CONTEXT, layer(*elsewhere, created_by="COPY . ."))
    assert [place.path for place in finding.places] == ["/x/Dockerfile"]


@pytest.mark.parametrize("name", ["compose.yml", "docker-compose.dev-2.eu.yaml", "compose-a.b.yml"])
def test_a_compose_file_is_a_sign_of_a_context(name: str) -> None:
    members = [file(f"/x/{name}", SOME), *CONTEXT[1:]]
    finding = only(Kind.BUILD_CONTEXT, layer(*members, created_by="COPY . ."))
    assert f"/x/{name}" in {place.path for place in finding.places}


def test_a_name_like_a_compose_files_is_not_gone_through_in_every_way() -> None:
    members = [file("/x/compose" + "-a" * 120, SOME), *CONTEXT[1:]]
    assert found(layer(*members, created_by="COPY . .")) == ()


LOWER = layer(file("/a", b"12345"), file("/b", b"67"), file("/c", b"89"), created_by="COPY x /")


def again(*members: Member) -> BuiltLayer:
    return layer(*members, created_by="RUN something")


def test_files_deleted_later() -> None:
    finding = only(Kind.DELETED_LATER, LOWER, again(whiteout("/a"), whiteout("/b")))
    assert (finding.layer, finding.other_layer, finding.instruction) == (0, 1, "COPY x /")
    assert [place.path for place in finding.places] == ["/a", "/b"]
    assert (finding.bytes, finding.dead) == (7, 7)
    assert "mount=type=bind" in finding.remedy
    assert found(LOWER, again(whiteout("/never"))) == ()


def test_copies_for_an_owner_or_a_mode() -> None:
    owned = again(file("/a", b"12345", owner=(7, 7)), file("/b", b"67", owner=(7, 7)))
    finding = only(Kind.METADATA_COPIES, LOWER, owned)
    assert (finding.layer, finding.other_layer, finding.bytes) == (1, 0, 7)
    assert finding.remedy == "set owner where the files are written: COPY --chown=... in layer 0"
    both = again(file("/a", b"12345", owner=(7, 7)), file("/b", b"67", mode=0o600))
    assert "--chown=... --chmod=..." in only(Kind.METADATA_COPIES, LOWER, both).remedy
    base = layer(file("/a", b"12345"), created_by="ADD file:0123 in / ")
    assert "a base's root file system" in only(Kind.METADATA_COPIES, base, owned).remedy
    run = [again(file("/a", b"12345")), again(file("/a", b"12345", mode=0o600))]
    assert only(Kind.METADATA_COPIES, *run).remedy.startswith("set mode in the instruction")
    assert found(LOWER, again(file("/a", b"12345", mtime=7))) == ()


def test_a_mode_and_an_owner_are_set_where_the_files_come_from() -> None:
    """A chmod of what a chown copied was once to be put where the chown is, which copies too."""
    layers = [
        LOWER,
        again(file("/a", b"12345", owner=(7, 7))),
        again(file("/a", b"12345", owner=(7, 7), mode=0o600)),
    ]
    told = [each for each in found(*layers) if each.kind is Kind.METADATA_COPIES]
    assert [(each.layer, each.other_layer) for each in told] == [(1, 0), (2, 0)]
    assert told[1].remedy == "set mode where the files are written: COPY --chmod=... in layer 0"


def test_files_that_are_moved_are_not_to_be_deleted() -> None:
    move = layer(whiteout("/a"), whiteout("/b"), file("/d/a", b"12345"), created_by="RUN mv /a /d")
    gone, moved = sorted(found(LOWER, move), key=lambda each: each.bytes)
    assert [place.path for place in gone.places] == ["/b"]
    assert "deletes them too late" in gone.remedy
    assert [place.path for place in moved.places] == ["/a"]
    assert (moved.kind, moved.layer, moved.other_layer) == (Kind.DELETED_LATER, 0, 1)
    assert moved.remedy == "COPY them to where they end up: layer 1 moves /a to /d/a"
    made = found(again(file("/a", b"12345")), move)[0]
    assert made.remedy.endswith("/a to /d/a: move them in the instruction that writes them")
    kept = layer(file("/d/a", b"12345"), created_by="RUN cp")
    assert "too late" in found(again(file("/a", b"12345")), kept, again(whiteout("/a")))[0].remedy


def test_what_chown_copies_although_it_has_that_owner() -> None:
    lower = layer(file("/a", bytes(WRITTEN_AGAIN_MINIMUM)))
    same = layer(*(file("/a", bytes(WRITTEN_AGAIN_MINIMUM)),), created_by="RUN chown -R root /a")
    assert "chown and chmod copy" in only(Kind.REWRITTEN, lower, same).remedy
    written = layer(file("/a", bytes(WRITTEN_AGAIN_MINIMUM)), created_by="COPY chown /")
    assert "chown and chmod copy" not in only(Kind.REWRITTEN, lower, written).remedy


@pytest.mark.parametrize(
    ("kind", "leaves_something"),
    [
        (Kind.PACMAN_CACHE, "&& pacman -Scc --noconfirm"),
        (Kind.NPM_CACHE, "&& npm cache clean"),
        (Kind.POETRY_CACHE, "with `poetry"),
        (Kind.POETRY_CACHE, "type=cache,target=/root/.cache/pypoetry`"),  # hides the virtualenvs
    ],
)
def test_no_remedy_is_one_that_was_tried_and_left_something(
    kind: FindingKind, leaves_something: str
) -> None:
    path = next(path for each, path, *_ in PLACES if each is kind)
    assert leaves_something not in only(kind, layer(file(path, SOME))).remedy


@pytest.mark.parametrize(("kind", "content"), [(Kind.OVERWRITTEN, b"y"), (Kind.REWRITTEN, b"x")])
def test_files_written_again(kind: FindingKind, content: bytes) -> None:
    size = WRITTEN_AGAIN_MINIMUM
    finding = only(kind, layer(file("/a", b"x" * size)), again(file("/a", content * size)))
    assert (finding.layer, finding.other_layer, finding.bytes) == (1, 0, size)
    less = [layer(file("/a", b"x" * (size - 1))), again(file("/a", content * (size - 1)))]
    assert found(*less) == ()


def test_what_is_copied_is_not_to_be_cleaned_up_by_the_run_that_made_it() -> None:
    def remedy(path: str, created_by: str) -> str:
        return found(layer(file(path, SOME), created_by=created_by))[0].remedy

    assert "RUN that wrote them" in remedy("/tmp/a.deb", "RUN make")
    assert remedy("/tmp/a.deb", "COPY a.deb /tmp").endswith("in a RUN by `--mount=type=bind`")
    assert ".dockerignore" in remedy("/root/.npm/_cacache/x", "COPY --from=build /root /root")
    assert "rm -rf" in remedy("/var/lib/apt/lists/x", "ADD file:0123 in /")


def test_the_same_content_at_several_paths() -> None:
    content = bytes(DUPLICATE_MINIMUM)
    layers = [layer(file("/a", content)), layer(file("/b", content), file("/c", content))]
    finding = only(Kind.DUPLICATES, *layers)
    assert (finding.layer, finding.other_layer, finding.files) == (1, 0, 2)
    assert finding.bytes == 2 * len(content)
    assert [place.path for place in finding.places] == ["/b", "/c"]
    assert "/a of layer 0" in finding.remedy
    for path in ("/usr/share/doc/a/copyright", "/var/cache/debconf/templates.dat-old"):
        assert found(layer(file("/a", content), file(path, content))) == ()
    small = bytes(DUPLICATE_MINIMUM - 1)
    assert found(layer(file("/a", small), file("/b", small))) == ()
    assert found(layer(file("/a", content), hard_link("/b", "/a"))) == ()
    assert Kind.DUPLICATES not in kinds(layer(file("/tmp/a", content), file("/b", content)))
    assert Kind.DUPLICATES not in kinds(
        layer(file("/a", content), file("/b", content)), layer(whiteout("/b"))
    )


def owned(path: str, content: bytes) -> Member:
    return file(path, content, owner=(7, 7))


def test_what_a_chown_copies_is_told_of_the_layer_that_brought_it() -> None:
    big = bytes(DUPLICATE_MINIMUM)
    files = [
        ("/app/.git/HEAD", SOME),
        ("/app/.venv/bin/python", SOME),
        ("/app/.env", b"X=1"),
        ("/app/a", big),
        ("/app/b", big),
        ("/app/code", SOME),
    ]
    layers = [
        layer(*(file(*each) for each in files), created_by="COPY . /app"),
        layer(*(owned(*each) for each in files), created_by="RUN chown -R 7 /app"),
        layer(whiteout("/app/.env"), whiteout("/app/code"), created_by="RUN rm /app/.env"),
    ]
    findings = found(*layers)
    assert {(each.kind, each.layer, each.other_layer) for each in findings} == {
        (Kind.VERSION_CONTROL, 0, None),
        (Kind.BUILD_CONTEXT, 0, None),
        (Kind.EXPOSED_FILE, 0, None),
        (Kind.DUPLICATES, 0, None),
        (Kind.METADATA_COPIES, 1, 0),
        (Kind.DELETED_LATER, 0, 2),
    }
    git = only(Kind.VERSION_CONTROL, *layers).places[0]
    assert (git.files, git.bytes, git.dead, git.killers) == (1, 20, 10, ())
    env = only(Kind.EXPOSED_FILE, *layers).places[0]
    assert (env.files, env.bytes, env.dead, env.killers) == (1, 6, 6, (2,))
    assert only(Kind.METADATA_COPIES, *layers).bytes == 2 * len(big) + len(SOME) + 3


def test_what_two_copies_bring_is_told_of_both() -> None:
    env = file("/app/.env", b"X=1")
    copies = [layer(env, created_by=text) for text in ("COPY .env /app", "COPY . /app")]
    first, second = found(*copies)
    assert (first.kind, first.layer, first.files) == (Kind.EXPOSED_FILE, 0, 1)
    assert (second.kind, second.layer, second.files) == (Kind.EXPOSED_FILE, 1, 1)
    assert (first.places[0].dead, first.places[0].killers) == (3, ())


def test_package_databases_are_written_by_whatever_installs_something() -> None:
    for path in ("/var/lib/dpkg/status", "/var/cache/debconf/templates.dat", "/etc/ld.so.cache"):
        for sizes in ((2_000_000, 2_000_001), (2_000_000, 2_000_000)):
            assert found(*(layer(file(path, bytes(size))) for size in sizes)) == ()


def test_a_layer_s_findings_for_its_author() -> None:
    members = [
        file("/root/.ssh/id_rsa", b"k"),
        file("/tmp/x", SOME),
        file("/usr/share/doc/x", SOME * 2),
    ]
    findings = found(layer(*members), LOWER, again(whiteout("/a")))
    assert [finding.kind for finding in findings_of_layer(findings, 0)] == [
        Kind.EXPOSED_FILE,
        Kind.TEMPORARY_FILES,
        Kind.DOCUMENTATION,
    ]
    assert [finding.kind for finding in findings_of_layer(findings, 1)] == [Kind.DELETED_LATER]
    assert findings_of_layer(findings, 2) == ()
    assert [finding.kind for finding in worth_fixing(findings, range(2))] == [
        Kind.TEMPORARY_FILES,
        Kind.DELETED_LATER,
        Kind.EXPOSED_FILE,
    ]
    assert [finding.layer for finding in worth_fixing(findings, {1})] == [1]


def test_every_kind_has_a_stance() -> None:
    told = {kind for kind in Kind if kind.stance is Stance.TOLD}
    assert told == {Kind.DOCUMENTATION, Kind.MANUALS, Kind.LOCALES, Kind.LARGE_FILE}
    exposed = {kind for kind in Kind if kind.stance is Stance.EXPOSED}
    assert exposed == {Kind.EXPOSED_FILE, Kind.EXPOSED_VARIABLE}


def test_waste_is_counted_once() -> None:
    """No file is in two findings of waste: their bytes may be added up."""
    for name in ("demo.tar", "demo-2.tar", "tour-layout"):
        survey = survey_waste(of_fixture(name))
        waste = [finding for finding in survey.findings if finding.kind.stance is Stance.WASTE]
        assert sum(finding.dead for finding in waste) <= survey.waste.dead.total
        assert sum(finding.bytes for finding in waste) == survey.avoidable_bytes
        assert survey.avoidable_bytes <= survey.waste.bytes
        dead = survey.waste.dead.total
        small = sum(
            file.size
            for file in survey.waste.files
            if file.reason.value != "deleted" and file.size < WRITTEN_AGAIN_MINIMUM
        )
        assert dead - sum(finding.dead for finding in waste) <= small


def test_the_usual_mistakes_of_the_demonstration() -> None:
    findings = survey_waste(of_fixture("demo.tar")).findings
    assert [(each.kind.value, each.layer, each.bytes) for each in findings[:5]] == [
        ("metadata-copies", 8, 3072206),
        ("apt-lists", 1, 716800),
        ("pip-cache", 3, 399360),
        ("python-bytecode", 3, 368640),
        ("apt-cache", 1, 92160),
    ]


@given(images(tuple(EntryKind)))
def test_whatever_the_layers_no_dead_byte_is_in_two_findings(image: list[list[LayerEntry]]) -> None:
    try:
        layers = drawn(image)
    except MalformedInput:
        assume(False)
        raise
    survey = survey_waste(layers)
    waste = [finding for finding in survey.findings if finding.kind.stance is Stance.WASTE]
    assert sum(finding.dead for finding in waste) <= survey.waste.dead.total
    assert survey.avoidable_bytes <= survey.waste.bytes
    for finding in survey.findings:
        assert finding.layer in range(len(layers))
        assert finding.other_layer is None or finding.other_layer in range(len(layers))
        assert finding.files >= 1
        assert 0 <= finding.dead <= finding.bytes
