"""Other mock servers, from npm: installed outside the checkout, and how each is started."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import stubs
from benchmarks.scenarios import Sample
from benchmarks.servers import Program
from benchmarks.stubs import Stub

INSTALLED = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sms-vendor-mockserver-benchmarks"
PRISM = "@stoplight/prism-cli@5.14.2"  # newer ones need Node.js 24
MOCKOON = "@mockoon/cli@9.9.0"
WIREMOCK = "wiremock@3.13.2"


class NotInstalledError(RuntimeError):
    """A peer cannot be run on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer's npm package, what runs it, and its command but for the port, from the package's and its own folder."""

    name: str
    package: str
    runtime: str
    command: Callable[[Path, Path], list[str]]
    forget: Sample | None = None


def peers(stub: Stub) -> list[Peer]:
    """All peers, the measured operation known to each."""

    def prism(modules: Path, folder: Path) -> list[str]:
        (folder / "openapi.json").write_text(stubs.openapi(stub), "utf-8")
        command = ["node", str(modules / ".bin/prism"), "mock", "-v", "error"]
        return [*command, str(folder / "openapi.json"), "-p"]

    def mockoon(modules: Path, folder: Path, *, by_schema: bool) -> list[str]:
        file = folder / "environment.json"
        file.write_text(stubs.mockoon(stub, by_schema=by_schema), "utf-8")
        command = ["node", str(modules / ".bin/mockoon-cli"), "start", "--disable-log-to-file"]
        return [*command, "--data", str(file), "--port"]

    def wiremock(modules: Path, folder: Path, *options: str) -> list[str]:
        (jar,) = (modules / "wiremock/build").glob("wiremock-standalone-*.jar")
        stubs.write_wiremock(stub, folder)
        command = ["java", "-jar", str(jar), "--disable-banner", "--bind-address", "127.0.0.1"]
        return [*command, "--root-dir", str(folder), *options, "--port"]

    bounded = ("--max-request-journal-entries", "10000")
    return [
        Peer("Prism", PRISM, "node", prism),
        Peer("Mockoon, number by pattern", MOCKOON, "node", lambda m, f: mockoon(m, f, by_schema=False)),
        Peer("Mockoon, body by schema", MOCKOON, "node", lambda m, f: mockoon(m, f, by_schema=True)),
        Peer("WireMock", WIREMOCK, "java", wiremock, forget=Sample("DELETE", "/__admin/requests", {}, "")),
        Peer("WireMock, journal of 10,000", WIREMOCK, "java", lambda m, f: wiremock(m, f, *bounded)),
        Peer("WireMock, no journal", WIREMOCK, "java", lambda m, f: wiremock(m, f, "--no-request-journal")),
    ]


def program(peer: Peer, folder: Path) -> Program:
    """The peer, installed if it is not yet; its files go into ``folder``. Raises NotInstalledError."""
    for tool in ("npm", peer.runtime):
        if shutil.which(tool) is None:
            raise NotInstalledError(f"{tool} is missing")
    folder.mkdir(parents=True)
    command = peer.command(_install(peer.package), folder)
    return Program(peer.name, lambda port: [*command, str(port)], forget=peer.forget)


def _install(package: str) -> Path:
    """The node_modules folder with an npm package. Raises NotInstalledError."""
    place = INSTALLED / package.replace("/", "-").lstrip("@")
    done = place / "installed"
    if not done.exists():
        command = ["npm", "install", "--prefix", str(place), "--no-audit", "--no-fund", "--loglevel=error", package]
        installed = subprocess.run(command, capture_output=True, text=True, check=False)
        if installed.returncode:
            raise NotInstalledError(f"npm cannot install {package}: {_line(installed.stderr or installed.stdout)}")
        done.touch()
    return place / "node_modules"


def _line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "no reason given"
