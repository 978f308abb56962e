"""Secrets by name, by content and in the history: what is one, and what only looks like one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import pytest
from image_builder import BuiltLayer, file, layer, whiteout

from analysis.written_layers import built
from layerlens.analysis.findings import Evidence, FindingKind
from layerlens.analysis.findings_secrets import LOOK_INTO_BYTES, Candidate, shows_a_secret
from layerlens.analysis.findings_variables import (
    TellingText,
    redacted,
    secret_names,
    variable_findings,
)
from layerlens.analysis.waste_survey import survey_waste

PEM = b"-----BEGIN "  # split, so that no scanner takes this file for a leak
PRIVATE_KEY = PEM + b"RSA PRIVATE KEY-----\nMIIB\n"
CERTIFICATE = PEM + b"CERTIFICATE-----\nMIIB\n"
KEY_IN_DER = bytes.fromhex("308204bd020100300d06092a864886f70d0101010500")
CERTIFICATE_IN_DER = bytes.fromhex("308202f3308201dba003020102")
KEY_BAG = bytes.fromhex("060b2a864886f70d010c0a01")
JKS = bytes.fromhex("feedfeed0000000200000001")
JAVA_KEY = JKS + bytes.fromhex("00000001000161000001a22ca750fb000005003082")
JAVA_KEY += bytes.fromhex("04fc300e060a2b060104012a021101010500048204e8abf5")
JAVA_TRUST = JKS + bytes.fromhex("00000002000162000001a22ca752c00005582e353039000002bf308202bb")
JCEKS_KEY = bytes.fromhex("301c06092b060104012a021301300f0408")
GITHUB_TOKEN = "ghp_" + "a1B2" * 9


def secrets(*layers: BuiltLayer) -> list[str]:
    findings = survey_waste(built(*layers)).findings
    return [
        place.path
        for finding in findings
        if finding.kind is FindingKind.EXPOSED_FILE
        for place in finding.places
    ]


SURE = [
    "/root/.ssh/id_rsa",
    "/home/app/.ssh/id_ed25519",
    "/deploy/id_ecdsa_sk",
    "/etc/ssh/ssh_host_rsa_key",
    "/app/.env",
    "/app/.env.production",
    "/root/.netrc",
    "/root/.git-credentials",
    "/root/.pgpass",
    "/root/.pypirc",
    "/root/.aws/credentials",
    "/root/.config/gcloud/application_default_credentials.json",
    "/root/.config/gcloud/credentials.db",
    "/root/.azure/accessTokens.json",
    "/root/.cargo/credentials.toml",
    "/infra/terraform.tfstate",
]


@pytest.mark.parametrize("path", SURE)
def test_a_name_that_says_it(path: str) -> None:
    assert secrets(layer(file(path, b"content"))) == [path]


@pytest.mark.parametrize(
    "path",
    [
        "/root/.ssh/id_rsa.pub",
        "/root/.ssh/known_hosts",
        "/root/.ssh/authorized_keys",
        "/etc/ssh/ssh_host_rsa_key.pub",
        "/app/.env.example",
        "/app/.env.sample",
        "/app/.env.local.template",
        "/app/.env.d.ts",
        "/app/.environment",
        "/app/src/env",
        "/root/.aws/config",
        "/usr/lib/python3/dist-packages/gcloud/credentials.py",
        "/app/node_modules/dotenv/tests/.env",
        "/usr/share/doc/curl/examples/.netrc",
        "/infra/terraform.tf",
    ],
)
def test_a_name_close_to_it(path: str) -> None:
    found = survey_waste(built(layer(file(path, b"content"))))
    assert [finding.kind for finding in found.findings if finding.places[0].path == path] in (
        [],
        [FindingKind.DOCUMENTATION],
    )
    assert found.not_looked_into == ()


def test_an_empty_file_is_no_secret() -> None:
    assert secrets(layer(file("/app/.env"))) == []


NEED_A_LOOK = [
    ("/app/server.key", PRIVATE_KEY, CERTIFICATE),
    ("/etc/ssl/private/site.pem", PEM + b"PRIVATE KEY-----\n", CERTIFICATE),
    ("/root/.ssh/deploy", PEM + b"OPENSSH PRIVATE KEY-----\n", b"Host *\n"),
    ("/root/.npmrc", b"//registry.npmjs.org/:_authToken=npm_x1\n", b"registry=https://x/\n"),
    ("/app/.npmrc", b"_auth=eDp5\n", b"//registry.npmjs.org/:_authToken=${NPM_TOKEN}\n"),
    ("/etc/pip.conf", b"index-url = https://me:word@pypi.example/\n", b"index-url = https://x/\n"),
    ("/root/.docker/config.json", b'{"auths": {"r": {"auth": "eDp5"}}}', b'{"credsStore": "pass"}'),
    ("/root/.kube/config", b"    client-key-data: LS0t\n", b"apiVersion: v1\n"),
    ("/root/.m2/settings.xml", b"<password>word</password>", b"<password>${env.P}</password>"),
    (
        "/app/service-account.json",
        b'{"private_key": "' + PEM + b'PRIVATE KEY-----\\n"}',
        b'{"client_email": "x"}',
    ),
    (
        "/root/.composer/auth.json",
        b'{"github-oauth": {"github.com": "x"}}',
        b'{"github-oauth": {}}',
    ),
    ("/app/prod-key.json", b'{"private_key": "' + PEM + b'PRIVATE KEY-----"}', b'{"key": "enter"}'),
    (
        "/app/x-firebase-adminsdk-ab1.json",
        b'{"private_key":"' + PEM + b'PRIVATE KEY-----"}',
        b"{}",
    ),
    (
        "/root/.gradle/gradle.properties",
        b"mavenPassword=word\n",
        b"repoPassword=${P}\nx.token=\nuseToken=true\n",
    ),
    (
        "/root/.nuget/NuGet/NuGet.Config",
        b'<add key="ClearTextPassword" value="word" />',
        b'<add key="ClearTextPassword" value="%PASSWORD%" />',
    ),
    ("/app/rsa.key", KEY_IN_DER, CERTIFICATE_IN_DER),
    ("/app/rsa.der", b"0\x82\x04\xa4\x02\x01\0\x02\x82\x01\x01", b"0\x82\x01\x0a\x02\x82\x01\x01"),
    ("/app/ec.der", b"0w\x02\x01\x01\x04 " + b"k" * 32, CERTIFICATE_IN_DER),
    (
        "/app/keys.p12",
        b"0\x82\x09\xd3" + KEY_BAG + b"\x02\xa0",
        b"0\x82\x09\xd3" + KEY_BAG + b"\x03",
    ),
    ("/app/signing.jks", JAVA_KEY, JAVA_TRUST),
    ("/app/release.keystore", b"0\x82\x09\xd3" + KEY_BAG + b"\x02\xa0", JAVA_TRUST),
    ("/app/old.jceks", b"\xce\xce\xce\xce" + JCEKS_KEY, b"\xce\xce\xce\xce\0\0\0\2"),
    ("/app/config/master.key", b"0123456789abcdef" * 2 + b"\n", b"0123456789abcdef"),
    (
        "/app/config/database.yml",
        b"production:\n  password: hunter22\n",
        b"production:\n  password: <%= ENV['DB_PASSWORD'] %>\ntest:\n  password:\n  host: x\n"
        b"other:\n  password: ''\n  # password: word\n  password: \"${P}\"\n"
        b"more:\n  password: '{{ vaulted }}'\n  password: !vault |\n  password: '%env(P)%'\n",
    ),
    ("/app/config/secrets.yml", b"  secret_key_base: 0a1b2c\n", b"  secret_key_base: <%= x %>\n"),
    (
        "/var/www/wp-config.php",
        b"define( 'DB_PASSWORD', 'hunter22' );\n",
        b"define( 'DB_PASSWORD', 'password_here' );\ndefine('DB_PASSWORD', getenv('P'));\n"
        b"define( 'AUTH_KEY', 'put your unique phrase here' );\ndefine('DB_NAME', 'x');\n",
    ),
    ("/root/.my.cnf", b"[client]\npassword = hunter22\n", b"[client]\nuser = me\npassword =\n"),
    (
        "/root/.yarnrc.yml",
        b'npmAuthToken: "x"\n',
        b'nodeLinker: node-modules\nnpmAuthToken: "${NPM_TOKEN}"\n',
    ),
]


@pytest.mark.parametrize(("path", "telling", "harmless"), NEED_A_LOOK)
def test_a_name_that_needs_a_look(path: str, telling: bytes, harmless: bytes) -> None:
    assert shows_a_secret(path, telling)
    assert not shows_a_secret(path, harmless)
    layers = built(layer(file(path, telling)))
    unseen = survey_waste(layers)
    assert unseen.findings == ()
    assert [each.entry.path for each in unseen.not_looked_into] == [path]

    def look(candidates: Sequence[Candidate]) -> Mapping[bytes, bool]:
        return {each.entry.content or b"": True for each in candidates}

    seen = survey_waste(layers, look=look)
    (finding,) = seen.findings
    assert finding.places[0].evidence is Evidence.CONTENT
    assert seen.not_looked_into == ()
    harmless_too = survey_waste(
        layers, look=lambda many: {each.entry.content or b"": False for each in many}
    )
    assert (harmless_too.findings, harmless_too.not_looked_into) == ((), ())


@pytest.mark.parametrize(
    "path",
    [
        "/usr/share/ca-certificates/mozilla/ISRG_Root_X1.pem",
        "/etc/ssl/certs/ca-certificates.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        "/usr/lib/python3/dist-packages/certifi/cacert.pem",
        "/usr/lib/python3/dist-packages/tornado/test/test.key",
        "/app/node_modules/x/fixtures/key.pem",
        "/usr/local/go/src/crypto/tls/testdata/example-key.pem",
        "/usr/lib/tool/third_party/x/dummyserver/certs/server.key",
        "/usr/share/perl5/Mojo/IOLoop/resources/server.key",
        "/root/.ssh/config",
        "/app/package.json",
        "/app/monkey",
        "/app/monkey.json",
    ],
)
def test_certificates_and_the_tests_of_others_are_not_even_looked_at(path: str) -> None:
    found = survey_waste(built(layer(file(path, PRIVATE_KEY))))
    assert (found.findings, found.not_looked_into) == ((), ())


def test_a_secret_that_a_later_layer_deletes_is_still_shipped() -> None:
    layers = [
        layer(file("/app/.env", b"X=1"), created_by="COPY . /app"),
        layer(whiteout("/app/.env"), created_by="RUN rm /app/.env"),
    ]
    (finding,) = (
        finding
        for finding in survey_waste(built(*layers)).findings
        if finding.kind is FindingKind.EXPOSED_FILE
    )
    assert (finding.layer, finding.instruction) == (0, "COPY . /app")
    assert finding.places[0].killers == (1,)
    assert finding.remedy.startswith("deleted by layer 1, and in the image all the same: revoke it")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ENV AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI", ["AWS_SECRET_ACCESS_KEY"]),
        ("ENV DB_PASSWORD hunter22 and more", ["DB_PASSWORD"]),
        ('ENV A=1 API_KEY="some thing" B=2', ["API_KEY"]),
        ("ARG NPM_TOKEN=abcdef0123", ["NPM_TOKEN"]),
        (f"RUN TOOL={GITHUB_TOKEN} make", ["TOOL"]),
        ("ENV DATABASE_URL=postgres://me:word@db/x", ["DATABASE_URL"]),
        ("RUN mysql --password=hunter22 -e x", ["password"]),
        ("RUN npm set //r/:_authToken=abcdef0123", ["_authToken"]),
        ("ENV SECRET_KEY_BASE='0123456789abcdef'", ["SECRET_KEY_BASE"]),
        ("ENV PGPASSWORD=hunter22", ["PGPASSWORD"]),
        (r"RUN printf '[client]\npassword=hunter22\n' > ~/.my.cnf", ["password"]),
        ("RUN MYSQL_PWD='hunter 22' mysql", ["MYSQL_PWD"]),
    ],
)
def test_a_variable_that_gives_a_secret_away(text: str, names: list[str]) -> None:
    assert list(secret_names(text)) == names
    shown = redacted(text)
    assert shown.split()[0] == text.split(maxsplit=1)[0].partition("=")[0] or "=" in text
    for secret in ("wJalr", "hunter", "some thing", "abcdef", GITHUB_TOKEN, ":word", "01234567"):
        assert secret not in shown
    for name in names:
        assert name in shown


@pytest.mark.parametrize("option", ["-u ", "-fsSu ", "--user ", "--user=", "-u '", "-u"])
def test_what_curl_is_given_to_log_in_with(option: str) -> None:
    quote = "'" if option.endswith("'") else ""
    text = f"RUN set -e; curl -s {option}me:hunter22{quote} https://x"
    for command in (text, text.replace("curl -s ", "curl ")):
        (finding,) = variable_findings([TellingText(layer=1, text=command, assignments=())], [])
        assert finding.subject == ("a value in the command",)
        assert finding.instruction == command.replace("hunter22", "***")


@pytest.mark.parametrize(
    "command",
    [
        "docker login -u me -p hunter22 registry.example",
        "podman login registry.example -u me -p='hunter 22'",
        'helm registry login -u me -p "hunter22" r',
        "crane auth login r -u me -p hunter22",
        "docker login --username me --password hunter22 r",
        "mysql -uroot -phunter22 -e 'select 1'",
        "mysqldump -u root -phunter22 db > /dump",
        "mariadb-admin -phunter22 ping",
        "sshpass -p hunter22 ssh me@host",
        "sshpass -phunter22 ssh me@host",
        "twine upload -u me --password hunter22 dist/x.whl",
        "snyk auth --api-key hunter22",
        "tool --admin-token hunter22 run",
        "gpg --batch --passphrase 'hunter22' -d x",
        "echo root:hunter22 | chpasswd",
        "echo -n 'me:hunter22' |sudo chpasswd",
        "openssl rsa -in a -passin pass:hunter22 -out b",
        "openssl pkcs12 -export -password pass:hunter22 -out b",
        "useradd -m -p $(openssl passwd -1 hunter22) me",
        "openssl passwd -6 -salt ab hunter22",
        "useradd -m -p hunter22 me",
        "echo '${WHO}:hunter22' | chpasswd",
        "printf 'me:hunter22' | chpasswd",
        "chpasswd <<< 'me:hunter22'",
        "echo hunter22 | passwd --stdin me",
        "keytool -genkey -storepass hunter22 -alias x",
        "keytool -importkeystore -srcstorepass hunter22 -srckeystore x",
        "az login -u me -p hunter22",
        "twine upload -u me -p hunter22 dist/x.whl",
        "dotnet nuget add source https://x -u me -p hunter22",
        "mongodump -u me -p hunter22",
        "redis-cli -a hunter22 ping",
        "redis-server --requirepass hunter22",
        "sqlcmd -S localhost -U sa -P 'hunter22'",
        "htpasswd -bc /etc/nginx/.htpasswd me hunter22",
        "htpasswd -B -b -c /etc/nginx/.htpasswd me hunter22",
        "rabbitmqctl add_user me hunter22",
        "aws configure set aws_secret_access_key hunter22",
        "npm config set //r/:_authToken hunter22",
        "composer config -g github-oauth.github.com hunter22",
        "composer config http-basic.repo.example me hunter22",
        "poetry config http-basic.private me hunter22",
        "poetry config pypi-token.pypi hunter22",
        "bundle config set --global gems.example.com me:hunter22",
        "curl -H 'Authorization: Bearer hunter22' https://x",
        "wget --header='PRIVATE-TOKEN: hunter22' https://x",
        "curl -H 'X-Api-Key: hunter22' https://x",
    ],
)
def test_what_a_command_is_given_as_a_password(command: str) -> None:
    text = f"RUN set -e; {command}"
    (finding,) = variable_findings([TellingText(layer=1, text=text, assignments=())], [])
    assert finding.subject == ("a value in the command",)
    assert finding.instruction is not None
    assert "hunter" not in finding.instruction
    hidden = re.sub(r"""(['"]?)hunter ?22\1""", "***", text)
    assert finding.instruction == hidden


@pytest.mark.parametrize(
    "command",
    [
        "docker login -u me -p $PASSWORD r",
        "docker login -u me --password-stdin r < /run/secrets/p",
        "docker run -p 8080:80080 x",
        "mysql -u root -p -e 'select 1'",
        "mysql -P 330600 -h hosting",
        "mysqld --port 330600",
        "mkdir -p /var/lib/mysql; cp -p mysqlconfig /etc",
        "sshpass -e ssh -p 220022 me@host",
        "tool --token-file /run/secrets/token",
        'tool --password "${PASSWORD}" --password "$(cat /run/secrets/p)"',
        "tool --token --verbose",
        'echo "me:$PASSWORD" | chpasswd',
        "echo url:something | tee /x",
        "openssl rsa -in a -passin pass:$PASSWORD",
        "openssl passwd -in /run/secrets/p",
        "./configure --with-mysql -prefix=/opt/something",
        "useradd -m -p $(openssl passwd -1 $PASSWORD) me",
        "keytool -importcert -storepass changeit -noprompt -file ca.crt",
        'curl -H "Authorization: Bearer ${TOKEN}" https://x',
        "bundle config set --local without development:test",
        "composer config -g process-timeout 200000",
        "npm config set registry https://registry.example",
        "aws configure set region eu-central-1",
        "SECRET_KEY=not-a-secret ./manage.py collectstatic",
        'sed -i "s/password=.*/password=$PASSWORD/" /etc/x',
    ],
)
def test_what_a_command_is_given_that_is_none(command: str) -> None:
    text = f"RUN {command}"
    assert list(variable_findings([TellingText(layer=1, text=text, assignments=())], [])) == []
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (
            "ENV JAVA_OPTS='-Xmx1g -Djavax.net.ssl.keyStorePassword=hunter22'",
            "ENV JAVA_OPTS='-Xmx1g -Djavax.net.ssl.keyStorePassword=***'",
        ),
        ("ENV JAVA_OPTS -Xmx1g -Dpassword=hunter22", "ENV JAVA_OPTS -Xmx1g -Dpassword=***"),
        (
            'ENV ConnectionStrings__X="Server=db;User Id=sa;Password=hunter22;Encrypt=true"',
            'ENV ConnectionStrings__X="Server=db;User Id=sa;Password=***;Encrypt=true"',
        ),
        ('CMD ["app", "--password", "hunter22"]', 'CMD ["app", "--password", ***]'),
        ("RUN echo root:root | chpasswd", "RUN echo root:*** | chpasswd"),
    ],
)
def test_a_secret_within_a_value_or_a_list(text: str, shown: str) -> None:
    (finding,) = variable_findings([TellingText(layer=1, text=text, assignments=())], [])
    assert finding.instruction == shown


def test_how_a_label_says_an_image_is_used_is_no_secret() -> None:
    text = 'LABEL usage="docker run -e POSTGRES_PASSWORD=mysecretpassword x"'
    assert redacted(text) == text
    assert secret_names(text) == ()


def test_no_text_takes_long_to_redact() -> None:
    for part in (
        "docker login ",
        "mysql ",
        "echo a:",
        " -pass pass:",
        "sshpass ",
        "sshpass -p",
        " --password",
        " --a-a-a-a-a-a",
        "curl ",
        "curl -u ",
        "curl -u a:",
        "a=",
        "PASSWORD",
        "://a:",
        "a=b=",
        "htpasswd -b ",
        "htpasswd -b -b -b -b a ",
        "openssl passwd -1 ",
        "npm set ",
        "composer config http-basic.",
        "bundle config a.b ",
        "useradd -p ",
        "chpasswd <<< ",
        "echo ",
        "Authorization: ",
        "X-Key-Token",
        "ENV A ",
    ):
        text = f"RUN {part * (100_000 // len(part))}"
        assert len(redacted(text)) <= len(text)


def test_only_the_value_is_taken_out() -> None:
    assert redacted("ENV DB_PASSWORD hunter22 and more") == "ENV DB_PASSWORD ***"
    assert redacted("ENV A=1 API_KEY='some thing' B=2") == "ENV A=1 API_KEY=*** B=2"


@pytest.mark.parametrize(
    "text",
    [
        "ENV GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D",
        "ENV PYTHON_SHA256=8d3ed8ec5c88c1c95f5e558612a725450d2452813ddad5e58fdb1a53b1209b78",
        "ENV DB_PASSWORD_FILE=/run/secrets/db",
        "ENV DB_PASSWORD=/run/secrets/db",
        "ENV API_KEY=$API_KEY",
        "ENV OLDPWD=home/app SPWD=abcdefgh",
        "RUN useradd -u 1000:1000 x && curl -fsSL -o x https://x && sudo -u me:mine x",
        "RUN curl -u me:$PASSWORD https://x; chroot --userspec me:mine /x",
        "RUN curl --user-agent a:bcdefgh https://x",
        "ENV API_KEY=changeme",
        "ENV USE_TOKEN=true",
        "ENV MAX_TOKEN=123456",
        "ENV TOKENIZERS_PARALLELISM=disabled",
        "ENV DATABASE_URL=postgres://db/x",
        "ENV DATABASE_URL=postgres://me:${DB_PASSWORD}@db/x",
        "ENV NODE_VERSION=20.1.0 YARN_VERSION=1.22.19",
        "ENV RABBITMQ_PGP_KEY_ID=0x0A9AF2115F4687BD29803A206B73A36E6026DFCA",
        "RUN git clone https://git@example.com/x && gpg --recv-keys ABCDEF0123",
        "ARG NPM_TOKEN",
        "RUN --mount=type=secret,id=npm_token,env=NPM_TOKEN npm ci",
        "RUN compass=northwest make",
    ],
)
def test_a_variable_close_to_it(text: str) -> None:
    assert secret_names(text) == ()
    assert redacted(text) == text


def test_what_the_history_and_the_environment_give_away() -> None:
    history = [
        TellingText(layer=None, text="ENV API_TOKEN=abcdefgh", assignments=()),
        TellingText(layer=2, text="RUN make", assignments=("NPM_TOKEN=abcdefgh", "A=b")),
        TellingText(layer=3, text=f"RUN curl -H 'X: {GITHUB_TOKEN}' x", assignments=()),
        TellingText(layer=4, text="RUN true", assignments=()),
        TellingText(layer=5, text="RUN pip install -i https://me:hunter22@x/ y", assignments=()),
    ]
    findings = list(
        variable_findings(history, ["API_TOKEN=abcdefgh", "OLD_SECRET=abcdefgh", "PATH=/bin"])
    )
    assert [(each.layer, each.subject) for each in findings] == [
        (None, ("API_TOKEN",)),
        (2, ("NPM_TOKEN",)),
        (3, ("a value in the command",)),
        (5, ("a value in the command",)),
        (None, ("OLD_SECRET",)),
    ]
    assert findings[0].instruction == "ENV API_TOKEN=***"
    assert findings[2].instruction == "RUN curl -H 'X: ***' x"
    assert findings[3].instruction == "RUN pip install -i https://***@x/ y"
    assert not any("abcdefgh" in repr(finding) for finding in findings)


def test_a_build_argument_is_told_once_and_hides_no_other_secret() -> None:
    """Builders put it beside every RUN that follows."""
    beside = ("NPM_TOKEN=abcdefgh",)
    history = [
        TellingText(layer=1, text="RUN make", assignments=beside),
        TellingText(layer=2, text=f"RUN curl -H 'X: {GITHUB_TOKEN}' x", assignments=beside),
        TellingText(layer=3, text="RUN make install", assignments=beside),
        TellingText(layer=4, text="RUN NPM_TOKEN=abcdefgh npm ci", assignments=beside),
    ]
    assert [(each.layer, each.subject) for each in variable_findings(history, ())] == [
        (1, ("NPM_TOKEN",)),
        (2, ("a value in the command",)),
        (4, ("NPM_TOKEN",)),
    ]


def test_a_key_that_a_package_made_is_made_anew() -> None:
    def remedy(*paths: str) -> str:
        told = survey_waste(built(layer(*(file(path, b"content") for path in paths)))).findings
        return told[0].remedy

    host, user = "/etc/ssh/ssh_host_rsa_key", "/root/.ssh/id_rsa"
    assert "ssh-keygen -A" in remedy(host)
    assert "mount=type=secret" not in remedy(host)
    assert f"; of {host}" in remedy(host, user)
    assert "ssh-keygen" not in remedy(user)


def test_no_instruction_of_a_survey_shows_a_secret() -> None:
    text = f"RUN TOKEN={GITHUB_TOKEN} make"
    found = survey_waste(built(layer(file("/tmp/x", b"1"), created_by=text)))
    assert found.findings[0].instruction == "RUN TOKEN=*** make"
    assert GITHUB_TOKEN not in repr(found.waste.instructions())


@pytest.mark.parametrize("filler", [b" ", b"\t", b"\n", b"- ", b'"auth": [', b"_auth", b"://a:"])
@pytest.mark.parametrize("path", sorted({path for path, _, _ in NEED_A_LOOK}))
def test_no_content_takes_long_to_look_at(filler: bytes, path: str) -> None:
    assert not shows_a_secret(path, (filler * LOOK_INTO_BYTES)[:LOOK_INTO_BYTES])
