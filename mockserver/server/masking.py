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
from urllib.parse import quote, quote_plus, unquote_plus

from mockserver.engine.bodies import Part, UnreadableError, boundary_of, multipart_parts
from mockserver.engine.call import RecordedCall, unpack_headers
from mockserver.server.packed_bodies import unpacked
from mockserver.server.unread_parts import UnreadParts
from mockserver.spec.model import Contract

SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
CUT = "…"  # behind a text of which not all is shown
MIN_QUOTED = 7  # characters of a presented secret that is masked where an answer quotes it: "1" is in every text
MAX_QUOTED = 16  # presented secrets of a call that are looked for in what quotes it

MAX_SEARCHED = 64 * 1024  # bytes of a body in which secret members are looked for, to mask what quotes them

# Of a JWT the first two parts are readable: it begins with `{"`, and three parts at least are joined by points.
_MIN_TOKEN_HEAD = 11  # characters of a token's first part
_MIN_TOKEN = 20  # characters of a token
_TOKEN_TEXT = re.compile(rf"[A-Za-z0-9_.-]{{{_MIN_TOKEN_HEAD},}}+")
PEM_BEGIN = "-----BEGIN"
PEM_END = "-----END"
_PEM_LABEL = re.compile(r"[^-]{0,60}+-----")
_PEM_TEXT = re.compile(r"[A-Za-z0-9+/=\s\\%,:.-]*+")  # as it is, in JSON, in a form
_ESCAPE = re.compile("%[0-9A-Fa-f]{2}")
_MADE_MASK = re.compile(r"\*{3}[0-9a-f]{8}")
# JSON may stand in a form escaped: a quote as %22 or \", a colon as %3A, a blank as + or %20. Its end is as its begin.
_QUOTE = r'(?:\\?"|%22|%5[Cc]%22)'
_BLANKS = r"(?:\s|\+|%20|%0[9AaDd])*"  # not possessive: before CPython 3.11.5 such groups miss matches
_COLON = rf"{_BLANKS}(?::|%3[Aa]){_BLANKS}"
_ESCAPED_TEXT = r'(?:[^"\\%]++|%(?!22|5[Cc])|(?:%5[Cc]|\\(?!"))(?:%5[Cc]|%22|.))*'


class Masker:
    """Knows from the contracts where credentials stand."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        schemes = [scheme for contract in contracts for scheme in contract.schemes]
        self._headers = SECRET_HEADERS | {scheme.key.lower() for scheme in schemes if scheme.where == "header"}
        self._fields = frozenset(scheme.key for scheme in schemes if scheme.where != "header")
        names = "|".join(map(_spelled, sorted(self._fields))) or r"(?!)"
        self._pair = re.compile(rf"(?:^|(?<=&))({names})=([^&]+)")
        self._member = re.compile(rf'("(?:{names})"\s*+:\s*+")((?:[^"\\]++|\\.)*)', re.DOTALL)
        self._escaped_member = re.compile(
            rf'((?:\\"|%22|%5[Cc]%22)(?:{names}){_QUOTE}{_COLON}{_QUOTE})({_ESCAPED_TEXT})', re.DOTALL
        )
        self._spelled_name = re.compile(names)
        self._unread_parts = UnreadParts(names)
        self._key = secrets.token_bytes(16)

    def hides_header(self, name: str) -> bool:
        """Whether the whole value of this header is a secret."""
        return name.lower() in self._headers

    def hides_field(self, name: str) -> bool:
        """Whether this form field, query parameter or member of a body is a secret."""
        is_escaped = "%" in name or "\\" in name
        return name in self._fields or (is_escaped and self._spelled_name.fullmatch(name) is not None)

    def mask(self, secret: str) -> str:
        """``***`` and eight hex digits that two equal secrets share, by a key of this process."""
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
        if PEM_BEGIN in text:
            text = self._without_keys(text)
        if "eyJ" not in text:
            return text
        return _TOKEN_TEXT.sub(lambda run: self._without_token(run[0], is_cut and run.end() == len(text)), text)

    def _without_token(self, run: str, is_cut: bool) -> str:
        """A run of a token's characters, masked from where a token begins."""
        parts = run.split(".")
        start = 0
        for part in parts if is_cut else parts[:-2]:  # two parts follow the first, unless they were cut off
            at = part.find("eyJ")
            if at >= 0 and len(part) - at >= _MIN_TOKEN_HEAD and (is_cut or len(run) - start - at >= _MIN_TOKEN):
                return run[: start + at] + self.mask(run[start + at :])
            start += len(part) + 1
        return run

    def _without_keys(self, text: str) -> str:
        """A text with each PEM block masked, however its lines are separated; one that does not end, too."""
        shown: list[str] = []
        done, last_end = 0, text.rfind(PEM_END)
        while (begin := text.find(PEM_BEGIN, done)) >= 0:
            if begin < last_end:
                end = text.find(PEM_END, begin) + len(PEM_END)
                label = _PEM_LABEL.match(text, end)
                end = label.end() if label else end
            else:
                key = _PEM_TEXT.match(text, begin)
                end = key.end() if key else len(text)
            shown += (text[done:begin], self.mask(text[begin:end]))
            done = end
        return "".join((*shown, text[done:]))

    def fields(self, text: str, *, is_cut: bool = False) -> str:
        """A query string or urlencoded form: its secret fields masked, and the rest as any text."""
        masked = self._pair.sub(lambda pair: f"{pair[1]}={self.mask(decoded_field(pair[2]))}", text)
        return self.text(masked, is_cut=is_cut)

    def members(self, text: str) -> str:
        """A text with the secret members of JSON masked that stand in it, also as a form escapes them."""
        if '"' in text:
            text = self._member.sub(self._without_member, text)
        return self._escaped_member.sub(self._without_member, text) if _has_escaped_quotes(text) else text

    def _without_member(self, member: re.Match[str]) -> str:
        is_masked = _MADE_MASK.fullmatch(member[2])
        return member[0] if is_masked else member[1] + self.mask(_member_value(member))

    def body(self, text: str, reads: str, content_type: str, *, is_cut: bool = False) -> str:
        """A raw body: its secret parts, fields and members masked, whichever of them it has, and the rest as any text.

        What looks like JSON is searched for members alone: an address in it may have a query of its own.
        """
        if not self._fields:
            return self.text(text, is_cut=is_cut)
        parts = _parts(text, content_type, is_cut=is_cut)
        if parts is not None:
            return self.text(self._without_parts(text, parts), is_cut=is_cut)
        if reads == "form" or not _looks_like_json(text):
            return self.fields(self.beside_fields(text, content_type), is_cut=is_cut)
        text = self._without_unread_parts(text, content_type)
        return self.text(self._member.sub(self._without_member, text), is_cut=is_cut)

    def beside_fields(self, text: str, content_type: str) -> str:
        """A form with that masked which is a secret, but no field's value: it may be JSON, or parts, by mistake."""
        return self.members(self._without_unread_parts(text, content_type))

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
        body = unpacked(call).content[:MAX_SEARCHED].decode("utf-8", "replace")
        for text in (call.query.decode("latin-1"), body):
            yield from (decoded_field(pair[2]) for pair in self._pair.finditer(text))
        for members in (self._member, self._escaped_member):
            yield from (_member_value(member) for member in members.finditer(body))
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


def _without_end(text: str, written: str, mask: str) -> str:
    """A text with a secret masked of which it has the beginning at its end."""
    at = text.rfind(written[:MIN_QUOTED])
    return text[:at] + mask if at >= 0 and written.startswith(text[at:]) else text


def _spelled(name: str) -> str:
    """A pattern of a name, each of its characters as it is or escaped as in JSON or in a form."""
    return "".join(
        rf"(?:{re.escape(character)}|\\u{_digits(ord(character), 4)}|%{_digits(ord(character), 2)})"
        for character in name
    )


def _digits(number: int, width: int) -> str:
    """A pattern of a number's hex digits, in upper or lower case."""
    text = f"{number:0{width}x}"
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in text)


def _looks_like_json(text: str) -> bool:
    return text.lstrip()[:1] in {"{", "["}


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


def _member_value(member: re.Match[str]) -> str:
    """The value of a member of JSON that may be escaped as in a form."""
    written = member[2]
    is_escaped = member[1].startswith("%")
    return _unescaped(decoded_field(written) if is_escaped else written)


def decoded_field(written: str) -> str:
    """The value of a form's field; one with a bad escape is left as it is, which keeps long ones quick."""
    return unquote_plus(written) if written.count("%") == len(_ESCAPE.findall(written)) else written


def _unescaped(written: str) -> str:
    """A text as JSON writes it between its quotes, read; one that JSON would not write is left as it is."""
    if "\\" not in written:
        return written
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written


def _written(secret: str) -> list[str]:
    """How a text that quotes a secret may write it."""
    in_json = (json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1])
    raw = secret.encode("utf-8", "surrogatepass")
    return list(dict.fromkeys((secret, *in_json, quote(raw), quote(raw, safe=""), quote_plus(raw))))
