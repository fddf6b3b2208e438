"""Settings: from the environment, each mistake named in one line."""

import os
from pathlib import Path
from typing import Any

import pytest

from mockserver.server.settings import (
    RENAMED,
    Settings,
    SettingsError,
    from_environment,
    is_loopback,
    variable,
)


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        pytest.param(
            "CONTRACTS", f"a{os.pathsep}{os.pathsep}b/c", "contracts", (Path("a"), Path("b/c")), id="contracts"
        ),
        pytest.param("FIXTURES", "f", "fixtures", (Path("f"),), id="fixtures"),
        pytest.param("ACCOUNTS", "a.yaml", "accounts", Path("a.yaml"), id="accounts"),
        pytest.param("BUILTIN", "No", "builtin", False, id="builtin"),
        pytest.param("EXPLAIN", "0", "explain", False, id="explain"),
        pytest.param("EXPLAIN", "ON", "explain", True, id="explain-on"),
        pytest.param("LOG", "json", "log", "json", id="log"),
        pytest.param("SERVE_HOST", "0.0.0.0", "host", "0.0.0.0", id="host"),  # noqa: S104 -- nobody listens
        pytest.param("SERVE_PORT", "0", "port", 0, id="port"),
        pytest.param("PUBLIC_URL", "https://x", "public_url", "https://x", id="public-url"),
        pytest.param("ADMIN_TOKEN", "t", "admin_token", "t", id="token"),
        pytest.param("MAX_BODY", "1", "max_body", 1, id="max-body"),
        pytest.param("MAX_JOURNAL_CALLS", "7", "max_journal_calls", 7, id="max-journal-calls"),
        pytest.param("MAX_JOURNAL_BYTES", "9", "max_journal_bytes", 9, id="max-journal-bytes"),
        pytest.param("MAX_ACCOUNTS", "5", "max_accounts", 5, id="max-accounts"),
        pytest.param("MAX_CONNECTIONS", "6", "max_connections", 6, id="max-connections"),
        pytest.param("MAX_HEAD", "8", "max_head", 8, id="max-head"),
        pytest.param("DRAIN", "3", "drain", 3, id="drain"),
        pytest.param("IDLE_TIMEOUT", "3", "idle_timeout", 3, id="idle-timeout"),
        pytest.param("REQUEST_TIMEOUT", "2", "request_timeout", 2, id="request-timeout"),
        pytest.param(
            "ALLOW_ORIGIN", "http://a, https://b:1", "allow_origin", ("http://a", "https://b:1"), id="origins"
        ),
        pytest.param("LET_THROUGH", "a.example, b", "let_through", ("a.example", "b"), id="let-through"),
        pytest.param("TLS_FILES", "d/tls", "tls_files", Path("d/tls"), id="tls-files"),
        pytest.param("CALLBACK_HOSTS", "a.test, B.test,", "callback_hosts", ("a.test", "b.test"), id="callback-hosts"),
        pytest.param("COURSE_PACE", "0.5", "course_pace", 0.5, id="course-pace"),
        pytest.param("STORE", "calls.db", "store", "calls.db", id="store"),
    ],
)
def test_each_setting_from_the_environment(name: str, text: str, field: str, value: Any) -> None:
    """Each variable is one setting of its type; all others keep their defaults."""
    found = from_environment({f"MOCKSERVER_{name}": text})
    assert getattr(found, field) == value
    unchanged = {name: getattr(Settings(), name) for name in Settings.__slots__ if name != field}
    assert {name: getattr(found, name) for name in unchanged} == unchanged


def test_defaults() -> None:
    """Bound to loopback, all vendors, explained; bounds that the documentation promises."""
    assert Settings() == Settings(
        contracts=(),
        fixtures=(),
        builtin=True,
        accounts=None,
        host="127.0.0.1",
        port=8080,
        public_url=None,
        admin_token=None,
        explain=True,
        log="off",
        max_accounts=10_000,
        max_connections=2048,
        max_journal_calls=10_000,
        max_journal_bytes=67_108_864,
        max_body=1_048_576,
        max_head=65_536,
        idle_timeout=75,
        request_timeout=30,
        drain=0,
        allow_origin=(),
        let_through=(),
        tls_files=None,
        callback_hosts=(),
        course_pace=0.05,
        store="memory",
    )


def test_every_setting_is_tried_above() -> None:
    """A new setting needs a line there."""
    (tried,) = test_each_setting_from_the_environment.pytestmark
    assert {case.values[2] for case in tried.args[1]} == set(Settings.__slots__)


def test_what_is_not_ours_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty variables count as absent, other products' are not read; by default the process's own are."""
    assert from_environment({"MOCKSERVER_SERVE_PORT": "", "MOCKSERVER_PORT": "x", "SERVE_PORT": "x"}) == Settings()
    monkeypatch.setenv("MOCKSERVER_MAX_JOURNAL_CALLS", "12")
    assert from_environment().max_journal_calls == 12


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("EXPLAIN", "maybe", id="boolean"),
        pytest.param("LOG", "yes", id="form"),
        pytest.param("SERVE_PORT", "-1", id="negative"),
        pytest.param("SERVE_PORT", "65536", id="no-port"),
        pytest.param("MAX_BODY", "0", id="zero"),
        pytest.param("REQUEST_TIMEOUT", "0.5", id="fraction"),
        pytest.param("MAX_JOURNAL_CALLS", "1e3", id="exponent"),
        pytest.param("MAX_JOURNAL_CALLS", "\u0661", id="other-digits"),
        pytest.param("MAX_JOURNAL_BYTES", "9" * 5000, id="endless"),
        pytest.param("PUBLIC_URL", "http://例え:8080", id="address-beyond-ascii"),
        pytest.param("PUBLIC_URL", "http://", id="address-without-a-host"),
        pytest.param("PUBLIC_URL", "http://x:99999", id="no-port-of-an-address"),
        pytest.param("PUBLIC_URL", "http://a b", id="blank-in-an-address"),
        pytest.param("PUBLIC_URL", "http://x/a#b", id="fragment"),
        pytest.param("ALLOW_ORIGIN", "localhost", id="no-origin"),
        pytest.param("ALLOW_ORIGIN", "http://x/", id="origin-with-a-path"),
        pytest.param("ALLOW_ORIGIN", "null", id="the-origin-of-files"),
        pytest.param("COURSE_PACE", "soon", id="pace"),
    ],
)
def test_mistakes_are_named(name: str, text: str) -> None:
    """The variable, what it must be, and what it is."""
    with pytest.raises(SettingsError, match=f"^MOCKSERVER_{name} must be .* not '{text}'$"):
        from_environment({f"MOCKSERVER_{name}": text})


@pytest.mark.parametrize("text", ["tok-s3cret\n", " tok-s3cret\r\n", "tok-s3cret"])
def test_white_space_around_the_token_does_not_count(text: str) -> None:
    """A secret that is read from a file ends in a newline."""
    assert from_environment({"MOCKSERVER_ADMIN_TOKEN": text}).admin_token == "tok-s3cret"
    assert Settings(admin_token=text).admin_token == "tok-s3cret"


@pytest.mark.parametrize("text", ["tök-s3cret", "tok s3cret", "tok\ns3cret", "s3cret\x00", "\n", "s3cret\u200b"])
def test_a_token_that_no_header_can_hold_is_refused_unseen(text: str) -> None:
    """In one line, which never shows it."""
    message = "^MOCKSERVER_ADMIN_TOKEN must be printable ASCII without blanks$"
    with pytest.raises(SettingsError, match=message):
        from_environment({"MOCKSERVER_ADMIN_TOKEN": text})
    with pytest.raises(SettingsError, match=r"^admin_token must be printable ASCII without blanks$"):
        Settings(admin_token=text)


@pytest.mark.parametrize("url", ["http://user:s3cret@x", "https://s3cret@x/y", "http://ü:s3cret@x", "s3cret@x"])
def test_no_password_of_an_address_is_shown(url: str) -> None:
    """Neither where the address is refused for it."""
    with pytest.raises(SettingsError, match=r"not one with a user or a password$") as caught:
        Settings(public_url=url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize("host", ["http://a.test", "a.test:80", "", "a b"])
def test_a_host_is_no_address(host: str) -> None:
    """Callbacks are allowed by host: scheme, port and path are the callback's."""
    with pytest.raises(SettingsError, match="callback_hosts must be host names without scheme and port"):
        Settings(callback_hosts=(host,))
    with pytest.raises(SettingsError, match="tuple"):
        Settings(callback_hosts=host)  # type: ignore[arg-type]


@pytest.mark.parametrize("pace", [-1, 3601, float("nan"), True, "1"])
def test_a_pace_is_a_number_of_seconds(pace: Any) -> None:
    """Not below 0, and bounded."""
    with pytest.raises(SettingsError, match="course_pace must be a number of seconds from 0 to 3600"):
        Settings(course_pace=pace)


@pytest.mark.parametrize(("former", "setting"), RENAMED.items())
def test_a_former_name_is_told_with_the_present_one(former: str, setting: str) -> None:
    """The variable is refused; those that are still named so in the environment are read there."""
    name = f"MOCKSERVER_{former.upper()}"
    if name == variable(setting):
        assert from_environment({name: "7"}) != Settings()
    else:
        with pytest.raises(SettingsError, match=f"^{name} is now {variable(setting)}$"):
            from_environment({name: "7"})


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("app.localhost", True),
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),  # noqa: S104 -- nobody listens
        ("", False),
        ("127.evil.test", False),
        ("127.0.0.1.evil.test", False),
        ("localhost.evil.test", False),
        ("notlocalhost", False),
        ("192.168.0.1", False),
    ],
)
def test_loopback(host: str, local: bool) -> None:
    """Names and addresses of this machine, and no name that only begins like one."""
    assert is_loopback(host) is local
    assert Settings(host=host).is_loopback is local


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"max_body": "abc"}, "max_body must be a whole number from 1 to"),
        ({"max_accounts": -1}, "max_accounts must be a whole number from 1 to"),
        ({"idle_timeout": True}, "idle_timeout must be a whole number"),
        ({"port": 65536}, "port must be a whole number from 0 to 65535, not 65536"),
        ({"explain": "no"}, "explain must be True or False, not 'no'"),
        ({"let_through": ("https://a",)}, "let_through must be hosts' names without scheme and port, not 'https://a'"),
        ({"let_through": "a.example"}, "let_through must be a tuple"),
        ({"log": "xml"}, "log must be one of text, json, off, not 'xml'"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_in_python_too(settings: dict[str, Any], message: str) -> None:
    """A server that would break at its first call is not made."""
    with pytest.raises(SettingsError, match=message):
        Settings(**settings)


@pytest.mark.parametrize("store", ["", ":memory:", None, "postgres://user:secret@host/db", "redis://:secret@"])
def test_a_store_that_is_none(store: Any) -> None:
    """It is refused at once, and a password is not repeated."""
    with pytest.raises(SettingsError, match="store must be memory, a file, or an address") as caught:
        Settings(store=store)
    assert "secret" not in str(caught.value)
