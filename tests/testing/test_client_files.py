"""Clients' own settings: what the user's file says stays, but for what would lead elsewhere than to the server."""

from pathlib import Path

import pytest

from mockserver.testing.client_files import client_files

PROXY = "http://127.0.0.1:8080"
MORE = "-----BEGIN CERTIFICATE-----\nbW9yZQ==\n-----END CERTIFICATE-----"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "more.pem").write_text(f"ours\n{MORE}\n")
    return tmp_path / "home"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    file = tmp_path / "bundle.pem"
    file.write_text("all\n")
    return file


def settings(file: str, text: str, home: Path, bundle: Path, proxy: str | None = PROXY) -> dict[str, list[str]]:
    """What clients read where the user's file has this text: the values of each name, the last of which counts."""
    (home / file).write_text(text)
    named = client_files(bundle.parent, bundle, {"HOME": str(home)}, proxy)
    read = Path(named["WGETRC"]) if file == ".wgetrc" else Path(named["CURL_HOME"], ".curlrc")
    found: dict[str, list[str]] = {}
    for name, _, value in (line.partition("=") for line in read.read_text().splitlines()):
        found.setdefault(name.strip(), []).append(value.strip().strip('"'))
    return found


def test_wget(home: Path, bundle: Path) -> None:
    """Its proxies and its exceptions are the server's, and a setting that leads nowhere stays."""
    text = "tries = 7\nhttps_proxy = http://elsewhere:1\nuse_proxy = off\nno_proxy = a.example"
    found = settings(".wgetrc", text, home, bundle)
    assert found["tries"] == ["7"]
    assert [found[name][-1] for name in ("use_proxy", "http_proxy", "https_proxy")] == ["on", PROXY, PROXY]
    assert found["no_proxy"][1:] == ["", "localhost,127.0.0.1,::1"]  # wget joins several, but for an empty one
    assert found["ca_certificate"] == [str(bundle)]
    assert settings(".wgetrc", text, home, bundle, None)["use_proxy"] == ["off", "off"]


def test_curl(home: Path, bundle: Path) -> None:
    """Likewise; without a file of the user's, variables are enough."""
    assert "CURL_HOME" not in client_files(bundle.parent, bundle, {"HOME": str(home)}, PROXY)
    text = "max-time = 7\nproxy = http://elsewhere:1\nnoproxy = a.example"
    found = settings(".curlrc", text, home, bundle)
    assert found["max-time"] == ["7"]
    assert (found["proxy"][-1], found["noproxy"][-1]) == (PROXY, "localhost,127.0.0.1,::1")
    assert found["cacert"] == [str(bundle)]
    assert settings(".curlrc", text, home, bundle, None)["noproxy"][-1] == "*"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (".wgetrc", "ca_certificate = {}/more.pem"),
        (".wgetrc", "CACertificate={}/more.pem "),
        (".wgetrc", "ca-certificate = ~/more.pem"),
        (".curlrc", "cacert = {}/more.pem"),
        (".curlrc", '--cacert "{}/more.pem"'),
    ],
)
def test_what_they_trusted(home: Path, bundle: Path, file: str, line: str) -> None:
    """The certificates of the file that they name stay trusted."""
    found = settings(file, line.format(home), home, bundle)
    (trusted,) = [Path(values[-1]) for name, values in found.items() if name in {"ca_certificate", "cacert"}][-1:]
    assert trusted.read_text().strip() == f"all\n\n{MORE}"


@pytest.mark.parametrize("file", [".wgetrc", ".curlrc"])
def test_what_cannot_be_read(home: Path, bundle: Path, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is as if it were not there, whether the file or its folder is closed."""
    (home / file).write_text("retry = 7")

    def closed(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied", file)

    for work in ("read_text", "is_file"):
        with monkeypatch.context() as patch:
            patch.setattr(Path, work, closed)
            named = client_files(bundle.parent, bundle, {"HOME": str(home)}, PROXY)
        assert "CURL_HOME" not in named
        assert "retry" not in Path(named["WGETRC"]).read_text()
