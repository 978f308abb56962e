"""Passwords and tokens that commands are given, in the forms of those that often are."""

from __future__ import annotations

import re

HIDDEN = "***"
"""Stands for what is not shown."""

_HARMLESS = re.compile(
    r"(?:|true|false|yes|no|on|off|none|null|change-?(?:me|it)|placeholder|xxx+|\*+"
    r"|(?:dummy|fake|example|your|not-?a-?secret|unused)(?:[-_ ].*)?"
    r"|[0-9]{1,12}|[$].*|[{][{].*|%\(.*|<.*>|[.]?/.*|[.]{2}/.*|file://.*|[.][*].*|[\[\\].*)",
    re.IGNORECASE | re.DOTALL,
)
"""Switches, words that stand for another, variables, templates, paths, patterns of sed."""
_SHORTEST = 6
"""Characters of a value that is worth hiding."""

_VALUE = r"""(?P<value>(?!-)(?:"[^"]{1,200}"|'[^']{1,200}'|[^\s;&|'"`()]{1,200}))"""  # a word
_THEN = r"""(?:[ \t]{1,9}|(?<=")[ \t]{0,9},[ \t]{0,9})"""
"""Between two words, or two strings of a list in JSON."""
_WITHIN = r"(?=\s)[^;&|]{0,300}?\s"
"""From a command's name to one of its options."""

_BEFORE = (
    r"[\s\"]--(?:[a-z][a-z-]{0,30}-)?(?:password|passwd|passphrase|requirepass|token|api-?key"
    rf"|client-secret|secret-key)\"?{_THEN}",
    rf"\s-(?:src|dest|new)?(?:store|key)pass(?:wd)?{_THEN}",
    rf"\b(?:docker|podman|nerdctl|buildah|skopeo|oras|crane auth|helm registry|cosign|az)\s{{1,9}}"
    rf"login{_WITHIN}-p[ =]?",
    r"\b(?:twine\s{1,9}upload|dotnet\s{1,9}nuget\s{1,9}add)\s[^;&|]{0,300}?\s-p[ =]",
    rf"(?<![\w.-])(?:mysql|mariadb)(?:-?(?:dump|admin|import|check))?{_WITHIN}-p",
    rf"\bmongo(?:sh|dump|restore|import|export)?{_WITHIN}-p[ \t]{{1,9}}",
    rf"\bsshpass{_WITHIN}-p[ \t]{{0,9}}",
    rf"\bredis-cli{_WITHIN}-a[ \t]{{1,9}}",
    rf"\b(?:sqlcmd|bcp){_WITHIN}-P[ \t]{{0,9}}",
    r"\s-pass(?:in|out|word)?[ \t]{1,9}pass:",
    r"\bopenssl\s{1,9}passwd(?:\s{1,9}-salt\s{1,9}\S{1,40}|\s{1,9}-(?!salt|in)\w{1,9}){0,5}"
    r"[ \t]{1,9}",
    rf"\b(?:useradd|usermod){_WITHIN}-p[ \t]{{1,9}}",
    r"\bhtpasswd\s{1,9}(?=(?:-\w{1,9}\s{1,9}){0,5}-\w{0,5}b)(?:-\w{1,9}\s{1,9}){1,6}"
    r"[^\s;&|]{1,200}\s{1,9}[^\s;&|]{1,100}[ \t]{1,9}",
    r"\brabbitmqctl\s{1,9}(?:add_user|change_password)\s{1,9}[^\s;&|]{1,100}[ \t]{1,9}",
    r"\baws\s{1,9}configure\s{1,9}set\s{1,9}(?:[\w.-]{1,100}\.)?aws_"
    r"(?:secret_access_key|session_token)[ \t]{1,9}",
    r"\b(?:npm|pnpm|yarn)\s{1,9}(?:config\s{1,9})?set\s[^;&|]{0,200}?"
    r"(?:_authToken|_auth|_password|npmAuthToken)[ \t]{1,9}",
    r"\b(?:composer|poetry)\s{1,9}config\s[^;&|]{0,100}?\bhttp-basic\.[^\s;&|]{1,100}\s{1,9}"
    r"[^\s;&|]{1,100}[ \t]{1,9}",
    r"\bcomposer\s{1,9}config\s[^;&|]{0,100}?\b(?:github-oauth|gitlab-token|gitlab-oauth|bearer)\."
    r"[^\s;&|]{1,100}[ \t]{1,9}",
    r"\bpoetry\s{1,9}config\s[^;&|]{0,100}?\bpypi-token\.[^\s;&|]{1,100}[ \t]{1,9}",
    r"\bbundle\s{1,9}config\s[^;&|]{0,100}?\b[\w-]{1,60}\.[\w./-]{1,100}\s{1,9}[\w.-]{1,100}:",
)
_HEADER = re.compile(
    r"(?P<before>\b(?:Authorization:\s{0,3}(?:Bearer|Basic|token)\s{1,3}"
    r"|(?:PRIVATE|JOB|DEPLOY)-TOKEN:\s{0,3}|X-[\w-]{0,30}(?:Key|Token):\s{0,3}))"
    r"(?P<value>[^\s;&|'\"`()]{1,200})",
    re.IGNORECASE,
)
_CURL = re.compile(
    r"(?P<before>\bcurl(?=\s)[^;&|]{0,300}?\s(?:-[A-Za-z]{0,9}u|--user)[ =]?"
    r"['\"]?[^\s:'\"$]{1,100}:)(?P<value>(?![$])[^\s'\"]{1,200})"
)
_ACCOUNTS = (
    re.compile(
        r"(?P<before>\b(?:echo|printf)\s{1,9}(?:-[neE]{1,3}\s{1,9})?['\"]?[\w.${}-]{1,32}:)"
        r"(?P<value>(?![$])[^\s'\"|]{1,200})(?=['\"]?\s{0,9}\|\s{0,9}(?:sudo\s{1,9})?chpasswd\b)"
    ),
    re.compile(
        r"(?P<before>\bchpasswd\s{0,9}(?:-\w\s{1,9})?<<<\s{0,9}['\"]?[\w.${}-]{1,32}:)"
        r"(?P<value>(?![$])[^\s'\"|;&]{1,200})"
    ),
    re.compile(
        r"(?P<before>\b(?:echo|printf)\s{1,9}(?:-[neE]{1,3}\s{1,9})?['\"]?)"
        r"(?P<value>(?![$-])[^\s'\"|$]{1,200})"
        r"(?=['\"]?\s{0,9}\|\s{0,9}(?:sudo\s{1,9})?passwd\b)"
    ),
)
"""What accounts of the image are given, however short: somebody may log in with it."""
_GIVEN = (_CURL, _HEADER, *(re.compile(f"(?P<before>{before}){_VALUE}") for before in _BEFORE))


def may_be_secret_value(value: str) -> bool:
    """Whether a value, in quotes or not, is long and odd enough for a secret."""
    bare = value.strip("\"'")
    return len(bare) >= _SHORTEST and _HARMLESS.fullmatch(bare) is None


def without_passwords(text: str) -> str:
    """The text of an instruction without what its commands are given as passwords."""
    for given in _GIVEN:
        text = given.sub(_hidden, text)
    for given in _ACCOUNTS:
        text = given.sub(rf"\g<before>{HIDDEN}", text)
    return text


def _hidden(match: re.Match[str]) -> str:
    return f"{match['before']}{HIDDEN}" if may_be_secret_value(match["value"]) else match[0]
