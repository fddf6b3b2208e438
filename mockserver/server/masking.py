"""What must not be shown of a call: secrets by the place where they stand, and by their shape.

By place: whatever a security scheme of any contract, ``Authorization``, ``Proxy-Authorization`` or a cookie carries,
whoever it belongs to. By shape: JWTs and PEM blocks, wherever they stand. Nothing else is hidden. Each step takes time
in proportion to the text. Two equal secrets have equal masks.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from urllib.parse import quote, quote_plus, unquote_plus

from mockserver.engine.call import RecordedCall, unpack_headers
from mockserver.engine.coding import content_of
from mockserver.spec.model import Contract

ALWAYS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
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
_BOUNDARY_PARAMETER = re.compile(r'boundary="?([^";]{1,200})')


class Masker:
    """Knows from the contracts where credentials stand."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        schemes = [scheme for contract in contracts for scheme in contract.schemes]
        self._headers = ALWAYS | {scheme.key.lower() for scheme in schemes if scheme.where == "header"}
        self._fields = frozenset(scheme.key for scheme in schemes if scheme.where != "header")
        names = "|".join(map(_spelled, sorted(self._fields))) or r"(?!)"
        self._pair = re.compile(rf"(?:^|(?<=&))({names})=([^&]+)")
        self._member = re.compile(rf'("(?:{names})"\s*+:\s*+")((?:[^"\\]++|\\.)*)', re.DOTALL)
        self._part = re.compile(rf'name="?(?:{names})(?:["\s;]|$)')
        self._key = secrets.token_bytes(16)

    def hides_header(self, name: str) -> bool:
        """Whether the whole value of this header is a secret."""
        return name.lower() in self._headers

    def hides_field(self, name: str) -> bool:
        """Whether this form field, query parameter or member of a body is a secret."""
        return name in self._fields

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

    def body(self, text: str, reads: str, content_type: str, *, is_cut: bool = False) -> str:
        """A raw body: its secret fields and members masked, whichever of them it has, and the rest as any text.

        What looks like JSON is searched for members alone: an address in it may have a query of its own.
        """
        boundary = _boundary(content_type)
        if boundary:
            text = self._without_parts(text, boundary)
        elif self._fields:
            text = self._member.sub(lambda member: member[1] + self.mask(_unescaped(member[2])), text)
            if reads == "form" or not _looks_like_json(text):
                return self.fields(text, is_cut=is_cut)
        return self.text(text, is_cut=is_cut)

    def _without_parts(self, text: str, boundary: str) -> str:
        """A multipart form with the content of its secret parts masked."""
        parts = text.split(boundary)
        for number, start, secret in self._secret_parts(parts):
            parts[number] = start + self.mask(secret) + parts[number][len(start) + len(secret) :]
        return boundary.join(parts)

    def _secret_parts(self, parts: Sequence[str]) -> Iterator[tuple[int, str, str]]:
        """Of the parts of a multipart form those that are secret: number, what stands before the content, content."""
        for number, part in enumerate(parts):
            head, gap, content = part.partition("\r\n\r\n")
            if gap and self._part.search(head):
                yield number, head + gap, content.removesuffix("\r\n")

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
        body = content_of(call)[:MAX_SEARCHED].decode("utf-8", "replace")
        for text in (call.query.decode("latin-1"), body):
            yield from (decoded_field(pair[2]) for pair in self._pair.finditer(text))
        yield from (_unescaped(member[2]) for member in self._member.finditer(body))
        boundary = _boundary(content_type)
        yield from (secret for _, _, secret in self._secret_parts(body.split(boundary) if boundary else ()))

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


def _boundary(content_type: str) -> str:
    """What stands between the parts of a multipart form; "" where the body is none."""
    found = _BOUNDARY_PARAMETER.search(content_type) if "multipart" in content_type.lower() else None
    return f"--{found[1].strip()}" if found else ""


def decoded_field(written: str) -> str:
    """The value of a form's field; one with a bad escape is left as it is, which keeps long ones quick."""
    return unquote_plus(written) if written.count("%") == len(_ESCAPE.findall(written)) else written


def _unescaped(written: str) -> str:
    """A text as JSON writes it between its quotes, read; one that JSON would not write is left as it is."""
    try:
        return str(json.loads(f'"{written}"', strict=False))
    except ValueError:
        return written


def _written(secret: str) -> list[str]:
    """How a text that quotes a secret may write it."""
    in_json = (json.dumps(secret, ensure_ascii=False)[1:-1], json.dumps(secret)[1:-1])
    raw = secret.encode("utf-8", "surrogatepass")
    return list(dict.fromkeys((secret, *in_json, quote(raw), quote(raw, safe=""), quote_plus(raw))))
