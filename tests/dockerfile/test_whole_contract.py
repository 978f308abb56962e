"""What a RUN reads that only settings and links tell: it must not come before the COPY of that."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from .built_stage import Built, directory, file, link

_PIP = {"requirements.txt": "a"}
_NPM = {"package.json": "{}", "package-lock.json": '{"packages": {}}'}
_PNPM = {"package.json": "{}", "pnpm-lock.yaml": "lockfileVersion: '9.0'\n"}


def held(text: str, context: Mapping[str, str], links: Mapping[str, str] | None = None) -> bool:
    """Whether the COPY of `given` has to stay above the last RUN; no image tells."""
    built = Built(f"FROM x\nWORKDIR /app\n{text}", None, context, links=links or {})
    steps = built.graph().steps
    (given,) = (at for at, step in enumerate(steps) if "given" in step.text.split(" ")[1])
    return built.reason(given, len(steps) - 1) != "free"


@pytest.mark.parametrize(
    ("setting", "content", "to", "copy", "run", "files"),
    [
        (
            *("a.list", "deb [trusted=yes] file:/debs ./\n", "/etc/apt/sources.list.d/"),
            *("/debs", "apt-get update && apt-get install -y a", {}),
        ),
        (
            "a.list",
            "deb copy:///debs stable main",
            "/etc/apt/sources.list",
            "/debs/",
            "apt update",
            {},
        ),
        ("repositories", "/repo\n", "/etc/apk/", "/repo/", "apk add a", {}),
        (
            *("a.repo", "[a]\nbaseurl=file://localhost/repo\n", "/etc/yum.repos.d/"),
            *("/repo/", "dnf install -y a", {}),
        ),
        (
            *("pip.conf", "[global]\nfind-links = /wheels\n", "/etc/pip.conf"),
            *("/wheels/", "pip install -r requirements.txt", _PIP),
        ),
        (
            *("pip.conf", "[global]\ncert: ${CERTS}/ca.pem\n", "/etc/pip.conf"),
            *("/certs/", "pip install -r requirements.txt", _PIP),
        ),
        (
            "cfg",
            "post-invoke=/app/hook\n",
            "/etc/dpkg/dpkg.cfg.d/",
            "/app/hook",
            "apt install a",
            {},
        ),
        ("useradd", "SKEL=/skel\n", "/etc/default/", "/skel/", "useradd -m a", {}),
        (
            *("gitconfig", '[url "file:///m/"]\ninsteadOf = https://h/\n', "/etc/"),
            *("/m/", "pip install git+https://h/a.git", {}),
        ),
        (".npmrc", "cafile=certs/ca.pem\n", "./", "certs/", "npm ci", _NPM),
        (".npmrc", "cafile=~/certs/ca.pem\n", "./", "/srv/certs/", "npm ci", _NPM),
        (
            *("pnpm-workspace.yaml", "packages: ['*', '!test']\n", "./", "packages/a/"),
            *("pnpm install --frozen-lockfile --ignore-scripts", _PNPM),
        ),
        (
            *(".yarnrc", 'yarn-offline-mirror "./mirror"\n', "./", "mirror/"),
            *("yarn --frozen-lockfile --ignore-scripts", {"package.json": "{}", "yarn.lock": ""}),
        ),
        (
            *("pnpm-workspace.yaml", "packages:\n  - 'packages/*'\n", "./", "packages/a/"),
            *("pnpm install --frozen-lockfile --ignore-scripts", _PNPM),
        ),
        (
            *("pnpm-workspace.yaml", "patchedDependencies:\n  a: fixes/a.patch\n", "./", "fixes/"),
            *("pnpm install --frozen-lockfile --ignore-scripts", _PNPM),
        ),
        (
            *("nuget.config", '<add key="l" value="feed" />', "./", "feed/"),
            *("dotnet restore a.csproj", {"a.csproj": "<Project/>"}),
        ),
        (
            *("config.toml", '[source.v]\ndirectory = "crates"\n', ".cargo/", "crates/"),
            *(
                "cargo fetch --locked",
                {"Cargo.toml": '[[bin]]\nname = "a"\npath = "a.rs"\n', "Cargo.lock": ""},
            ),
        ),
    ],
)
def test_what_a_setting_names_stays_above(
    setting: str, content: str, to: str, copy: str, run: str, files: Mapping[str, str]
) -> None:
    names = " ".join(files)
    text = (
        f"ENV CERTS=/certs HOME=/srv\nCOPY {setting} {to}\n"
        + (f"COPY {names} ./\n" if names else "")
        + f"COPY given/ {copy}\nRUN {run}\n"
    )
    given = {"given/ca.pem": "", "given/a.patch": ""}
    assert held(text, {setting: content, **files, **given})
    assert not held(text, {setting: "https://example.com/debs\n", **files, **given})


@pytest.mark.parametrize(
    "before",
    [
        "RUN echo 'deb [trusted=yes] file:/debs ./' > /etc/apt/sources.list.d/a.list",
        "COPY <<EOF /etc/apt/sources.list.d/a.list\ndeb file:/debs ./\nEOF",
        "COPY --from=settings a.list /etc/apt/sources.list.d/a.list",
    ],
)
def test_settings_that_no_file_of_the_context_holds(before: str) -> None:
    text = f"{before}\nCOPY given /debs/\nRUN apt-get update && apt-get install -y a\n"
    assert held(text, {"given": ""})


@pytest.mark.parametrize(
    "before",
    [
        "RUN echo /debs",
        "COPY --from=settings a.gpg /etc/apt/trusted.gpg.d/a.gpg",
        "RUN echo 'deb https://example.com/debs a' > /etc/apt/sources.list.d/a.list",
        "COPY site.conf /etc/nginx/site.conf",
        "COPY --from=golang /usr/local/go/go.env /usr/local/go/go.env",
        "COPY --from=node /npm/.npmrc /root/node_modules/npm/.npmrc",
    ],
)
def test_what_names_nothing_holds_nothing(before: str) -> None:
    text = f"{before}\nCOPY given /debs/\nRUN apt-get update && apt-get install -y a\n"
    assert not held(text, {"given": "", "site.conf": "root /debs;"})


def test_any_version_is_no_member_of_a_workspace() -> None:
    text = (
        "COPY package.json pnpm-lock.yaml pnpm-workspace.yaml ./\nCOPY given given\n"
        "RUN pnpm install --frozen-lockfile --ignore-scripts\n"
    )
    assert not held(text, {**_PNPM, "pnpm-workspace.yaml": "catalog:\n  a: '*'\n", "given": ""})


def test_settings_of_the_stage_below() -> None:
    built = Built(
        "FROM x AS b\nCOPY a.list /etc/apt/sources.list.d/\n"
        "FROM b\nCOPY debs /debs/\nRUN apt-get update\n",
        None,
        {"a.list": "deb file:/debs ./", "debs/a.deb": ""},
    )
    assert "reads /debs" in built.reason(0, 1)


def test_settings_are_where_a_variable_says() -> None:
    text = "ENV XDG_CONFIG_HOME=/settings\nCOPY given /settings/pip/\nRUN pip install a\n"
    assert held(text, {"given": ""})


def test_a_setting_names_a_setting() -> None:
    text = (
        "COPY Directory.Build.props a.csproj ./\nCOPY build build/\nCOPY given feed/\n"
        "RUN dotnet restore a.csproj\n"
    )
    context = {
        "Directory.Build.props": '<Import Project="build/common.props" />',
        "build/common.props": "<RestoreSources>$(MSBuildThisFileDirectory)../feed</RestoreSources>",
        "a.csproj": "<Project/>",
        "given": "",
    }
    assert held(text, context)


def test_what_a_copied_link_leads_to_stays_above() -> None:
    context = {"given/base.txt": "a", "app/requirements.txt": "a"}
    text = "COPY given /shared/\nCOPY app ./\nRUN pip install -r requirements.txt\n"
    assert held(text, context, {"app/requirements.txt": "/shared/base.txt"})
    assert not held(text, context)


def test_settings_behind_a_link_of_the_image_stay_above() -> None:
    built = Built(
        "FROM x\nWORKDIR /app\nCOPY .npmrc /srv/app/\nRUN npm install -g a\n",
        {1: [file("/srv/app/.npmrc")], 2: [file("/usr/lib/a.js")]},
        {".npmrc": ""},
        (directory("/usr"), directory("/srv"), directory("/srv/app"), link("/app", "/srv/app")),
    )
    assert "/srv/app/.npmrc" in built.reason(1, 2)
