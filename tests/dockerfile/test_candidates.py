"""What a tool that knows the syntax alone would get wrong, and what may be moved all the same."""

from __future__ import annotations

import dataclasses
import tarfile
from collections.abc import Mapping, Sequence

import pytest

from layerlens.dockerfile.stage_graph import Tier
from layerlens.layer.entry import LayerEntry

from .built_stage import Built, directory, file, link

BASE: Sequence[LayerEntry] = (
    directory("/usr"),
    directory("/usr/bin"),
    directory("/usr/lib"),
    file("/etc/passwd"),
)
INSTALLED: Sequence[LayerEntry] = (directory("/usr/lib"), file("/usr/lib/flask.py"))


def python(
    requirements: str = "flask==3.0\n",
    *,
    run: str = "pip install -r requirements.txt",
    more: Mapping[str, str] | None = None,
    copied: Sequence[LayerEntry] = (),
    before: str = "",
) -> Built:
    """WORKDIR, a wide COPY and a RUN; the image shows what each wrote."""
    context = {"requirements.txt": requirements, "main.py": "", **(more or {})}
    shift = before.count("\n")
    entries = [file(f"/app/{name}") for name in sorted(context)]
    return Built(
        f"FROM python:3\n{before}WORKDIR /app\nCOPY . /app\nRUN {run}\n",
        {
            shift: [directory("/app")],
            shift + 1: [directory("/app"), *entries, *copied],
            shift + 2: INSTALLED,
        },
        context,
        BASE,
    )


def node(
    package: str = '{"dependencies": {"a": "^1.0.0"}}',
    lock: str = '{"packages": {"": {}, "node_modules/a": {"version": "1.0.0"}}}',
    *,
    run: str = "npm ci",
    more: Mapping[str, str] | None = None,
    written: Sequence[LayerEntry] = (file("/app/node_modules/a/index.js"),),
) -> Built:
    context = {"package.json": package, "package-lock.json": lock, "a.js": "", **(more or {})}
    return Built(
        f"FROM node:20\nWORKDIR /app\nCOPY . .\nRUN {run}\n",
        {
            0: [directory("/app")],
            1: [file(f"/app/{name}") for name in context],
            2: [directory("/app/node_modules"), directory("/app/node_modules/a"), *written],
        },
        context,
        BASE,
    )


def reasons(built: Built) -> str:
    """Why the RUN, the last instruction, holds the COPY before it."""
    last = len(built.graph().steps) - 1
    return built.reason(last - 1, last)


def assert_split(built: Built, text: str) -> None:
    """A COPY is put in before the wide one, which then may sink below the RUN."""
    (rewrite,) = built.splits()
    assert rewrite.tier is Tier.CONTRACT
    graph = rewrite.graph
    number = rewrite.step
    assert graph.steps[number].text == text
    assert (graph.steps[number].origin, graph.steps[number + 1].origin) == (None, number)
    holding = [(e.earlier, e.later) for e in graph.edges if e.holds(Tier.CONTRACT)]
    last = len(graph.steps) - 1
    assert (number, last) in holding
    assert (number, number + 1) in holding
    assert (number + 1, last) not in holding
    proved = [(e.earlier, e.later) for e in graph.edges if e.holds(Tier.PROVED)]
    assert (number + 1, last) in proved


def test_a_wide_copy_is_split_for_pip() -> None:
    built = python("flask\nrequests>=2 ; python_version > '3.8'\nx[a,b]~=1.0  # why\n")
    assert "depends on /app/requirements.txt" in reasons(built)
    assert_split(built, "COPY requirements.txt /app/\n")


def test_a_wide_copy_is_split_for_npm() -> None:
    assert_split(node(), "COPY package-lock.json package.json ./\n")


def test_what_requirements_include_is_copied_too() -> None:
    built = python("-r base.txt\n-c pins.txt\nx\n", more={"base.txt": "y\n", "pins.txt": "y==1\n"})
    assert_split(built, "COPY base.txt pins.txt requirements.txt /app/\n")


def test_owners_and_modes_are_kept() -> None:
    built = Built(
        "FROM scratch\nWORKDIR /app\nCOPY --chown=7:7 --chmod=755 --exclude=*.md . /app\n"
        "RUN pip install -r requirements.txt\n",
        None,
        {"requirements.txt": "a", "b": "", "c.md": ""},
    )
    (rewrite,) = built.splits()
    assert rewrite.graph.steps[1].text == "COPY --chown=7:7 --chmod=755 requirements.txt /app/\n"


@pytest.mark.parametrize(
    ("built", "reason"),
    [
        (python("-e .\n"), "installs in place: -e ."),
        (python("--editable=./lib\n"), "installs in place"),
        (python("flask\n.\n"), "installs from a path: ."),
        (python("./vendor/x.whl\n"), "installs from a path"),
        (python("x @ file:///app/x\n"), "installs from a path"),
        (python("vendor/x\n"), "installs from a path"),
        (python("-r base.txt\n", more={"base.txt": "-e ../lib\n"}), "installs in place"),
        (python("-r missing.txt\n"), "what /app/missing.txt holds is not known"),
        (python("--find-links wheels\nx\n"), "looks for packages in files"),
        (python("--unheard-of\n"), "an option that is not known"),
        (python(run="pip install ."), "installs from a path: ."),
        (python(run="pip install -e .[dev]"), "the option -e of pip is not known"),
        (python(run="pip install -r requirements.txt && ./setup.sh"), "may read anything"),
        (python(run="pip install -r requirements.txt | tee log"), "it has a pipe"),
        (
            python(run="pip install -r requirements.txt > log"),
            "it writes a command's output to log",
        ),
        (python(run="pip install $(cat requirements.txt)"), "a substitution"),
        (python(run="for r in *.txt; do pip install -r $r; done"), "the shell's for"),
        (python(run="python setup.py install"), "python runs a program"),
        (python(run="make"), "make may read anything"),
        (python(run='["pip", "install", "-r", "requirements.txt"]'), "exec form"),
        (python(run="PYTHONPATH=. pip install -r requirements.txt"), "it sets PYTHONPATH"),
        (python(run="--mount=type=bind,target=/x pip install x"), "a mount of type bind"),
        (
            python(run="python -m pip install -r requirements.txt", more={"typing.py": ""}),
            "would import /app/typing.py",
        ),
        (python(before="ENV PIP_CONFIG_FILE=/app/my.conf\n"), "PIP_CONFIG_FILE is set"),
        (python(before='SHELL ["/bin/bash", "-lc"]\n'), "start-up files"),
        (python(before='SHELL ["pwsh", "-c"]\n'), "its shell is pwsh"),
        (python(run="poetry install", more={"pyproject.toml": ""}), "installs the project itself"),
        (
            python(run="uv sync --frozen", more={"pyproject.toml": "", "uv.lock": ""}),
            "installs the project itself",
        ),
        (node('{"dependencies": {"a": "file:../a"}}'), "names a local path: a: file:../a"),
        (node('{"overrides": {"x": {"y": "link:./y"}}}'), "names a local path"),
        (node('{"dependencies": {"a": "a-1.0.tgz"}}'), "names a local path: a: a-1.0.tgz"),
        (node('{"workspaces": ["packages/*"]}'), "has workspaces"),
        (node('{"scripts": {"preinstall": "node a.js"}}'), "runs its preinstall script"),
        (node('{"scripts": {"postinstall": "node a.js"}}'), "runs its postinstall script"),
        (node('{"scripts": {"prepare": "husky"}}'), "runs its prepare script"),
        (node(lock='{"packages": {"packages/x": {}}}'), "names a local path: packages/x"),
        (
            node(lock='{"dependencies": {"a": {"version": "file:../a"}}}'),
            "names a local path",
        ),
        (node("not json"), "is no JSON"),
        (node(run="npm install lodash"), "writes package.json"),
        (node(run="npm run build"), "what npm run reads is not known"),
        (
            node(run="yarn install", more={"yarn.lock": '"a@file:../a":'}),
            "yarn.lock names a local path",
        ),
        (node(run="go mod download", more={"go.mod": "replace a => ../a\n"}), "names a local path"),
        (
            node(run="dotnet restore a.csproj", more={"a.csproj": "<projectReference/>"}),
            "refers to other files",
        ),
        (
            python(run="python -m pip install a", more={"compression/__init__.py": ""}),
            "would import /app/compression/__init__.py",
        ),
        (
            python(
                run="uv pip install -r requirements.txt",
                more={"pyproject.toml": "[tool.uv]\nfind-links = ['wheels']\n"},
            ),
            "an index of files",
        ),
        (
            node(run="go mod download", more={"go.mod": 'replace a => "../a"\n'}),
            "names a local path",
        ),
        (
            node(run="bundle install", more={"Gemfile": "gem 'a', path: 'a'\n"}),
            "Gemfile is a program",
        ),
        (
            node(run="bundle install", more={"Gemfile": "eval_gemfile 'x'\n"}),
            "Gemfile is a program",
        ),
        (node(run="composer install", more={"composer.json": "{}"}), "runs the project's scripts"),
        (
            node(run="mvn dependency:go-offline", more={"pom.xml": "<modules>"}),
            "has modules",
        ),
        (
            node(
                run="dotnet restore a.csproj",
                more={"a.csproj": '<ProjectReference Include="../b/b.csproj" />'},
            ),
            "refers to other files",
        ),
    ],
)
def test_what_reads_more_than_its_manifest_keeps_its_place(built: Built, reason: str) -> None:
    assert reason in reasons(built)
    assert built.splits() == []


@pytest.mark.parametrize(
    "built",
    [
        pytest.param(python(more={"pip.conf": "[global]\nfind-links = x"}), id="pip.conf"),
        pytest.param(python(more={"setup.cfg": "[easy_install]"}), id="setup.cfg"),
        pytest.param(node(more={".npmrc": "script-shell=./x"}), id=".npmrc"),
        pytest.param(node(more={"npm-shrinkwrap.json": "{}"}), id="npm-shrinkwrap.json"),
        pytest.param(node(more={"pnpm-workspace.yaml": ""}), id="pnpm-workspace.yaml"),
        pytest.param(
            node(more={"node_modules/a/index.js": ""}), id="node_modules that are copied over"
        ),
        pytest.param(
            node(written=(file("/app/node_modules/a/index.js"), file("/app/package-lock.json"))),
            id="a lock that npm wrote anew",
        ),
        pytest.param(
            node(run="go mod download", more={"go.mod": "module a\n", "go.work": "use ./b\n"}),
            id="go.work",
        ),
        pytest.param(
            node(run="cargo fetch", more={"Cargo.toml": "[package]\n", "src/main.rs": ""}),
            id="sources that cargo wants to see",
        ),
    ],
)
def test_a_split_is_refused_for_what_else_the_copy_brings(built: Built) -> None:
    assert built.splits() == []
    assert reasons(built) != "free"


def test_node_modules_in_the_context_alone_are_enough() -> None:
    """They came to the context after the image was built, so that its layers don't show them."""
    built = node()
    later = Built(
        built.text,
        built.layers,
        {**(built.context or {}), "node_modules/a/index.js": ""},
        built.base,
    )
    assert later.splits() == []


def test_a_directory_that_is_not_as_builders_make_one_holds() -> None:
    built = Built(
        "FROM x\nCOPY . /app\nWORKDIR /app\nRUN npm ci\n",
        {
            0: [
                directory("/app", 0o700),
                file("/app/package.json"),
                file("/app/package-lock.json"),
            ],
            2: [file("/app/node_modules/a.js")],
        },
        {"package.json": "{}", "package-lock.json": '{"packages": {}}', "b": ""},
    )
    assert built.splits() == []


def test_a_copy_sinks_below_what_installs_system_packages() -> None:
    text = (
        "FROM x\nCOPY . /srv\nRUN apt-get update && apt-get install -y c=1.2* \\\n"
        " && rm -rf /var/lib/apt/lists/*\n"
    )
    built = Built(
        text, {0: [directory("/srv"), file("/srv/a")], 1: [file("/usr/bin/curl")]}, None, BASE
    )
    edge = built.edge(0, 1)
    assert edge is not None
    assert edge.release is not None
    assert edge.release.tier is Tier.CONTRACT
    assert edge.release.reason == (
        "apt-get update and apt-get install read nothing of what `COPY . /srv` writes"
    )
    assert edge.holds(Tier.PROVED)


@pytest.mark.parametrize(
    ("destination", "written", "env"),
    [
        ("/etc/apt/sources.list.d/", "/etc/apt/sources.list.d/a", "PATH=/usr/bin"),
        ("/usr/local/bin/", "/usr/local/bin/a", "PATH=/usr/bin"),
        ("/opt/bin/", "/opt/bin/a", "PATH=/usr/bin:/opt/bin"),
        ("/root/", "/root/.npmrc", "PATH=/usr/bin"),
        ("/mods/", "/mods/a", "PYTHONPATH=/mods"),
        ("/me/", "/me/.npmrc", "HOME=/me"),
    ],
)
def test_a_copy_of_settings_or_programs_does_not_sink(
    destination: str, written: str, env: str
) -> None:
    text = f"FROM x\nCOPY a {destination}\nRUN apt-get install -y curl\n"
    built = Built(text, {0: [file(written)], 1: [file("/usr/bin/curl")]}, None, BASE, (env,))
    assert built.reason(0, 1) != "free"


def test_a_copy_through_a_link_into_the_system_does_not_sink() -> None:
    built = Built(
        "FROM x\nCOPY a /app/conf\nRUN apt-get install -y curl\n",
        {0: [file("/etc/apt/conf")], 1: [file("/usr/bin/curl")]},
        None,
        (*BASE, directory("/etc"), directory("/etc/apt"), link("/app", "/etc/apt")),
    )
    assert "/etc" in built.reason(0, 1)


def test_a_variable_that_is_not_used_sinks() -> None:
    built = Built(
        "FROM x\nARG VERSION\nENV RELEASE=1\nARG PIP_INDEX_URL\nRUN apt-get install -y curl\n"
        "RUN pip install flask==$RELEASE\nRUN ./build.sh\n",
        {3: [file("/usr/bin/curl")], 4: [file("/usr/lib/f.py")], 5: [file("/opt/x")]},
        None,
        BASE,
    )
    assert [built.reason(variable, 3) for variable in range(2)] == ["free"] * 2
    assert built.reason(0, 4) == "free"
    assert "uses the variable RELEASE" in built.reason(1, 4)
    assert "uses the variable PIP_INDEX_URL" in built.reason(2, 4)


@pytest.mark.parametrize(
    ("name", "run", "tier"),
    [
        ("APP_VERSION", "apt-get install -y msodbcsql18", Tier.CONTRACT),
        ("ACCEPT_EULA", "apt-get install -y msodbcsql18", Tier.IDEA),
        ("TORCH_CUDA_ARCH_LIST", "pip install flash-attn", Tier.IDEA),
        ("TORCH_CUDA_ARCH_LIST", "pip install --only-binary :all: torch", Tier.CONTRACT),
        ("PUPPETEER_SKIP_DOWNLOAD", "npm install -g puppeteer", Tier.IDEA),
        ("PUPPETEER_SKIP_DOWNLOAD", "npm install -g --ignore-scripts puppeteer", Tier.CONTRACT),
        ("PORT", "mkdir /data", Tier.CONTRACT),
    ],
)
def test_a_variable_that_a_package_may_build_by_sinks_as_an_idea_alone(
    name: str, run: str, tier: Tier
) -> None:
    built = Built(
        f"FROM x\nENV {name}=1\nRUN {run}\n",
        {1: [file("/usr/bin/curl")]},
        None,
        BASE,
        working_dir="/",
    )
    (edge,) = built.graph().edges
    assert edge.release is not None
    assert edge.release.tier is tier
    assert (f"may read {name}" in edge.release.reason) is (tier is Tier.IDEA)


def test_a_variable_that_a_script_may_use_does_not_sink() -> None:
    """`build.sh` uses $VERSION, which stands nowhere in the Dockerfile."""
    built = Built("FROM x\nARG VERSION\nRUN ./build.sh\n", {1: [file("/opt/x")]}, None, BASE)
    assert built.reason(0, 1) == (
        "`RUN ./build.sh` may read the variable VERSION: ./build.sh may read anything"
    )


def test_a_variable_that_requirements_use_does_not_sink() -> None:
    built = Built(
        "FROM x\nCOPY r.txt /\nARG TOKEN_FOR_GIT\nRUN pip install -r /r.txt\n",
        {0: [file("/r.txt")], 2: [file("/usr/lib/f.py")]},
        {"r.txt": "x @ https://${TOKEN_FOR_GIT}@example.com/x.zip\n"},
        BASE,
        working_dir="/",
    )
    assert "uses the variable TOKEN_FOR_GIT" in built.reason(1, 2)


def test_a_variable_that_a_flag_of_a_run_is_expanded_with_does_not_sink() -> None:
    built = Built(
        "FROM x\nARG VERSION\nRUN --mount=type=cache,id=apt-$VERSION,target=/var/cache/apt "
        "apt-get install -y curl\n",
        {1: [file("/usr/bin/curl")]},
        None,
        BASE,
    )
    assert "uses the variable VERSION" in built.reason(0, 1)


@pytest.mark.parametrize(
    "run", ["apt-get install -y apache2", "apk add apache2", "dnf install -y httpd"]
)
def test_a_site_does_not_sink_below_a_web_server_s_package(run: str) -> None:
    """Debian's apache2 puts its index.html where it finds nothing that begins with `index.`."""
    built = Built(
        f"FROM x\nCOPY index.php /var/www/html/\nRUN {run}\n",
        {
            0: [directory("/var/www/html"), file("/var/www/html/index.php")],
            1: [file("/usr/bin/apache2")],
        },
        {"index.php": ""},
        (*BASE, directory("/var"), directory("/var/www")),
    )
    assert "reads /var/www/html" in built.reason(0, 1)


def test_libraries_that_a_copied_setting_leads_ldconfig_to_do_not_sink() -> None:
    built = Built(
        "FROM x\nCOPY a.conf /etc/ld.so.conf.d/\nCOPY a.so /opt/a/\nRUN apt-get install -y curl\n",
        {
            0: [directory("/etc/ld.so.conf.d"), file("/etc/ld.so.conf.d/a.conf")],
            1: [directory("/opt/a"), file("/opt/a/a.so")],
            2: [file("/etc/ld.so.cache")],
        },
        {"a.conf": "/opt/a\n", "a.so": ""},
        (*BASE, directory("/etc"), directory("/opt")),
    )
    assert "ldconfig looks into directories" in built.reason(1, 2)


def test_a_directory_that_a_copy_made_for_a_run_is_not_made_by_the_run() -> None:
    """The layer of the RUN lists /app as the COPY has made it."""
    built = Built(
        "FROM x\nCOPY --chown=1000:1000 . /app\nRUN mkdir -p /app/logs && useradd bob\n",
        {
            0: [directory("/app", owner=1000), file("/app/a", owner=1000)],
            1: [directory("/app", owner=1000), directory("/app/logs"), file("/etc/passwd")],
        },
        {"a": ""},
        BASE,
    )
    assert "makes the directory /app" in built.reason(0, 1)


@pytest.mark.parametrize(
    ("run", "more", "reason"),
    [
        ("pip install -r requirements.txt", {"pip.conf": ""}, "reads /app/pip.conf"),
        ("pip install -r requirements.txt", {}, "depends on /app/requirements.txt"),
        (
            "composer install --no-scripts --no-autoloader",
            {"composer.json": "{}", "composer.lock": "{}", ".git/HEAD": ""},
            "reads /app/.git",
        ),
    ],
)
def test_what_holds_beside_the_manifests_is_told_first(
    run: str, more: Mapping[str, str], reason: str
) -> None:
    assert reason in python(run=run, more=more).reason(1, 2)


def test_a_module_below_go_src_is_downloaded_for_by_its_manifests() -> None:
    start = "/go/src/app"
    built = Built(
        f"FROM golang\nWORKDIR {start}\nCOPY . .\nRUN go mod download\n",
        {
            0: [directory(start)],
            1: [directory(start), *(file(f"{start}/{name}") for name in ("a.go", "go.mod"))],
            2: [directory("/go/pkg"), file("/go/pkg/mod/x")],
        },
        {"a.go": "", "go.mod": "module a\n"},
        (*BASE, directory("/go"), directory("/go/src"), directory("/go/bin")),
    )
    (split,) = built.splits()
    assert split.tier is Tier.CONTRACT


@pytest.mark.parametrize("start", ["/usr/app", "/usr/local/app", "/var/app"])
def test_an_application_among_the_system_s_files_is_none_of_an_installer_s(start: str) -> None:
    built = Built(
        f"FROM x\nCOPY a.js {start}/\nRUN apt-get install -y curl\n",
        {0: [directory(start), file(f"{start}/a.js")], 1: [file("/usr/bin/curl")]},
        {"a.js": ""},
        (*BASE, directory("/usr/local"), directory("/var")),
    )
    assert built.reason(0, 1) == "free"


def test_nothing_rises_above_a_run() -> None:
    """What a RUN would have done with a file that came after it was never seen."""
    built = Built(
        "FROM x\nRUN apt-get install -y curl\nCOPY a /srv/a\n",
        {0: [file("/usr/bin/curl")], 1: [file("/srv/a")]},
        None,
        BASE,
    )
    edge = built.edge(0, 1)
    assert edge is not None
    assert edge.release is None


def test_copies_apart_are_free_by_proof() -> None:
    text = "FROM x\nCOPY a /a/\nENV B=1\nCOPY b /b/\nLABEL c=d\n"
    built = Built(text, {0: [file("/a/a")], 2: [file("/b/b")]}, None, BASE)
    assert built.graph().edges == ()


def test_without_an_image_copies_apart_stand_on_weaker_evidence() -> None:
    built = Built("FROM x\nCOPY a /a/\nCOPY b /b/\n", None, {"a": "", "b": ""})
    edge = built.edge(0, 1)
    assert edge is not None
    assert edge.release is not None
    assert edge.release.tier is Tier.CONTRACT
    assert [step.size for step in built.graph().steps] == [None, None]


def test_without_an_image_a_wide_copy_is_split_all_the_same() -> None:
    built = Built(
        "FROM x\nWORKDIR /app\nCOPY . .\nRUN npm ci\n",
        None,
        {"package.json": "{}", "package-lock.json": '{"packages": {}}', "b": ""},
    )
    assert_split(built, "COPY package-lock.json package.json ./\n")


def test_without_a_context_no_manifest_is_trusted() -> None:
    built = python()
    blind = Built(built.text, built.layers, None, built.base)
    assert "what /app/requirements.txt holds is not known" in reasons(blind)
    assert blind.splits() == []


def test_a_mismatch_with_the_image_is_a_barrier() -> None:
    built = Built(
        "FROM x\nCOPY a /a/\nRUN make\nCOPY b /b/\n",
        {0: [file("/a/a")], 2: [file("/b/b")]},
        None,
        BASE,
        problems={1: "the image was built with another one: RUN old"},
    )
    for pair in ((0, 1), (1, 2)):
        assert built.reason(*pair) == (
            "nothing may cross `RUN make`: the image was built with another one: RUN old"
        )


def test_onbuild_is_a_barrier() -> None:
    built = Built("FROM x\nCOPY a /a/\nONBUILD RUN b\nCOPY b /b/\n", None, {"a": "", "b": ""})
    assert "nothing may cross `ONBUILD RUN b`" in built.reason(0, 1)


def test_stages_used_by_name_and_arguments_of_from_are_left_where_they_are() -> None:
    """An ARG before FROM is in no stage, and a stage's own graph ends where the next one begins."""
    built = Built(
        "ARG V=3\nFROM go:$V AS build\nCOPY a /a\nRUN make\nFROM build AS test\nRUN t\n"
        "FROM x\nCOPY --from=build /a /a\nCOPY b /b\n",
        None,
        {"a": "", "b": ""},
    )
    graphs = built.candidates().graphs
    assert [graph.stage.title for graph in graphs] == ["build", "2"]
    assert [[step.text for step in graph.steps] for graph in graphs] == [
        ["COPY a /a\n", "RUN make\n"],
        ["COPY --from=build /a /a\n", "COPY b /b\n"],
    ]


def test_comments_right_above_an_instruction_go_with_it() -> None:
    built = Built("FROM x\n# far\n\n# near\n# nearer\nCOPY a /\nRUN b \\\n # in\n c", None)
    assert [step.text for step in built.graph().steps] == [
        "# near\n# nearer\nCOPY a /\n",
        "RUN b \\\n # in\n c\n",
    ]


LINKABLE = Built(
    "FROM x\n# the tool\ncopy  --from=build /out/t /opt/t/bin/\nRUN make\n",
    {0: [directory("/opt/t"), directory("/opt/t/bin"), file("/opt/t/bin/t")], 1: [file("/z")]},
    None,
    (*BASE, directory("/opt")),
)


def test_link_is_added_where_it_changes_nothing() -> None:
    (rewrite,) = LINKABLE.rewrites()
    assert rewrite.tier is Tier.PROVED
    assert rewrite.step == 0
    assert rewrite.graph.steps[0].text == (
        "# the tool\ncopy --link  --from=build /out/t /opt/t/bin/\n"
    )
    assert rewrite.graph.steps[0].origin == 0
    assert rewrite.graph.edges == LINKABLE.graph().edges
    found = LINKABLE.candidates()
    assert len(found.rewrites(found.graphs[0])) == 1
    again = found.rewrites(found.rewrites(found.graphs[0])[0].graph)
    assert again == []


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"base": (*BASE, directory("/opt", 0o700))}, id="a directory of another mode"),
        pytest.param({"base": (*BASE, directory("/opt", owner=7))}, id="of another owner"),
        pytest.param(
            {"base": (*BASE, directory("/srv"), link("/opt", "srv"))}, id="a link on the way"
        ),
        pytest.param({"comment": ""}, id="not built by BuildKit"),
        pytest.param(
            {"text": "# syntax=docker/dockerfile:1.3\n" + LINKABLE.text}, id="an old frontend"
        ),
        pytest.param({"text": LINKABLE.text.replace("bin/", "bin")}, id="a file or a directory"),
        pytest.param(
            {"text": LINKABLE.text.replace("--from=build", "--chown=app")}, id="a named owner"
        ),
        pytest.param({"text": LINKABLE.text.replace("--from=build", "--parents")}, id="--parents"),
        pytest.param(
            {"text": LINKABLE.text.replace("--from", "--link --from")}, id="linked already"
        ),
    ],
)
def test_link_is_not_added(changed: dict[str, object]) -> None:
    assert dataclasses.replace(LINKABLE, **changed).rewrites() == []  # type: ignore[arg-type]


def test_a_working_directory_that_the_first_copy_makes_is_no_matter() -> None:
    """buildah's WORKDIR makes no layer: the directory comes with whatever is put there first."""
    text = "FROM x\nWORKDIR /app\nCOPY . .\nRUN apt-get install -y curl\n"
    layers = {1: [directory("/app"), file("/app/a")], 2: [file("/usr/bin/curl")]}
    assert Built(text, layers, None, BASE).reason(1, 2) == "free"
    layers[1][0] = directory("/app", 0o700)
    assert "makes the directory /app" in Built(text, layers, None, BASE).reason(1, 2)
    layers[1][0] = directory("/app")
    assert Built(text, layers, None, BASE, user="app").reason(1, 2) != "free"


def test_nothing_crosses_a_working_directory_that_is_left_to_the_step_behind_it() -> None:
    """With buildah, /a would never be made were the last COPY put before it."""
    text = "FROM x\nWORKDIR /w\nCOPY x .\nWORKDIR /a\nCOPY f /b/\n"
    copied = [directory("/b"), file("/b/f")]
    context = {"x": "", "f": ""}
    buildah = {1: [directory("/w"), file("/w/x")], 3: [directory("/a"), *copied]}
    assert "makes the directory /a" in Built(text, buildah, context, BASE).reason(2, 3)
    docker = {0: [directory("/w")], 1: [file("/w/x")], 2: [directory("/a")], 3: copied}
    assert Built(text, docker, context, BASE).reason(2, 3) == "free"
    there = Built(text, {1: [file("/w/x")], 3: copied}, context, [*BASE, directory("/a")])
    assert there.reason(2, 3) == "free"


def test_who_makes_a_working_directory_that_is_left_stays_the_same() -> None:
    text = "FROM x\nWORKDIR /w\n{}COPY f /b/\n{}COPY g /c/\n"
    layers = [directory("/w"), directory("/b"), file("/b/f")], [directory("/c"), file("/c/g")]
    context = {"f": "", "g": ""}
    before = Built(text.format("USER 7\n", ""), {2: layers[0], 3: layers[1]}, context, BASE)
    assert "user" in before.reason(1, 2)
    assert "makes the directory /w" in before.reason(1, 3)
    after = Built(text.format("", "USER 7\n"), {1: layers[0], 3: layers[1]}, context, BASE)
    assert "user" in after.reason(1, 2)
    assert after.reason(2, 3) == "free"


@pytest.mark.parametrize(
    "run",
    [
        "cd /srv && apt-get install -y curl",
        "rm -rf /srv/a && apt-get update",
        "rm -rf /srv/* && apt-get update",
        "mkdir -p /srv/logs && apt-get update",
        "useradd --home=/srv/a app && apt-get update",
        "cd /srv && apt-get update && cd / && apt-get install -y curl",
    ],
)
def test_a_directory_that_the_copy_makes_holds_what_goes_there(run: str) -> None:
    built = Built(
        f"FROM x\nCOPY . /srv\nRUN {run}\n",
        {0: [directory("/srv"), file("/srv/a")], 1: [file("/usr/bin/curl")]},
        None,
        BASE,
    )
    assert "/srv" in built.reason(0, 1)


@pytest.mark.parametrize(
    ("built", "doubt"),
    [
        (
            node(lock='{"packages": {"node_modules/@prisma/client": {"hasInstallScript": true}}}'),
            "@prisma/client runs a script on install",
        ),
        (
            node(lock='{"dependencies": {}}'),
            "/app/package-lock.json does not say which packages run scripts on install",
        ),
        (
            node(run="yarn install --frozen-lockfile", more={"yarn.lock": ""}),
            "yarn.lock does not say which packages run scripts on install",
        ),
    ],
)
def test_what_only_a_rebuild_can_tell_is_an_idea(built: Built, doubt: str) -> None:
    """A package's install script may look at the project, as that of @prisma/client does."""
    last = len(built.graph().steps) - 1
    assert built.reason(last - 1, last) != "free"
    (rewrite,) = built.splits()
    assert rewrite.tier is Tier.IDEA
    assert rewrite.reason.endswith(f"; but {doubt}")
    (edge,) = [e for e in rewrite.graph.edges if (e.earlier, e.later) == (2, 3)]
    assert edge.holds(Tier.CONTRACT)
    assert not edge.holds(Tier.IDEA)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/bin/x", "/usr/bin/x"),
        ("/lib64/x", "/usr/lib/x"),
        ("/var/run/", "/run/"),
        ("/sbin/", "/bin/"),
    ],
)
def test_without_an_image_directories_that_often_are_links_are_taken_for_links(
    one: str, other: str
) -> None:
    built = Built(f"FROM x\nCOPY x {one}\nCOPY x {other}\n", None, {"x": ""})
    assert built.reason(0, 1) != "free"
    blind = Built(f"FROM x\nCOPY x {one}\nCOPY x {other}\n", None)
    assert blind.reason(0, 1) != "free"


def test_a_file_with_carriage_returns_keeps_to_them() -> None:
    built = python()
    text = built.text.replace("\n", "\r\n").removesuffix("\r\n")
    (rewrite,) = dataclasses.replace(built, text=text).splits()
    assert [step.text for step in rewrite.graph.steps] == [
        "WORKDIR /app\r\n",
        "COPY requirements.txt /app/\r\n",
        "COPY . /app\r\n",
        "RUN pip install -r requirements.txt\r\n",
    ]


def test_nothing_moves_where_paths_may_be_those_of_windows() -> None:
    built = Built("# escape=`\nFROM x\nCOPY a c:\\a\\\nCOPY b C:/A/a\n", None, {"a": "", "b": ""})
    assert "paths of Windows" in built.reason(0, 1)


@pytest.mark.parametrize("props", ["App/Directory.Build.props", "Directory.Build.props"])
def test_what_dotnet_looks_for_from_the_project_on(props: str) -> None:
    """It starts to look where the project is, not where it is called."""
    context = {"App/App.csproj": "<Project/>", "App/P.cs": "", props: "<Project/>"}
    layers = {
        0: [directory("/src")],
        1: [directory("/src"), directory("/src/App"), *(file(f"/src/{name}") for name in context)],
        2: [directory("/src/App"), directory("/src/App/obj"), file("/src/App/obj/a.json")],
    }
    text = "FROM sdk\nWORKDIR /src\nCOPY . .\nRUN dotnet restore App/App.csproj\n"
    assert Built(text, layers, context, BASE).splits() == []
    del context[props]
    layers[1].remove(file(f"/src/{props}"))
    assert len(Built(text, layers, context, BASE).splits()) == 1


def test_a_home_that_useradd_makes_is_no_place_to_copy_to_later() -> None:
    """It copies /etc/skel into a home that is not there yet, and owns it."""
    built = Built(
        "FROM x\nCOPY a.js /usr/src/app/\nRUN useradd -m -d /usr/src/app app\n",
        {0: [directory("/usr/src/app"), file("/usr/src/app/a.js")], 1: [file("/etc/passwd")]},
        {"a.js": ""},
        (*BASE, directory("/usr/src")),
        working_dir="/",
    )
    assert "/usr/src/app" in built.reason(0, 1)


def test_directories_that_a_tool_reads_are_read_below_those_that_are_spared() -> None:
    """/usr/src is no part of what installers read of /usr; what cargo reads there is."""
    files = ("Cargo.toml", "Cargo.lock", "src/lib.rs", "src/main.rs")
    context = dict.fromkeys(files, "") | {"Cargo.toml": '[package]\nname = "x"\n'}
    start = "/usr/src/x"
    built = Built(
        f"FROM x\nCOPY Cargo.* {start}/\nCOPY src/lib.rs {start}/src/\n"
        f"COPY src/main.rs {start}/src/\nRUN cd {start} && cargo fetch --locked\n",
        {
            0: [directory(start), file(f"{start}/Cargo.toml"), file(f"{start}/Cargo.lock")],
            1: [directory(f"{start}/src"), file(f"{start}/src/lib.rs")],
            2: [file(f"{start}/src/main.rs")],
            3: [file("/usr/local/cargo/registry/x")],
        },
        context,
        (*BASE, directory("/usr/src")),
        working_dir="/",
    )
    assert f"reads {start}/src/main.rs" in built.reason(2, 3)


def test_a_volume_is_where_it_is_from_the_working_directory() -> None:
    built = Built("FROM x\nWORKDIR /app\nVOLUME data/\nCOPY a /app/data/\n", None, {"a": ""})
    assert "/app/data" in built.reason(1, 2)


ROOTFS = {"rootfs": "", "build/rootfs/etc/apt/sources.list": "", "build/rootfs/opt/a": ""}


@pytest.mark.parametrize(
    ("source", "links"),
    [
        ("rootfs", {"rootfs": "build/rootfs"}),
        ("rootfs/", {"rootfs": "/build/rootfs"}),
        ("out/rootfs", {"out": "build"}),
        ("r*s", {"rootfs": "build/rootfs"}),
        ("out/r*", {"out": "build"}),
        ("build/../rootfs", {"rootfs": "other", "other": "./build/x/../rootfs"}),
    ],
)
def test_a_source_that_is_a_link_copies_what_it_leads_to(
    source: str, links: Mapping[str, str]
) -> None:
    """Into /etc/apt, where apt-get reads, though the source's own name says nothing of it."""
    built = Built(
        f"FROM x\nCOPY {source} /\nRUN apt-get install -y curl\n",
        None,
        {**ROOTFS, **dict.fromkeys(links, "")},
        links=links,
    )
    assert "/etc" in built.reason(0, 1)
    harmless = {"rootfs": "", "build/rootfs/srv/a": "", **dict.fromkeys(links, "")}
    assert dataclasses.replace(built, context=harmless).reason(0, 1) == "free"


def test_a_variable_names_what_is_copied_from() -> None:
    """buildah puts its value in, as it stands at the COPY."""
    built = Built("FROM x\nARG T=1\nCOPY --from=busybox:$T /bin/sh /sh\n", {1: [file("/sh")]})
    assert "uses the variable T" in built.reason(0, 1)


@pytest.mark.parametrize("target", ["gone", "/etc/passwd", "rootfs"])
def test_a_source_that_leads_nowhere_may_write_anything(target: str) -> None:
    built = Built(
        "FROM x\nCOPY rootfs /\nRUN apt-get install -y curl\n",
        None,
        ROOTFS,
        links={"rootfs": target},
    )
    assert built.reason(0, 1) != "free"


def test_a_link_to_a_file_is_copied_as_a_file_of_its_own_name() -> None:
    built = Built(
        "FROM x\nWORKDIR /app\nCOPY requirements.txt ./\nCOPY a.py ./\n"
        "RUN pip install -r requirements.txt\n",
        None,
        {"requirements.txt": "flask", "reqs/base.txt": "flask", "a.py": ""},
        links={"requirements.txt": "reqs/base.txt"},
    )
    assert built.reason(2, 3) == "free"
    assert "/app/requirements.txt" in built.reason(1, 3)


def test_a_link_in_a_directory_that_is_copied_stays_a_link() -> None:
    """To copy it first, by its name, would copy the file that it leads to."""
    built = Built(
        "FROM x\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n",
        None,
        {"requirements.txt": "flask", "reqs/base.txt": "flask", "a.py": ""},
        links={"requirements.txt": "reqs/base.txt"},
    )
    (rewrite,) = built.splits()
    assert any((edge.earlier, edge.later) == (2, 3) for edge in rewrite.graph.edges)


ARCHIVE = tarfile.TarInfo("etc/apt/sources.list").tobuf().decode("latin-1")


@pytest.mark.parametrize(
    ("instruction", "content", "free"),
    [
        ("ADD payload /", ARCHIVE, False),
        ("ADD pay* /", ARCHIVE, False),
        ("ADD payload /", "BZh9", False),
        ("ADD payload /", "plain", True),
        ("ADD payload /", "", True),
        ("COPY payload /", ARCHIVE, True),
    ],
)
def test_an_archive_is_one_by_what_it_holds(instruction: str, content: str, free: bool) -> None:
    text = f"FROM x\n{instruction}\nRUN apt-get install -y curl\n"
    built = Built(text, None, {"payload": content})
    assert (built.reason(0, 1) == "free") is free


def test_a_file_that_two_sources_take_is_in_two_places() -> None:
    built = Built(
        "FROM x\nCOPY src src/etc /\nRUN apt-get install -y curl\n",
        None,
        {"src/etc/apt/sources.list": "", "src/a": ""},
    )
    assert "/etc" in built.reason(0, 1)
    text = "FROM x\nCOPY src src/etc /\nCOPY a /apt/\n"
    two = Built(text, None, {"src/etc/apt/a": "", "a": ""})
    assert "/apt/a" in two.reason(0, 1)


@pytest.mark.parametrize(
    ("env", "run"),
    [
        ("VIRTUAL_ENV=/srv/venv", "uv pip install flask"),
        ("UV_PROJECT_ENVIRONMENT=/srv/venv", "uv sync --frozen --no-install-project"),
        ("PATH=/srv/venv/bin:$PATH", "pip install flask"),
    ],
)
def test_an_environment_of_its_own_is_where_packages_go(env: str, run: str) -> None:
    built = Built(
        f"FROM x\nENV {env}\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\n"
        f"COPY libs /srv/venv/lib/\nCOPY src /srv/src/\nRUN {run}\n",
        None,
        {"pyproject.toml": "", "uv.lock": "", "libs/a.py": "", "src/a.py": ""},
    )
    assert "/srv/venv" in built.reason(3, 5)
    assert built.reason(4, 5) == "free"


def test_a_directory_that_is_there_is_copied_into_without_a_slash() -> None:
    built = Built(
        "FROM x\nWORKDIR /app\nCOPY requirements.txt /app\nCOPY src /app/src\n"
        "RUN pip install -r requirements.txt\n",
        {
            0: [directory("/app")],
            1: [directory("/app"), file("/app/requirements.txt")],
            2: [directory("/app"), directory("/app/src"), file("/app/src/a.py")],
            3: INSTALLED,
        },
        {"requirements.txt": "flask", "src/a.py": ""},
        BASE,
    )
    assert built.reason(2, 3) == "free"
    assert "/app/requirements.txt" in built.reason(1, 3)


@pytest.mark.parametrize(("instruction", "splits"), [("ADD . .", 1), ("ADD *.py *.txt ./", 1)])
def test_an_add_that_unpacks_nothing_is_split_as_a_copy_is(instruction: str, splits: int) -> None:
    text = f"FROM x\nWORKDIR /app\n{instruction}\nRUN pip install -r requirements.txt\n"
    built = Built(text, None, {"requirements.txt": "flask", "a.py": "", "b.py": ""})
    rewrites = built.splits()
    assert len(rewrites) == splits
    edges = {(edge.earlier, edge.later) for edge in rewrites[0].graph.edges if not edge.release}
    assert (1, 3) in edges
    assert (2, 3) not in edges
    packed = dataclasses.replace(built, context={**(built.context or {}), "c.py": ARCHIVE})
    assert len(packed.splits()) == (instruction == "ADD . .")  # what is in a directory stays packed


def test_a_copy_of_a_link_is_not_split() -> None:
    """What would be put in names where the link leads today."""
    built = Built(
        "FROM x\nWORKDIR /app\nCOPY now /app/\nRUN pip install -r requirements.txt\n",
        None,
        {"now": "", "v1/requirements.txt": "flask", "v1/a.py": ""},
        links={"now": "v1"},
    )
    assert built.splits() == []
    assert len(dataclasses.replace(built, text=built.text.replace("now", "v1")).splits()) == 1


def test_what_is_copied_through_a_link_that_was_copied_may_be_anywhere() -> None:
    """`links/n` leads to /m, and no image shows it."""
    built = Built(
        "FROM x\nCOPY links /\nCOPY f /n\nCOPY e /m/\nCOPY g /o/\n",
        None,
        {"links/n": "", "f": "", "e/f": "", "g": ""},
        links={"links/n": "/m"},
    )
    assert built.reason(1, 2) != "free"
    assert built.reason(2, 3) == "free"
    plain = dataclasses.replace(built, links={})
    assert plain.reason(1, 2) == "free"


def test_a_run_in_a_directory_that_is_a_link_may_read_what_is_behind_it() -> None:
    text = "FROM x\nCOPY links /\nWORKDIR /n\nCOPY .npmrc /m/\nRUN npm install -g a\n"
    built = Built(text, None, {"links/n": "", ".npmrc": ""}, links={"links/n": "/m"})
    assert built.reason(2, 3) != "free"
    assert dataclasses.replace(built, links={}).reason(2, 3) == "free"
