"""Secrets of a call, made unreadable wherever it is shown. Two equal ones stay recognisable as equal."""

import hmac
import re
import secrets
from collections.abc import Iterable
from urllib.parse import quote, quote_plus, unquote_plus

from mockserver.exchange.account import Account
from mockserver.exchange.bodies import Unreadable, read_form, read_multipart
from mockserver.exchange.call import Call, unpack_headers
from mockserver.exchange.handout import credential_members
from mockserver.exchange.request import read_query
from mockserver.spec.contract import Contract

ALWAYS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_LONG = 16  # characters from which an account's own credential is looked for anywhere in a call
_SHORT = 6  # characters up to which a secret is masked only where it stands: "1" is in every text


class Masker:
    """Knows from the contracts where credentials stand."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._contracts = tuple(contracts)
        schemes = [scheme for contract in self._contracts for scheme in contract.schemes]
        self._headers = ALWAYS | {scheme.key for scheme in schemes if scheme.where == "header"}
        self._fields = frozenset(scheme.key for scheme in schemes if scheme.where == "query")
        self._key = secrets.token_bytes(16)

    def pattern(self, call: Call, account: Account | None) -> re.Pattern[str] | None:
        """Finds every secret that a call may show, longest first."""
        found: set[str] = set()
        for name, value in unpack_headers(call.headers):
            if self.hides_header(name):
                found |= {value, value.partition(" ")[2].strip()}
        found |= {value for name, value in self._form_fields(call) if self.hides_field(name)}
        found |= set(self._own(account))
        found |= {part for text in found for part in _token_parts(text)}
        written = {form for text in found for form in (text, quote(text, safe=""), quote_plus(text))}
        texts = sorted((text for text in written if len(text) > _SHORT), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, texts))) if texts else None

    def hides_header(self, name: str) -> bool:
        """Whether the whole value of this header is a secret."""
        return name.lower() in self._headers

    def hides_field(self, name: str) -> bool:
        """Whether this form field or query parameter is a secret."""
        return name in self._fields

    def query(self, text: str) -> str:
        """A query string or urlencoded form with its secret fields masked where they stand."""
        pairs = [pair.partition("=") for pair in text.split("&")]
        return "&".join(
            f"{name}={self.mask(unquote_plus(value))}"
            if value and self.hides_field(unquote_plus(name))
            else name + equals + value
            for name, equals, value in pairs
        )

    def _form_fields(self, call: Call) -> list[tuple[str, str]]:
        fields = read_query(call.query)
        try:
            if call.reads == "multipart":
                content_type = dict(unpack_headers(call.headers)).get("content-type", "")
                fields += read_multipart(call.body, content_type.encode("latin-1"))
            elif call.reads == "form":
                fields += read_form(call.body)
        except Unreadable:
            return fields
        return fields

    def _own(self, account: Account | None) -> list[str]:
        """The account's long credentials, to be hidden wherever a client put them by mistake."""
        found: list[str] = []
        for contract in self._contracts if account else ():
            for name in credential_members(contract):
                waiting = [(account.vendors[contract.vendor] if account else {}).get(name)]
                while waiting:
                    value = waiting.pop()
                    if isinstance(value, dict):
                        waiting += value.values()
                    elif isinstance(value, list):
                        waiting += value
                    elif isinstance(value, str) and len(value) >= _LONG:
                        found.append(value)
        return found

    def mask(self, secret: str) -> str:
        """``***`` and eight hex digits that two equal secrets share, by a key of this process."""
        digest = hmac.digest(self._key, secret.encode("utf-8", "surrogatepass"), "sha256")
        return f"***{digest.hex()[:8]}"


def _token_parts(text: str) -> list[str]:
    """A compact JWT can be read from its first two parts alone: those are secrets too."""
    parts = text.split(".")
    return [part for part in parts if len(part) >= _LONG] if len(parts) == 3 else []
