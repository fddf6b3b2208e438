"""What a running server says of itself, for commands that otherwise read the files that it would read."""

import json
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from mockserver.cli.common import CommandError
from mockserver.server.settings import Settings

CONTROL_SECONDS = 10  # seconds until a server is taken for none


class NoServerError(CommandError):
    """Nothing answers there, or what answers is no mockserver."""


def is_server_meant(settings: Settings) -> bool:
    """Whether a command asks the server for what it has: it names no files of its own."""
    return not (settings.contracts or settings.fixtures or settings.accounts or not settings.builtin)


def is_no_answer(error: CommandError, url: str | None) -> bool:
    """Whether files are to be read instead: nothing answers, or nobody named the server that refuses."""
    return url is None or isinstance(error, NoServerError)


def server_answer(address: str, settings: Settings) -> str:
    """The text at an address of the control API. Raises CommandError, NoServerError where nothing answers."""
    headers = {"Authorization": f"Bearer {settings.admin_token}"} if settings.admin_token else {}
    try:
        with urlopen(Request(address, headers=headers), timeout=CONTROL_SECONDS) as response:  # noqa: S310 -- an http address
            return str(response.read().decode("utf-8"))
    except HTTPError as error:
        raise CommandError(f"{address} answered {error.code}: {_detail(error)}") from error
    except (OSError, HTTPException, ValueError) as error:
        raise NoServerError(f"no mockserver answers at {address}: {error}") from error


def _detail(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (OSError, HTTPException, ValueError, LookupError, TypeError):
        return str(error.reason)
