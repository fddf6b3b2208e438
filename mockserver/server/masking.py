"""What must not be shown of a call: secrets by the place where they stand, and by their shape.

By place: whatever a security scheme of any contract, ``Authorization``, ``Proxy-Authorization`` or a cookie carries,
whoever it belongs to. By shape: JWTs and PEM blocks, wherever they stand. Nothing else is hidden. Each step takes time
in proportion to the text. Two equal secrets have equal masks.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import quote

from mockserver.engine.bodies import Part, UnreadableError, boundary_of, multipart_parts
from mockserver.engine.call import RecordedCall, unpack_headers
from mockserver.server.packed_bodies import unpacked
from mockserver.server.secret_members import SecretMembers, decoded_field
from mockserver.server.secret_shapes import without_shapes
from mockserver.server.spelling import spelled
from mockserver.server.unread_parts import UnreadParts
from mockserver.spec.model import Contract

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
CUT = "…"  # behind a text of which not all is shown
MIN_QUOTED = 7  # characters of a presented secret that is masked where an answer quotes it: "1" is in every text
MAX_QUOTED = 16  # presented secrets of a call that are looked for in what quotes it

MAX_SEARCHED = 64 * 1024  # bytes of a body in which secret members are looked for, to mask what quotes them

_MADE_MASK = re.compile(r"\*{3}[0-9a-f]{8}")
# What may stand around a field's name by mistake: a blank, or a byte order mark. Pairs begin behind a line's end, so a
# line's end is none.
_BOM = r"\ufeff|\ufffd|\udcff\udcfe|\udcfe\udcff|\xef\xbb\xbf|%[Ee][Ff]%[Bb][Bb]%[Bb][Ff]|\\u[fF][eE][fF]{2}"
_BLANK = r"[^\S\r\n]|[+\u200b]|%20|%0[9AaDd]|%[Cc]2%[Aa]0|%[Ee]2%80%8[Bb]|\\[nrt]"
_PADDING = rf"(?:{_BLANK}|{_BOM}|%[Cc]3%[Aa][Ff]%[Cc]2%[Bb][Bb]%[Cc]2%[Bb][Ff])*"
_FIELD_INDEX = r"(?:(?:\[|%5[Bb])[^=&\"\r\n]{0,100})?"  # as forms write members of lists and objects: key[0], key[name]
_PADDING_READ = " \t\r\n\v\f\xa0\ufeff\ufffd\udcff\udcfe\u200b\xef\xbb\xbf"


class Masker:
    """Knows from the contracts where credentials stand."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        schemes = [scheme for contract in contracts for scheme in contract.schemes]
        self._headers = SECRET_HEADERS | {scheme.key.lower() for scheme in schemes if scheme.where == "header"}
        self._fields = frozenset(scheme.key for scheme in schemes if scheme.where != "header")
        names = "|".join(map(spelled, sorted(self._fields))) or r"(?!)"
        padded = rf"{_PADDING}(?:{names}){_FIELD_INDEX}{_PADDING}"
        self._pair = re.compile(rf"(?:^|(?<=[&\r\n]))({padded})=([^&]+)")
        self._pair_of_line = re.compile(rf"(?<=[\r\n])({padded})=([^&]+)")
        self._members = SecretMembers(padded)
        self._spelled_name = re.compile(names)
        self._unread_parts = UnreadParts(names)
        self._key = secrets.token_bytes(16)

    def hides_header(self, name: str) -> bool:
        """Whether the whole value of this header is a secret."""
        return name.lower() in self._headers

    def hides_field(self, name: str) -> bool:
        """Whether this form field, query parameter or member of a body is a secret."""
        if name in self._fields or name.isidentifier():  # as most are, which have nothing around them
            return name in self._fields
        name = name.replace("\0", "").partition("[")[0].strip(_PADDING_READ)
        is_escaped = "%" in name or "\\" in name
        return name in self._fields or (is_escaped and self._spelled_name.fullmatch(name) is not None)

    def mask(self, secret: str) -> str:
        """``***`` and eight hex digits that two equal secrets share, by a key of this process; a mask stays."""
        if _MADE_MASK.fullmatch(secret):
            return secret
        raw = secret.encode("utf-8", "surrogatepass")
        return f"***{hashlib.blake2b(raw, key=self._key, digest_size=4).hexdigest()}"

    def header(self, value: str) -> str:
        """The value of a hidden header; what kind of credential it is stays readable."""
        kind, _, secret = value.partition(" ")
        if kind.lower() in {"bearer", "basic"} and secret:
            return f"{kind} {self.mask(secret.strip())}"
        return self.mask(value)

    def text(self, text: str, *, is_cut: bool = False) -> str:
        """A text with tokens and keys in it masked. ``is_cut``: its end is missing, maybe that of a token."""
        return without_shapes(text, self.mask, is_cut=is_cut)

    def fields(self, text: str, *, is_cut: bool = False) -> str:
        """A query string or urlencoded form: its secret fields masked, and the rest as any text."""
        return self.text(self._pair.sub(self._without_field, text), is_cut=is_cut)

    def _without_field(self, pair: re.Match[str]) -> str:
        return f"{pair[1]}={self.mask(decoded_field(pair[2]))}"

    def members(self, text: str) -> str:
        """A text with the secret members of JSON masked that stand in it, also as a form escapes them."""
        if "\0" in text:
            plain = text.replace("\0", "")
            return text if self.members(plain) == plain else self.mask(plain)
        if '"' in text:
            text = self._members.masked(text, self.mask)
        return self._members.masked(text, self.mask, is_escaped=True) if _has_escaped_quotes(text) else text

    def body(self, text: str, reads: str, content_type: str, *, is_cut: bool = False) -> str:
        """A raw body: its secret parts, fields and members masked, whichever of them it has, and the rest as any text.

        What looks like JSON is searched for members alone: an address in it may have a query of its own.
        """
        masked = self._body(text, reads, content_type, is_cut=is_cut)
        if "\0" not in masked:
            return masked
        plain = masked.replace("\0", "")  # a text in UTF-16 has one in each character: nobody finds a secret in it
        return masked if self._body(plain, reads, content_type, is_cut=is_cut) == plain else self.mask(plain)

    def _body(self, text: str, reads: str, content_type: str, *, is_cut: bool) -> str:
        if not self._fields:
            return self.text(text, is_cut=is_cut)
        parts = _parts(text, content_type, is_cut=is_cut)
        if parts is not None:
            return self.text(self._without_parts(text, parts), is_cut=is_cut)
        if reads == "form" or not _looks_like_json(text):
            return self.fields(self.beside_fields(text, content_type), is_cut=is_cut)
        text = self._without_unread_parts(text, content_type)
        return self.text(self._members.masked(text, self.mask), is_cut=is_cut)

    def beside_fields(self, text: str, content_type: str) -> str:
        """A form with that masked which is a secret, but no field's value: it may be JSON, or parts, by mistake."""
        text = self._without_unread_parts(text, content_type)
        if "\n" in text or "\r" in text:
            text = self._pair_of_line.sub(self._without_field, text)
        return self.members(text)

    def _without_parts(self, text: str, parts: Iterable[Part]) -> str:
        """A multipart form with the content of its secret parts masked, and secret members in all else."""
        raw, shown, done = _encoded(text), list[str](), 0
        for part in parts:
            secret = self.mask(part.text) if self.hides_field(part.name) else self.members(part.text)
            shown += (self.members(_decoded(raw[done : part.start])), secret)
            done = part.end
        return "".join((*shown, _decoded(raw[done:])))

    def _without_unread_parts(self, text: str, content_type: str) -> str:
        """A text that cannot be read as a multipart form, masked where a secret part of one seems to stand."""
        shown, done = list[str](), 0
        for start, end in self._unread_parts.spans(text, content_type):
            shown += (text[done:start], self.mask(text[start:end]))
            done = end
        return "".join((*shown, text[done:]))

    def _secret_parts(self, text: str, content_type: str) -> Iterator[str]:
        """What stands in the secret parts of a multipart form, whether it can be read or not."""
        parts = _parts(text, content_type)
        if parts is None:
            yield from (text[start:end] for start, end in self._unread_parts.spans(text, content_type))
        else:
            yield from (part.text for part in parts if self.hides_field(part.name))

    def presents(self, call: RecordedCall) -> Iterator[str]:
        """What stands in a request where credentials stand, whoever's it is, and however the body calls itself."""
        content_type = ""
        for name, value in unpack_headers(call.headers):
            if self.hides_header(name):
                yield from (value, value.partition(" ")[2].strip())
            elif name == "content-type":
                content_type = value
        if not self._fields:
            return
        body = unpacked(call).content[:MAX_SEARCHED].decode("utf-8", "replace").replace("\0", "")
        for text in (call.query.decode("latin-1"), body):
            yield from (decoded_field(pair[2]) for pair in self._pair.finditer(text))
        for is_escaped in (False, True):
            yield from self._members.values(body, is_escaped=is_escaped)
        yield from self._secret_parts(body, content_type)

    def quotes(self, call: RecordedCall) -> "Quotes":
        """What finds the secrets that a call presents in texts that quote its request: problems, the response."""
        return Quotes(self, self.presented(call))

    def presented(self, call: RecordedCall) -> list[str]:
        """The secrets that a call presents, as far as they are long enough to be looked for, and not too many."""
        presented = islice((secret for secret in self.presents(call) if len(secret) >= MIN_QUOTED), MAX_QUOTED**2)
        return list(dict.fromkeys(presented))[:MAX_QUOTED]


class Quotes:
    """The secrets that one call presents, and their masks."""

    def __init__(self, masker: Masker, presented: list[str]) -> None:
        self._masker = masker
        longest_first = sorted(presented, key=len, reverse=True)
        self.masks = {written: masker.mask(secret) for secret in longest_first for written in _written(secret)}

    def text(self, text: str, *, is_cut: bool = True) -> str:
        """A text with these secrets masked, as any tokens and keys; one that is cut off, too, at the end or at a ``…``.

        What quotes is short: it may be cut anywhere.
        """
        for written, mask in self.masks.items():
            if written in text:
                text = text.replace(written, mask)
            if written[:MIN_QUOTED] in text:
                text = CUT.join(_without_end(part, written, mask) for part in text.split(CUT))
        return self._masker.text(text, is_cut=is_cut)

    def number(self, value: Any) -> Any:
        """A number, or another value that is no text, masked where it is one of these secrets."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return self.masks.get(json.dumps(value), value) if self.masks and is_number else value


def _without_end(text: str, written: str, mask: str) -> str:
    """A text with a secret masked of which it has the beginning at its end."""
    at = text.rfind(written[:MIN_QUOTED])
    return text[:at] + mask if at >= 0 and written.startswith(text[at:]) else text


def _looks_like_json(text: str) -> bool:
    return text.lstrip(_PADDING_READ)[:1] in {"{", "["}


def looks_beside_fields(raw: bytes) -> bool:
    """Whether a form may have secrets that are no field's value: most have neither a quote nor a line's end."""
    return b'"' in raw or b"%22" in raw or b"\n" in raw or b"\r" in raw


def _has_escaped_quotes(text: str) -> bool:
    return "%22" in text or '\\"' in text


def _parts(text: str, content_type: str, *, is_cut: bool = False) -> list[Part] | None:
    """The parts of a multipart form, as the server reads them; None where it reads none.

    ``is_cut``: the end of the text is missing, and the last part goes as far as it goes.
    """
    if "multipart" not in content_type.lower():
        return None
    header = content_type.encode("latin-1", "replace")
    try:
        end = b"\r\n--" + boundary_of(header) + b"--" if is_cut else b""
        return multipart_parts(_encoded(text) + end, header)
    except UnreadableError:
        return None


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _decoded(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _written(secret: str) -> list[str]:
    """How a text that quotes a secret may write it."""
    in_json = (json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1])
    in_path = quote(secret.encode("utf-8", "surrogatepass"), safe="/ ")  # once: it takes its time
    in_query = in_path.replace("/", "%2F")
    escaped = (in_path.replace(" ", "%20"), in_query.replace(" ", "%20"), in_query.replace(" ", "+"))
    return list(dict.fromkeys((secret, *in_json, *escaped)))
