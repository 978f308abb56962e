"""What each tool is taken to read, and which of its forms are understood at all."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerlens.dockerfile.instructions import Run
from layerlens.dockerfile.parser import parse_dockerfile
from layerlens.dockerfile.shell_commands import NotUnderstood, simple_commands
from layerlens.dockerfile.stage_state import State
from layerlens.dockerfile.tool_contracts import Contract, NoContract, contract_of

from .built_stage import Built

NPM_LOCK = '{"packages": {"": {}, "node_modules/esbuild": {"hasInstallScript": true}}}'


def contract(
    command: str, files: Mapping[str, str] | None = None, variables: Mapping[str, str] | None = None
) -> Contract | NoContract:
    """Of a RUN in /w, with these files copied there."""
    (run,) = parse_dockerfile(f"FROM x\nRUN {command}\n".encode()).stages[0].instructions
    assert isinstance(run, Run)
    contents = {f"/w/{name}": text.encode() for name, text in (files or {}).items()}
    state = State(
        working_directory="/w",
        user="",
        unset=True,
        variables={"PATH": "/usr/bin", **(variables or {})},
    )
    return contract_of(run, state, contents.get, lambda _: files or {})


@pytest.mark.parametrize(
    ("command", "files", "manifests"),
    [
        ("apt-get update && apt-get -yq install a b=1.* && apt-get clean", {}, ""),
        ("set -eux; apt-get update; apt-get install -y a; rm -rf /x/*", {}, ""),
        ("DEBIAN_FRONTEND=x apt-get install -qq -o Dpkg::Use-Pty=0 a >/dev/null", {}, ""),
        ("apk add --no-cache --virtual .deps gcc musl-dev", {}, ""),
        ("apk add -t .build-deps gcc && apk del .build-deps", {}, ""),
        ("microdnf install -y --setopt=install_weak_deps=0 a && microdnf clean all", {}, ""),
        ("/usr/bin/dnf -y install a", {}, ""),
        ("<<EOF\nset -e\napt-get update\n# why\napt-get install -y a\nEOF", {}, ""),
        ("mkdir -p /data && useradd -m -s /bin/bash app && groupadd g", {}, ""),
        ("pip install --no-cache-dir 'flask>=2' uvicorn[standard]", {}, ""),
        ("pip3.11 install -U pip setuptools wheel", {}, ""),
        ("pip install -r a.txt -c b.txt", {"a.txt": "x", "b.txt": "x==1"}, "a.txt b.txt"),
        ("pip install torch==2.1.0+cu118 -f https://download.example/whl/stable.html", {}, ""),
        ("pip install -ra.txt", {"a.txt": "x"}, "a.txt"),
        ("pip install --requirement=a.txt", {"a.txt": "-r d/b", "d/b": "y"}, "a.txt d/b"),
        ("cd sub && pip install -r ../a.txt", {"a.txt": "x \\\n  ==1 --hash=sha256:0"}, "a.txt"),
        ("pip install -r a.txt", {"a.txt": "x @ git+https://h/y.git@v1\n-i https://h"}, "a.txt"),
        ("python -m pip install -r a.txt", {"a.txt": "x"}, "a.txt"),
        ("python3 -m venv /opt/venv", {}, ""),
        ("/opt/venv/bin/pip install -r a.txt", {"a.txt": "x"}, "a.txt"),
        ("python3 -m venv v && v/bin/python -m pip install -r a.txt", {"a.txt": "x"}, "a.txt"),
        ("/usr/local/bin/pip3 install -r a.txt", {"a.txt": "x"}, "a.txt"),
        (". /opt/venv/bin/activate && pip install -r a.txt", {"a.txt": "x"}, "a.txt"),
        ("pip install --prefix=/install -r a.txt", {"a.txt": "x"}, "a.txt"),
        ("pip install -t /packages -r a.txt", {"a.txt": "x"}, "a.txt"),
        ("pip wheel --no-cache-dir -w /wheels -r a.txt", {"a.txt": "x"}, "a.txt"),
        (
            "uv sync --locked --no-install-project",
            {"pyproject.toml": '[project]\nlicense = { file = "LICENSE" }\n', "uv.lock": ""},
            "pyproject.toml uv.lock",
        ),
        ("uv pip install --system -r a.txt", {"a.txt": "x"}, "a.txt"),
        (
            "uv sync --frozen --no-install-project --no-dev",
            {"pyproject.toml": "[project]", "uv.lock": 'source = { editable = "." }'},
            "pyproject.toml uv.lock",
        ),
        (
            "poetry install --no-root --only main",
            {"pyproject.toml": "[tool.poetry]", "poetry.lock": ""},
            "poetry.lock pyproject.toml",
        ),
        (
            "uv sync --frozen",
            {"pyproject.toml": "[project]", "uv.lock": 'source = { virtual = "." }'},
            "pyproject.toml uv.lock",
        ),
        (
            "poetry install --only main",
            {"pyproject.toml": "[tool.poetry]\npackage-mode = false\n", "poetry.lock": ""},
            "poetry.lock pyproject.toml",
        ),
        ("pipenv install --deploy", {"Pipfile": "", "Pipfile.lock": "{}"}, "Pipfile Pipfile.lock"),
        (
            "conda env create -f e.yml && conda clean -afy",
            {"e.yml": "name: x\ndependencies:\n  - python=3.11\n  - pip:\n      - flask==2\n"},
            "e.yml",
        ),
        ("micromamba install -y -n base -c conda-forge numpy", {}, ""),
        ("npm ci --omit=dev", {"package.json": "{}", "package-lock.json": NPM_LOCK},
         "package-lock.json package.json"),
        ("npm ci --ignore-scripts",
         {"package.json": '{"scripts": {"postinstall": "x"}}', "package-lock.json": NPM_LOCK},
         "package-lock.json package.json"),
        ("npm install -g npm@10 @angular/cli", {}, ""),
        ("yarn install --frozen-lockfile --ignore-scripts", {"package.json": "{}", "yarn.lock": ""},
         "package.json yarn.lock"),
        ("corepack enable && pnpm install --frozen-lockfile --ignore-scripts",
         {"package.json": "{}", "pnpm-lock.yaml": ""}, "package.json pnpm-lock.yaml"),
        ("pnpm fetch", {"pnpm-lock.yaml": ""}, "pnpm-lock.yaml"),
        ("go mod download && go mod verify", {"go.mod": "module x", "go.sum": ""}, "go.mod go.sum"),
        ("cargo fetch --locked",
         {"Cargo.toml": '[[bin]]\nname = "x"\npath = "src/main.rs"\n[dependencies]\nserde = "1"',
          "Cargo.lock": ""}, "Cargo.lock Cargo.toml"),
        ("bundle install --jobs 4",
         {"Gemfile": "source 'https://rubygems.org'\ngem 'rails', '~> 7'\ngroup :test do\nend\n"},
         "Gemfile"),
        ("composer install --no-dev --no-scripts --no-autoloader",
         {"composer.json": "{}", "composer.lock": "{}"}, "composer.json composer.lock"),
        ("mvn -B dependency:go-offline", {"pom.xml": "<project/>"}, "pom.xml"),
        ("dotnet restore App.csproj", {"App.csproj": "<Project/>"}, "App.csproj"),
    ],
)  # fmt: skip
def test_what_is_understood(command: str, files: Mapping[str, str], manifests: str) -> None:
    found = contract(command, files)
    assert isinstance(found, Contract), found
    assert sorted(found.manifests) == [f"/w/{name}" for name in manifests.split()]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("make", "make may read anything"),
        ("$TOOL install", "$ may read anything"),
        ("./a.sh", "./a.sh may read anything"),
        ("apt-get install -y ./a.deb", "installs a file"),
        ("apt-get install -y $DEBS/a", "installs a file, $/a"),
        ("apt-get source a", "what apt-get source reads is not known"),
        ("apt-get install --config-file=x a", "--config-file=x of apt-get is not known"),
        ("apt-get -o Dir::Etc::sourcelist=/w/a.list update", "told where to look"),
        ("apt-get install -o APT::Update::Post-Invoke::=./a a", "what to run"),
        ("dnf install --setopt=reposdir=/w/repos a", "told where to look"),
        ("cargo fetch --target ./x.json", "a target of the project's own"),
        ("pip install -f wheels a", "an index that may be of files"),
        ("apk add --repository /w a", "a repository of files"),
        ("apk add ./a.apk", "installs a file"),
        ("apk add .apk", "installs a file"),
        ("apt-get update || true", "it has a pipe"),
        ("apt-get update & wait", "in the background"),
        ("if true; then apt-get update; fi", "the shell's if"),
        ("apt-get install $(cat list)", "a substitution other than a plain variable"),
        ("apt-get install `cat list`", "a command substitution"),
        ("apt-get install ${LIST:-x}", "a substitution other than a plain variable"),
        ("apt-get install a < list", "reads a command's input from list"),
        ("(apt-get update)", "a subshell"),
        ("apt-get install 'a", "a quote does not close"),
        ("pip install -r \0$FILE", "it has a NUL"),
        ("pip install -r $FILE", "the value of FILE is not known"),
        ("pip download x", "of pip only install"),
        ("pip wheel .", "installs from a path"),
        ("/opt/venv/bin/flask db upgrade", "/opt/venv/bin/flask may read anything"),
        (". ./settings.sh && pip install x", ". may read anything"),
        (". /usr/bin/activate && pip install x", "/usr is no virtual environment"),
        ("pip install --no-build-isolation x", "what is installed already"),
        ("uv sync --no-install-project", "may resolve anew"),
        ("conda env create -f missing.yml", "what /w/missing.yml holds is not known"),
        ("conda env update -n a", "what /w/environment.yml holds is not known"),
        ("conda install ./x.conda", "conda installs a file"),
        ("npm install -g .", "npm installs from a path"),
        ("rm -rf $D/x", "the value of D is not known"),
        ("rm -rf {/c,/d}/x", "a pattern that may lead anywhere"),
        ("rm -rf /c/*/../../d", "a pattern that may lead anywhere"),
        ("rm -rf ~web/.cache", "whose home rm is given is not known"),
        ("corepack install", "corepack reads package.json"),
        ("go build ./...", "what go build ./... reads is not known"),
        ("cargo build", "of cargo only fetch"),
        ("mvn package", "of mvn only"),
        ("export PATH=/w:$PATH && pip install x", "it sets PATH"),
        ("set -- a b", "sets the shell's arguments"),
        ("source x && pip install y", "source may read anything"),
    ],
)
def test_what_is_not_understood(command: str, reason: str) -> None:
    found = contract(command)
    assert isinstance(found, NoContract)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dependencies:\n  - pip:\n    - -e .\n", "an option of pip"),
        ("dependencies:\n  - pip:\n    - -r x.txt\n", "includes another file"),
        ("dependencies:\n  - pip:\n    - ./x\n", "from a path"),
        ("dependencies:\n  - file:///x.conda\n", "a local path"),
        ("channels:\n  - file:///w/channel\n", "a local path"),
        ("channels:\n  - https://h/channel\ndependencies:\n  - a[version='>1']\n", None),
        ("dependencies: [python, {pip: [-e .]}]\n", "in a way that is not read"),
        ('dependencies:\n  - "pip":\n    - -e .\n', "in a way that is not read"),
        ("dependencies:\n  - {pip: [-e .]}\n", "in a way that is not read"),
        ("dependencies:\n  - ./x.conda\n", "a local path"),
        ("prefix: /x\n", "a prefix"),
    ],
)
def test_environments_of_conda(text: str, reason: str | None) -> None:
    found = contract("conda env create -f e.yml", {"e.yml": text})
    if reason is None:
        assert isinstance(found, Contract)
    else:
        assert isinstance(found, NoContract)
        assert reason in found.reason


@pytest.mark.parametrize(
    ("command", "files", "reason"),
    [
        ("conda install -c ./channel a", {}, "a channel that may be of files"),
        ("conda install -c file:///w/c a", {}, "a channel that may be of files"),
        ("conda install --file a.txt", {"a.txt": "@EXPLICIT\nfile:///w/a.conda"}, "a local path"),
        ("conda install --file a.txt", {"a.txt": "@EXPLICIT\nhttps://h/a.conda#0"}, None),
        ("conda install --file a.txt", {"a.txt": "conda-forge::numpy=1.*\npandas>=2"}, None),
        ("pip install a-1.0.tgz", {}, "from a path"),
        ("pip install a-1.0-py3-none-any.whl[all]", {}, "from a path"),
        ("pip install -r a.txt", {"a.txt": "a.tar.bz2"}, "from a path"),
        ("pip install -i file:///w/simple a", {}, "an index that may be of files"),
        ("pip install --extra-index-url ./simple a", {}, "an index that may be of files"),
        ("pip install -i $INDEX a", {}, None),
        ("pip install -r a.txt", {"a.txt": "--index-url ./simple\na"}, "an index that may be"),
        ("npm ci", {"package.json": '{"dependencies": {"a": "~1.2.3", "b": ">=1"}}'}, None),
        ("npm ci", {"package.json": '{"dependencies": {"a": "~/a"}}'}, "names a local path"),
        ("npm ci", {"package.json": '{"dependencies": {"a": "../a"}}'}, "names a local path"),
        (
            "cd a && npm ci",
            {
                "package.json": '{"workspaces": ["a"]}',
                "a/package.json": "{}",
                "a/package-lock.json": NPM_LOCK,
            },
            "/w/package.json has workspaces",
        ),
        (
            "cd a && npm ci",
            {"package.json": "{}", "a/package.json": "{}", "a/package-lock.json": NPM_LOCK},
            None,
        ),
        ("npm install -g ~/a", {}, "from a path"),
        ("bundle install", {"Gemfile": "gem 'a', git: `cat x`"}, "is a program"),
        ("bundle install", {"Gemfile": "gem 'a', require: IO.read 'x'"}, "is a program"),
        (
            "bundle install",
            {
                "Gemfile": "git_source(:github) { |repo| "
                '"https://github.com/#{repo}.git" }\n'
                'gem "debug", platforms: [:mri, :mingw], require: "debug/prelude"\n'
                'gem "tzinfo-data", platforms: %i[ windows jruby ]\n'
            },
            None,
        ),
        (
            "bundle install",
            {"Gemfile": 'git_source(:github) { |repo| "https://x/#{IO.read(repo)}.git" }'},
            "is a program",
        ),
        (
            "uv sync --frozen",
            {"pyproject.toml": "[project]", "uv.lock": 'source = { editable = "." }'},
            "uv sync installs the project itself",
        ),
        (
            "uv sync --frozen --no-install-project",
            {"pyproject.toml": '[tool.uv]\nfind-links = ["./wheels"]\n', "uv.lock": ""},
            "an index of files",
        ),
        (
            "uv sync --frozen --no-install-project",
            {"pyproject.toml": '[[tool.uv.index]]\nurl = "./wheels"\n', "uv.lock": ""},
            "an index of files",
        ),
        (
            "uv sync --frozen --no-install-project",
            {"pyproject.toml": "", "uv.lock": 'source = { registry = "wheels" }'},
            "uv.lock names an index of files",
        ),
        (
            "uv sync --frozen --no-install-project",
            {
                "pyproject.toml": '[[tool.uv.index]]\nurl = "https://x/simple"\n',
                "uv.lock": 'source = { registry = "https://pypi.org/simple" }\n'
                'sdist = { url = "https://x/a.tar.gz" }\nsource = { git = "https://x/y" }\n',
            },
            None,
        ),
        (
            "poetry install",
            {"pyproject.toml": "[tool.poetry]\nname = 'a'\n"},
            "poetry installs the project itself",
        ),
        (
            "poetry install --no-root",
            {"pyproject.toml": '[tool.poetry-dynamic-versioning]\nvcs = "git"\n'},
            "a plugin of poetry",
        ),
        (
            "poetry install --no-root",
            {"pyproject.toml": '[tool.poetry.requires-plugins]\nx = ">=1"\n'},
            "a plugin of poetry",
        ),
        (
            "poetry install --no-root",
            {"pyproject.toml": '[project]\nlicense = { file = "LICENSE" }\n'},
            "names a local path",
        ),
        (
            "composer install --no-scripts --no-autoloader",
            {"composer.json": '{"repositories": [{"type": "vcs", "url": ".\\/a"}]}'},
            "names a local path",
        ),
        (
            "mvn dependency:go-offline",
            {"pom.xml": "<extension><artifactId>jgitver-maven-plugin</artifactId></extension>"},
            "has extensions, which run",
        ),
        (
            "mvn dependency:go-offline",
            {"pom.xml": "<extension><artifactId>os-maven-plugin</artifactId></extension>"},
            None,
        ),
        (
            "mvn dependency:go-offline",
            {"pom.xml": "<repository><url>${project.baseUri}/repo</url></repository>"},
            "names a local path",
        ),
        (
            "dotnet restore a.csproj",
            {"a.csproj": "<RestoreAdditionalProjectSources>../p</RestoreAdditionalProjectSources>"},
            "says where packages are",
        ),
        ("mvn dependency:resolve", {"pom.xml": "<extensions>true</extensions>"}, "which run"),
        (
            "dotnet restore a.csproj",
            {"a.csproj": "<ItemGroup Condition=\"Exists('b')\"/>"},
            "looks for other files",
        ),
        (
            "dotnet restore a.csproj",
            {"a.csproj": "<Version>$([System.IO.File]::ReadAllText('VERSION'))</Version>"},
            "looks for other files",
        ),
    ],
)
def test_files_that_are_named_in_ways_of_their_own(
    command: str, files: Mapping[str, str], reason: str | None
) -> None:
    locks = {"package-lock.json": NPM_LOCK, "composer.lock": "{}"}
    found = contract(command, {**locks, **files})
    if reason is None:
        assert isinstance(found, Contract), found
    else:
        assert isinstance(found, NoContract)
        assert reason in found.reason


@pytest.mark.parametrize(
    ("command", "variables", "written"),
    [
        ("bundle install", {}, True),
        ("bundle install --frozen", {}, False),
        ("bundle install", {"BUNDLE_DEPLOYMENT": "1"}, False),
        ("bundle install", {"BUNDLE_DEPLOYMENT": "false"}, True),
        ("bundle config set --local deployment true && bundle install", {}, False),
        ("bundle config set --local path x && bundle install", {}, True),
    ],
)
def test_a_lock_that_bundler_is_told_to_leave(
    command: str, variables: Mapping[str, str], written: bool
) -> None:
    found = contract(command, {"Gemfile": "gem 'a'", "Gemfile.lock": ""}, variables)
    assert isinstance(found, Contract), found
    assert ("/w/Gemfile.lock" in found.writes) is written


@pytest.mark.parametrize(
    ("command", "name", "value", "tree"),
    [
        ("npm install -g a", "NODE_EXTRA_CA_CERTS", "/w/ca.pem", "/w/ca.pem"),
        ("pip install a", "PIP_CERT", "/w/ca.pem", "/w/ca.pem"),
        ("pip install a", "SSL_CERT_FILE", "../ca.pem", "/ca.pem"),
        ("pip install a", "PIP_INDEX_URL", "file:///w/simple", "/w/simple"),
        ("apt-get install a", "GIT_SSL_CAINFO", "/w/ca.pem", "/w/ca.pem"),
        ("pip install a", "PIP_INDEX_URL", "https://h/w/simple", None),
        ("pip install a", "APP_HOME", "/w/x", None),
        ("apt-get install a", "DIRECTORY", "/w/x", None),
    ],
)
def test_files_that_variables_name_are_read(
    command: str, name: str, value: str, tree: str | None
) -> None:
    """Set by ENV, or for the command alone."""
    for found in (contract(command, {}, {name: value}), contract(f"{name}={value} {command}")):
        assert isinstance(found, Contract), found
        named = {each for each in found.trees if each.startswith(("/w/ca", "/w/s", "/w/x", "/ca"))}
        assert {each for each in named if not each.endswith("setup.cfg")} == ({tree} - {None})


@pytest.mark.parametrize("name", ["BUNDLE_GEMFILE", "COMPOSER", "PIPENV_PIPFILE", "UV_PROJECT"])
def test_a_variable_that_names_another_project_is_not_followed(name: str) -> None:
    found = contract("apt-get install a", {}, {name: "other"})
    assert isinstance(found, NoContract)
    assert f"{name} is set" in found.reason


@pytest.mark.parametrize(
    ("command", "files", "tree"),
    [
        ("cd a && cargo fetch", {"a/Cargo.toml": ""}, "/w/Cargo.toml"),
        ("useradd -m -d/srv/a a", {}, "/srv/a"),
        (
            "cd a && uv sync --frozen --no-install-project",
            {"a/pyproject.toml": "", "a/uv.lock": ""},
            "/w/pyproject.toml",
        ),
        (
            "cd a/b && dotnet restore ../c.csproj",
            {"a/c.csproj": "<Project/>"},
            "/w/a/Directory.Build.props",
        ),
        (
            "npm ci --cache .npm",
            {"package.json": "{}", "package-lock.json": NPM_LOCK},
            "/w/.npm",
        ),
        (
            "yarn --frozen-lockfile --cache-folder c",
            {"package.json": "{}", "yarn.lock": ""},
            "/w/c",
        ),
        ("pnpm fetch --store-dir=s", {"pnpm-lock.yaml": ""}, "/w/s"),
        (
            "cd a && composer install --no-scripts --no-autoloader",
            {"a/composer.json": "{}", "a/composer.lock": "{}"},
            "/w/.git",
        ),
    ],
)
def test_what_stands_above_may_have_a_say(
    command: str, files: Mapping[str, str], tree: str
) -> None:
    found = contract(command, files)
    assert isinstance(found, Contract), found
    assert tree in found.trees


@pytest.mark.parametrize(
    ("command", "name", "read"),
    [
        ("apt-get install a", "VERSION", False),
        ("apt-get install a", "DEBIAN_FRONTEND", True),
        ("apt-get install a", "https_proxy", True),
        ("apt-get install a", "PATH", True),
        ("apt-get install a=$VERSION", "VERSION", True),
        ('pip install "a==${VERSION}"', "VERSION", True),
        ("pip install a", "PIP_NO_CACHE_DIR", True),
        ("pip install a", "CFLAGS", True),
        ("pip install a", "GIT_COMMIT", False),
        ("pip install a", "GIT_SSH_COMMAND", True),
        ("pip install a", "BUILD_DATE", False),
        ("pip install a", "BUILDPLATFORM", True),
        ("pip install a", "COMMIT", False),
        ("npm install -g a", "NODE_ENV", True),
        ("npm install -g a", "COMMIT", False),
    ],
)
def test_variables(command: str, name: str, read: bool) -> None:
    found = contract(command)
    assert isinstance(found, Contract)
    assert found.reads_variable(name) is read


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000])
@pytest.mark.parametrize(
    "command", ["uv sync --frozen --no-install-project", "poetry install --no-root"]
)
def test_a_project_that_no_reader_of_toml_takes_is_refused(command: str, value: str) -> None:
    files = {"pyproject.toml": f"a = {value}", "uv.lock": "", "poetry.lock": ""}
    read = contract(command, files)
    assert isinstance(read, NoContract)
    assert "pyproject.toml is no TOML" in read.reason


@pytest.mark.parametrize(
    ("manifest", "found"),
    [
        ('[package]\nname = "x"', "sources"),
        ('[lib]\npath = "x.rs"', "no sources"),
        ('[lib]\npath = "x.rs"\n[[bin]]\nname = "b"', "sources"),
        ('[package]\ndefault-run = "b"\n[[bin]]\nname = "a"\npath = "x.rs"', "sources"),
        ('[package]\ndefault-run = "a"\n[[bin]]\nname = "a"\npath = "x.rs"', "no sources"),
        ('[package]\nworkspace = "../b"\n[lib]\npath = "x.rs"', "the workspace ../b"),
        ('[workspace]\nmembers = ["a"]', "is a workspace"),
        ('[dependencies]\na = { path = "../a" }', "names a local path"),
        ('[target."cfg(unix)".dependencies]\na = { path = "../a" }', "names a local path"),
        ("[", "is no TOML"),
        ("a = " + "9" * 5000, "is no TOML"),
        ("a = " + "[" * 5000, "is no TOML"),
        ("a = 0x" + "f" * 5000 + '\n[lib]\npath = "x.rs"', "no sources"),
    ],
)
def test_cargo_wants_to_see_sources_unless_the_manifest_names_a_target(
    manifest: str, found: str
) -> None:
    read = contract("cargo fetch", {"Cargo.toml": manifest, "Cargo.lock": ""})
    if isinstance(read, NoContract):
        assert found in read.reason
    else:
        assert ("/w/src" in read.trees) is (found == "sources")


def test_rm_is_given_a_home_by_its_variable() -> None:
    found = contract("rm -rf ~/.cache", {}, {"HOME": "/srv"})
    assert isinstance(found, Contract)
    assert "/srv" in found.trees


def test_a_shell_of_the_project_is_read() -> None:
    text = 'FROM x\nSHELL ["/app/bin/sh", "-c"]\nCOPY sh /app/bin/\nRUN apt-get update\n'
    assert "/app/bin/sh" in Built(text, None, {"sh": ""}, working_dir="/").reason(1, 2)


def test_variables_are_looked_up_where_they_name_a_file() -> None:
    found = contract("pip install -r $D/a.txt", {"x/a.txt": "y"}, {"D": "x"})
    assert isinstance(found, Contract)
    assert found.manifests == {"/w/x/a.txt"}
    assert found.reads_variable("D")
    own = contract("D=x; pip install -r ${D}/a.txt", {"x/a.txt": "y"})
    assert isinstance(own, Contract)
    assert isinstance(contract("A=$A; pip install -r $A"), NoContract)


def test_settings_are_looked_for_in_the_directory_and_all_above() -> None:
    found = contract("npm ci", {"package.json": "{}", "package-lock.json": NPM_LOCK})
    assert isinstance(found, Contract)
    assert {"/w/.npmrc", "/.npmrc", "/w/node_modules"} <= found.trees
    assert "/w" in found.lookups
    assert "/w" not in found.trees


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a  'b c' \"d $E\"; f\\ g && h#i #j\nk", [["a", "b c", "d \0"], ["f g"], ["h#i"], ["k"]]),
        ("A=1 B='x y' c 2>&1 >/dev/null", [["c"]]),
        ("a \\\n b", [["a", "b"]]),
        ("a >&2; b &>>/dev/null", [["a"], ["b"]]),
        ("", []),
    ],
)
def test_simple_commands(text: str, words: list[list[str]]) -> None:
    assert [[word.text for word in each.words] for each in simple_commands(text)] == words


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a > /etc/x; b", "it writes a command's output to /etc/x"),
        ("a 2>>$D/'x y'", "it writes a command's output to $D/'x y'"),
        ("a &>x", "it writes a command's output to x"),
        ("a >", "it writes a command's output to a file"),
        ("a <dump.sql", "it reads a command's input from dump.sql"),
        ("a <<END\nb\nEND", "it has a here-document"),
        ("a <<< b", "it has a here-string"),
        ("a <(b)", "it has a process substitution"),
        ("a & b", "it has a command in the background"),
        ("a | b", "it has a pipe"),
        ("(a)", "it has a subshell"),
    ],
)
def test_what_is_more_than_a_list_of_commands_is_named(text: str, reason: str) -> None:
    with pytest.raises(NotUnderstood) as raised:
        simple_commands(text)
    assert str(raised.value) == reason


@given(st.text(alphabet="ab $'\"\\;&|<>(){}`=#\n*-/", max_size=30))
def test_any_text_is_commands_or_is_not_understood(text: str) -> None:
    try:
        found = simple_commands(text)
    except NotUnderstood:
        return
    written = "".join(word.text for each in found for word in each.words)
    assert not set(written.replace("\0", "$")) - set(text)
    assert all(each.words or each.assignments for each in found)


@given(st.text(alphabet="ab $'\"\\;&|>(){}`=#*-/.", max_size=30))
def test_any_run_has_a_contract_or_a_reason(text: str) -> None:
    found = contract(f"pip install {text}")
    if isinstance(found, Contract):
        plain = re.sub(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|(?:^|\s|;|&)#.*", "", text)
        assert not set(plain) & set("|>()`")
    else:
        assert isinstance(found, NoContract)
