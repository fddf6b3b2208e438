"""The image's health check: whether the first process of this container, a `mockserver serve`, is ready on its port."""

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

HEALTH_SECONDS = 2  # until the server must have answered


def served_port(words: Sequence[str], environment: Mapping[str, str]) -> str:
    """The port that `mockserver serve` listens on: its option goes before the variable."""
    found = environment.get("MOCKSERVER_SERVE_PORT") or "8080"
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word == "--port":
            found = following
        elif word.startswith("--port="):
            found = word.removeprefix("--port=")
    return found


def main() -> None:
    """End with 0 where it is ready."""
    words = Path("/proc/1/cmdline").read_text("utf-8").split("\0")
    url = f"http://127.0.0.1:{served_port(words, os.environ)}/_mock/health"
    with build_opener(ProxyHandler({})).open(url, timeout=HEALTH_SECONDS) as response:
        sys.exit(response.status != 200)


if __name__ == "__main__":
    main()
