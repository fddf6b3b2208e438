"""Addresses, origins and tokens as users write them, and as clients send them: checked before they are used."""

import re
import string
from urllib.parse import SplitResult, quote, unquote, urlsplit

OUR_PATH = "/_mock"  # everything of ours is here and below
PATH_CHARACTERS = "/:@!$&'()*+,;=~"  # that a path holds as they are
PATH_PARAMETER = re.compile(r"\{([^{}/]+)\}")
_USABLE_TOKEN = re.compile(r"[!-~]+")
_URL = re.compile(r"https?://[!-~]+", re.IGNORECASE)
_HOST_NAME = r"(?:\[[0-9a-f:.]+\]|[0-9a-z](?:[0-9a-z.-]*[0-9a-z])?)"
_HOST_HEADER = re.compile(rf"({_HOST_NAME})(?::[0-9]{{1,5}})?", re.IGNORECASE)
_ORIGIN = re.compile(rf"https?://({_HOST_NAME})(?::[0-9]{{1,5}})?", re.IGNORECASE)


def usable_token(text: str) -> str:
    """A token without the white space around it: one that is read from a file ends in a newline.

    Raises ValueError, which does not show it, for what no client can send in a header.
    """
    token = text.strip()
    if not _USABLE_TOKEN.fullmatch(token):
        raise ValueError("must be printable ASCII without blanks")
    return token


def split_http(url: str) -> SplitResult | None:
    """An http or https address in its parts; None where it is none, or has what none of ours has: a query, a name."""
    try:
        parts = urlsplit(url)
        usable = bool(_URL.fullmatch(url)) and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if usable and not (parts.query or parts.fragment or "@" in parts.netloc) else None


def why_no_path(path: str) -> str:
    """Why no request meets a path below a server's, where ``{name}`` is any text; "" where one can."""
    literal = PATH_PARAMETER.sub("", path)
    if not path.startswith("/"):
        return "a path must start with '/'"
    if "#" in path or "?" in path:
        return f"a path ends before {'#' if '#' in path else '?'}; what a query has are parameters"
    if "{" in literal or "}" in literal:
        return "a parameter is written {name}, without '/' in its name"
    compared = as_compared(path)
    told = "as it is sent" if literal != path else "without escapes"
    others_encoded = quote(path, safe=string.printable)  # letters that are not ASCII may stand as they are
    return "" if compared in (path, others_encoded) else f"it is compared {told}: write {compared!r}"


def as_compared(path: str) -> str:
    """A path as requests are held against it: with parameters as it is sent, without them decoded."""
    parts = PATH_PARAMETER.split(path)
    if len(parts) == 1:
        return unquote(path)
    return "".join(
        f"{{{part}}}" if number % 2 else quote(unquote(part), safe=f"{PATH_CHARACTERS}[]")
        for number, part in enumerate(parts)
    )


def is_ours(path: str) -> bool:
    """Whether a whole path is one of the control API's, which no vendor can have."""
    return path == OUR_PATH or path.startswith(f"{OUR_PATH}/")


def root_path(url: str) -> str:
    """The path of a server's address without the last slash: "" if there is only a host."""
    return urlsplit(url).path.rstrip("/")


def has_password(url: str) -> bool:
    """Whether an address may have a user or a password in it, and so must not be shown."""
    return "@" in url


def host_of_header(value: str) -> str:
    """The host that a ``Host`` header names, in lower case; "" where it is no such header."""
    found = _HOST_HEADER.fullmatch(value)
    return "" if found is None else found[1].lower()


def host_of_origin(value: str) -> str:
    """The host of an ``Origin`` of a web page, in lower case; "" for any other."""
    found = _ORIGIN.fullmatch(value)
    return "" if found is None else found[1].lower()
