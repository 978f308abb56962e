"""Which files are secrets: by their names, and where names say too little by how they begin.

Names are of two sorts. ``id_rsa`` or ``.aws/credentials`` says by itself what it is. ``*.pem`` or
``.npmrc`` does not: most are certificates and settings, so one is told only when its beginning
shows a key or a token. Nothing of a file's content is ever kept or told.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from layerlens.analysis.findings import Evidence, Finding, FindingKind
from layerlens.analysis.findings_fates import Fates, Heap
from layerlens.analysis.findings_files import largest_first
from layerlens.analysis.findings_remedies import secret_file_remedy
from layerlens.analysis.written_layer import WrittenLayer
from layerlens.layer.entry import Entry

LOOK_INTO_BYTES = 64 * 1024
"""As much of a file's beginning is looked at."""

LARGEST_SECRET = 1 << 20
"""Bytes: no key or file of settings is larger."""

_MEANT_TO_BE_READ = (
    r"(?!.*(?i:example|sample|template|dist|default|schema|test|dummy|fake|mock))"
    r"(?!.*\.(?:[cm]?[jt]sx?|json|md|html|py|rb|sh)\Z)"
)
_TOLD_BY_NAME = re.compile(
    r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|ssh_host_(?:rsa|dsa|ecdsa|ed25519)_key"
    rf"|{_MEANT_TO_BE_READ}\.env(?:\.[\w.-]+)?"
    r"|[._]netrc|\.git-credentials|\.pgpass|\.pypirc|\.vault-token|\.htpasswd|\.s3cfg"
    r"|application_default_credentials\.json|terraform\.tfstate(?:\.backup)?"
)
_TOLD_BY_PATH = re.compile(
    r"/(?:\.aws/credentials|\.azure/(?:accessTokens\.json|msal_token_cache\.(?:json|bin))"
    r"|\.config/gcloud/(?:credentials\.db|access_tokens\.db|legacy_credentials/.*)"
    r"|\.gem/credentials|\.cargo/credentials(?:\.toml)?|\.config/gh/hosts\.yml"
    r"|\.config/rclone/rclone\.conf|\.config/hub)\Z",
    re.DOTALL,
)
_NEEDS_A_LOOK = re.compile(
    r".*\.(?:pem|key|pkey|ppk|der|p12|pfx|jks|jceks|keystore)|\.npmrc|\.yarnrc(?:\.yml)?|pip\.conf|auth\.json"
    r"|\.my\.cnf|(?:database|secrets)\.yml|wp-config\.php"
    r"|settings\.xml|gradle\.properties|nuget\.config|(?:[\w.-]*[-_.])?key(?:file)?\.json"
    r"|(?:[\w.-]*-)?(?:service[-_]?account|credentials?|sa[-_]key|firebase-adminsdk)[\w.-]*\.json",
    re.DOTALL | re.IGNORECASE,
)
_NEEDS_A_LOOK_BY_PATH = re.compile(r"/(?:\.docker/config\.json|\.kube/config|\.ssh/[^/]+)\Z")
_STARTS = (
    "_netrc",
    "id_",
    "ssh_host_",
    "application_",
    "terraform.",
    "pip.conf",
    "database.yml",
    "secrets.yml",
    "wp-config.php",
    "settings.xml",
    "gradle.properties",
    "nuget.config",
)
_ENDS = (".pem", "key", ".ppk", ".der", ".p12", ".pfx", ".jks", ".jceks", ".keystore", ".json")
"""Of the names that the others match, in lower case; most names of an image have none of these, nor
a directory or name that begins with a dot."""

_PUBLIC = re.compile(
    r"\A/(?:etc/ssl/certs|etc/pki/(?:ca-trust|tls/certs)|usr/(?:local/)?share/ca-certificates"
    r"|usr/share/doc|proc|sys)/|/certifi/|/Mojo/IOLoop/resources/|/webpack-dev-server/ssl/|\.pub\Z"
    r"|/\.ssh/(?:known_hosts|config|authorized_keys)(?:\.\w+|2)?\Z"
)
_DEPENDENCY = re.compile(
    r"\A/usr/(?:lib|share|local/go)/|/(?:node_modules|(?:site|dist)-packages|gems|vendor|third_party|pkg/mod"
    r"|registry|python[0-9.]+)/"
)
_TESTS = re.compile(r"/(?:tests?|testdata|testing|fixtures|examples?|spec|certdata|dummyserver)/")
"""In a dependency: keys that everybody has."""

_PRIVATE_KEY = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----|PuTTY-User-Key-File-"
)
_KEY_BAG = re.compile(rb"\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01[\x01\x02]")
"""What a PKCS #12 file (RFC 7292) that holds a private key has in it, encrypted or not."""
_JAVA_KEY = re.compile(rb"\x2b\x06\x01\x04\x01\x2a\x02(?:\x11\x01\x01|\x13\x01)")
"""How Java's own kinds of keystore, JKS and JCEKS, name what a private key is encrypted with."""
_DER_KEY = re.compile(
    rb"\A0(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01(?:[\x00\x01]0.\x06|\x00\x02|\x01\x04)", re.DOTALL
)
"""How a private key begins in DER: a small version where a certificate has a sequence (RFC 5958,
8017, 5915)."""
_TOKENS: tuple[tuple[re.Pattern[str], re.Pattern[bytes]], ...] = (
    (re.compile(r".*\.(?:p12|pfx|jks|keystore)", re.DOTALL | re.IGNORECASE), _KEY_BAG),
    (re.compile(r".*\.(?:jks|jceks|keystore)", re.DOTALL | re.IGNORECASE), _JAVA_KEY),
    (re.compile(r"master\.key"), re.compile(rb"\A[0-9a-f]{32}\s{0,9}\Z")),  # of Rails
    (
        re.compile(r"(?:database|secrets)\.yml"),
        re.compile(
            rb"(?m)^[ \t]*+(?:password|secret_key_base):[ \t]*+"
            rb"(?!<%|[\"']?(?:\$|%|\{\{)|[\"']{2}\s|[~#&*!]|null\b)\S"
        ),
    ),
    (
        re.compile(r"wp-config\.php"),
        re.compile(
            rb"(?m)^[ \t]*+define\([ \t]*+['\"](?:DB_PASSWORD|\w{4,11}_(?:KEY|SALT))['\"][ \t]*+,"
            rb"[ \t]*+['\"](?!password_here|put your unique phrase here)[^'\"]"
        ),
    ),
    (
        re.compile(r"\.my\.cnf"),
        re.compile(rb"(?m)^[ \t]*+password[ \t]*+=[ \t]*+(?![\"']{2}\s|\$)\S"),
    ),
    (re.compile(r".*\.(?:key|pkey|der|pem)", re.DOTALL | re.IGNORECASE), _DER_KEY),
    (
        re.compile(r"gradle\.properties", re.IGNORECASE),
        re.compile(
            rb"(?mi)^[ \t]*+[\w.-]{0,80}?(?:password|token|secret)[\w.-]{0,40}"
            rb"[ \t]*+[=:][ \t]*+(?!true\b|false\b)[^\s$]"
        ),
    ),
    (
        re.compile(r"nuget\.config", re.IGNORECASE),
        re.compile(rb"(?i)<add\s{1,20}key=\"(?:ClearText)?Password\"\s{1,20}value=\"[^\"%]"),
    ),
    (
        re.compile(r"\.npmrc"),
        re.compile(rb"(?m)^[ \t]*(?!#|;)\S{0,200}?:?_(?:authToken|auth|password)\s*=\s*[^\s$]"),
    ),
    (
        re.compile(r"\.yarnrc(?:\.yml)?"),
        re.compile(
            rb"(?m)^[ \t]*(?!#)\S{0,200}?(?:npmAuthToken|npmAuthIdent|_authToken)\"?:?\s+"
            rb"(?![\"']?\$)\S"
        ),
    ),
    (re.compile(r"pip\.conf"), re.compile(rb"(?m)^[^#;\n]{0,200}?://[^\s/:@$]+:[^\s/@$]+@")),
    (
        re.compile(r"auth\.json|config\.json"),
        re.compile(
            rb"\"(?:auth|identitytoken|registrytoken|password|github-oauth|gitlab-token|bearer)\""
            rb"\s*:\s*(?:\"[^\"]+\"|\{\s*\"[^\"]+\"\s*:)"
        ),
    ),
    (re.compile(r"settings\.xml"), re.compile(rb"<(?:password|passphrase)>\s*[^\s<${]")),
    (
        re.compile(r"config"),
        re.compile(rb"(?m)^[ \t]*+(?:-[ \t]*+)?(?:client-key-data|token|password):\s*\S"),
    ),
    (re.compile(r".*\.json", re.IGNORECASE), re.compile(rb"\"private_key\"\s*:\s*\"-----BEGIN")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A file that may be a secret; ``sure`` where its name says so without a look."""

    entry: Entry
    layer: int
    sure: bool


def secret_candidates(layers: Sequence[WrittenLayer]) -> tuple[Candidate, ...]:
    """The files whose names are those of secrets, whether or not a later layer deletes them."""
    found: list[Candidate] = []
    for layer in layers:
        for entry in layer.entries:
            if isinstance(entry, Entry) and 0 < entry.size <= LARGEST_SECRET:
                sure = may_be_secret(entry.path)
                if sure is not None:
                    found.append(Candidate(entry=entry, layer=layer.number, sure=sure))
    return tuple(found)


def may_be_secret(path: str) -> bool | None:
    """By an absolute path: True for a secret, False for what needs a look, None for the rest."""
    name = path[path.rindex("/") + 1 :]
    lower = name.lower()
    if not (lower.endswith(_ENDS) or "/." in path or lower.startswith(_STARTS)):
        return None
    if _PUBLIC.search(path) or (_DEPENDENCY.search(path) and _TESTS.search(path)):
        return None
    if _TOLD_BY_NAME.fullmatch(name) or _TOLD_BY_PATH.search(path):
        return True
    if _NEEDS_A_LOOK.fullmatch(name) or _NEEDS_A_LOOK_BY_PATH.search(path):
        return False
    return None


def shows_a_secret(path: str, beginning: bytes) -> bool:
    """Whether a file that needs a look begins as a private key does, or holds a token."""
    if _PRIVATE_KEY.search(beginning):
        return True
    name = path[path.rindex("/") + 1 :]
    return any(
        names.fullmatch(name) and token.search(beginning) is not None for names, token in _TOKENS
    )


def secret_findings(
    candidates: Sequence[Candidate],
    shown: Mapping[bytes, bool],
    fates: Fates,
    instructions: Mapping[int, str | None],
) -> Iterator[Finding]:
    """A finding for each layer that brings secrets. ``shown``: what a look at them told, by the
    SHA-256 of their content; of one that is not there its name alone is told, if it is sure."""
    of_layer: dict[int, dict[str, Heap]] = {}
    for candidate in candidates:
        entry = candidate.entry
        seen = shown.get(entry.content or b"")
        if seen or candidate.sure:
            share = fates.share(candidate.layer, entry)
            heap = of_layer.setdefault(share.layer, {}).setdefault(entry.path, Heap())
            heap.add(share)
            if seen:
                heap.evidence = Evidence.CONTENT
    for layer, heaps in of_layer.items():
        places = largest_first(heap.place(path) for path, heap in heaps.items())
        yield Finding(
            kind=FindingKind.EXPOSED_FILE,
            layer=layer,
            instruction=instructions.get(layer),
            other_layer=None,
            places=places,
            subject=(),
            remedy=secret_file_remedy(places),
        )
