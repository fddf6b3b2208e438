"""Settings that clients read from files of their own: wget's, curl's and PHP's, written to lead to a server.

What the user's file says stays, but for what would lead elsewhere: wget's and curl's files count for more than
variables do.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

LOCAL = "localhost,127.0.0.1,::1"
_WGET_CA = re.compile(r"^[ \t]*ca[-_]?certificate[ \t]*=[ \t]*(.*?)[ \t\r]*$", re.IGNORECASE | re.MULTILINE)
_CURL_CA = re.compile(r"""^[ \t]*(?:--)?cacert[ \t=:]+(?:"(.*?)"|([^\s"]\S*))""", re.MULTILINE)


def client_files(folder: Path, bundle: Path, environment: Mapping[str, str], proxy: str | None) -> dict[str, str]:
    """Write them, and return the variables that name them. ``proxy`` is an http address; None: there is none to ask.

    Clients trust the certificates in ``bundle`` beside those that the user's files name. Raises OSError.
    """
    variables = {"WGETRC": str(_wget_file(folder, bundle, environment, proxy))}
    variables["PHP_INI_SCAN_DIR"] = _php_folders(folder, bundle, environment)
    users = _users_curl_file(environment)
    if users is not None:  # without one, curl does what variables say
        variables["CURL_HOME"] = str(_curl_file(folder, bundle, users, proxy))
    return variables


def _wget_file(folder: Path, bundle: Path, environment: Mapping[str, str], proxy: str | None) -> Path:
    home = environment.get("HOME")
    named = environment.get("WGETRC") or (f"{home}/.wgetrc" if home else "")
    text = _text(Path(named)) or ""
    trusted = _beside(bundle, folder / "wget.pem", _WGET_CA.findall(text)[-1:], home)
    way = ["use_proxy = off"]
    if proxy is not None:
        ways = [f"{name} = {proxy}" for name in ("http_proxy", "https_proxy")]
        way = ["use_proxy = on", *ways, "no_proxy =", f"no_proxy = {LOCAL}"]  # wget joins several, but for an empty one
    return _write(folder / "wgetrc", text, [*way, f"ca_certificate = {trusted}"])


def _users_curl_file(environment: Mapping[str, str]) -> str | None:
    """The text of the file that curl would read; None where there is none."""
    places = [("CURL_HOME", ".curlrc"), ("XDG_CONFIG_HOME", "curlrc"), ("XDG_CONFIG_HOME", ".curlrc")]
    places += [("HOME", ".curlrc"), ("HOME", ".config/curlrc"), ("HOME", ".config/.curlrc")]
    files = (Path(environment[name], file) for name, file in places if environment.get(name))
    return next((text for text in map(_text, files) if text is not None), None)


def _curl_file(folder: Path, bundle: Path, users: str, proxy: str | None) -> Path:
    """A folder with curl's file."""
    named = ["".join(found) for found in _CURL_CA.findall(users)]
    trusted = _beside(bundle, folder / "curl.pem", named[-1:], None)
    way = {"noproxy": "*"} if proxy is None else {"proxy": proxy, "noproxy": LOCAL}
    place = folder / "curl"
    place.mkdir(exist_ok=True)
    settings = {**way, "cacert": str(trusted).replace("\\", "\\\\").replace('"', '\\"')}
    _write(place / ".curlrc", users, [f'{name} = "{value}"' for name, value in settings.items()])
    return place


def _php_folders(folder: Path, bundle: Path, environment: Mapping[str, str]) -> str:
    place = folder / "php"
    place.mkdir(exist_ok=True)
    _write(place / "mockserver.ini", "", [f'{name}="{bundle}"' for name in ("curl.cainfo", "openssl.cafile")])
    before = environment.get("PHP_INI_SCAN_DIR", "")  # an empty entry is the one that PHP was built with
    return f"{before}{os.pathsep}{place}"


def _beside(bundle: Path, both: Path, named: list[str], home: str | None) -> Path:
    """A file with a bundle's certificates and those of the files that are named."""
    from mockserver.server.trust_files import certificates_in  # noqa: PLC0415 -- few tests need a part of the server

    paths = [Path(name.replace("~", home or "~", 1) if name.startswith("~/") else name) for name in named if name]
    more = [certificate for path in paths for certificate in certificates_in(path)]
    return _write(both, bundle.read_text("utf-8"), more) if more else bundle


def _write(file: Path, text: str, lines: list[str]) -> Path:
    file.write_text("\n".join([text, *lines, ""]), "utf-8", "surrogateescape")
    return file


def _text(file: Path) -> str | None:
    """What is in a file; None where there is none that can be read."""
    try:
        return file.read_text("utf-8", "surrogateescape") if file.is_file() else None
    except OSError:  # its folder may be closed to us, as it is to the client
        return None
