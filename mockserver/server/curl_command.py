"""A recorded call as a curl command that makes it again. No secret stands in it."""

import base64
import re
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus, unquote_plus

from mockserver.engine.account import AccountData, sample
from mockserver.engine.call import RecordedCall, unpack_headers, unpack_problems
from mockserver.engine.credentials import read_credential
from mockserver.server.masking import Masker
from mockserver.server.packed_bodies import unpacked
from mockserver.server.routing import CONTROL
from mockserver.server.serialize import content_type_of
from mockserver.server.settings import is_loopback
from mockserver.spec.account_values import values_at
from mockserver.spec.addresses import PATH_CHARACTERS, host_of_header
from mockserver.spec.model import Contract
from mockserver.spec.security_model import Scheme

SENT_ANYWAY = frozenset({"content-length", "connection", "transfer-encoding", "expect", "host"})
SENT_BY_CURL = ("user-agent", "accept")  # unless it is told otherwise
MAX_ARGUMENT_BYTES = 100_000  # of a body in a command; Linux takes 131,071 of one argument
NO_TEXT = re.compile("[\0\udc80-\udcff]")  # what no command can have: NUL, and what stands for a byte that is no UTF-8
SPOILT = " | sed 's/....$/AAAA/'"  # what makes the signature of a good token wrong
ADMIN = '-H "Authorization: Bearer $MOCKSERVER_ADMIN_TOKEN" '


def sample_command(contract: Contract, owner: AccountData, now: float, address: str) -> str:
    """A curl command that sends an SMS through a vendor, or calls its first operation; tokens are freshly signed."""
    operations = contract.operations
    own = [one for one in operations if one.name == one.spelling]
    sending = [one for one in own if one.name == "send_sms"] + [one for one in own if one.message is not None]
    operation = next(iter([*sending, *operations]))
    call = sample(operation, owner.vendors[contract.vendor], now)
    words = ["curl", "-sS", "-i", "-X", call.method, address + contract.base_path + call.path]
    for name, value in call.headers.items():
        words += ["-H", f"{name}: {value}"]
    if call.body:
        words += ["--data-raw", call.body]
    return shlex.join(words)


class CurlWriter:
    """Writes commands for one server, whose ``address`` has no slash at its end.

    A good credential of the call's account is asked of the server where the command runs, and spoilt where the call's
    had a wrong signature; any other is masked.
    ``with_token``: the control API asks for its own.
    """

    def __init__(self, contracts: Iterable[Contract], masker: Masker, address: str, *, with_token: bool) -> None:
        self._contracts = {contract.vendor: contract for contract in contracts}
        self._masker = masker
        self._address = address
        self._admin = ADMIN if with_token else ""

    def command(self, call: RecordedCall, owner: AccountData | None) -> str:
        """A comment that names the call, and the command. That of a callback that was withheld is a comment, too."""
        command = self._command(call, owner)
        if call.outcome == "withheld":  # its address may be anybody's: no script of ours may reach it
            command = "# " + command.replace("\n", "\n# ")
        return f"# {_comment(call)}\n{command}"

    def _command(self, call: RecordedCall, owner: AccountData | None) -> str:
        pipe, given, is_plain = self._body(call, owner)
        address = self._masker.text(call.url or self._address + quote(call.path, safe=PATH_CHARACTERS))
        query = "" if call.url else self._fields(call.query.decode("latin-1"), call, owner)  # an address has its own
        asked = shlex.quote(address) + (f'"?{query}"' if query else "")
        is_head = call.method == "HEAD" and not call.body  # by -X HEAD curl waits for a body
        words = ["curl", "-sS", "-i", *(["--head"] if is_head else ["-X", shlex.quote(call.method)])]
        words += [*_as_it_is(address, query), asked]
        for name, value in self._sent_headers(unpack_headers(call.headers)):
            if value is None:
                words += ["-H", f'"{_doubled(name)}: "']  # curl sends none
            elif not value:
                words += ["-H", f'"{_doubled(name)};"']
            elif not (is_plain and name.lower() == "content-encoding"):
                words += ["-H", f'"{_doubled(name)}: {self._header(name, value, call, owner)}"']
        return pipe + " ".join([*words, *given])

    def _sent_headers(self, headers: list[list[str]]) -> Iterator[tuple[str, str | None]]:
        """The headers that curl is told: those of the call, and as None those that it would add."""
        names = {name.lower() for name, _ in headers}
        for name, value in headers:
            if name.lower() == "host" and not is_loopback(host_of_header(value)):
                yield name, value  # a vendor's own: it decides whose path it is
            elif name.lower() not in SENT_ANYWAY:
                yield name, value
        for name in (*SENT_BY_CURL, "content-type"):
            if name not in names:
                yield name, None

    def _header(self, name: str, value: str, call: RecordedCall, owner: AccountData | None) -> str:
        """A header's value between double quotes of a shell."""
        if not self._masker.hides_header(name):
            return _doubled(self._masker.text(value))
        fresh = self._fresh("header", name.lower(), value, call, owner)
        return fresh or _doubled(self._masker.header(value))

    def _fields(self, text: str, call: RecordedCall, owner: AccountData | None) -> str:
        """A query or a form between double quotes of a shell."""
        return "&".join(self._pair(pair, call, owner) for pair in text.split("&"))

    def _pair(self, pair: str, call: RecordedCall, owner: AccountData | None) -> str:
        name, _, value = pair.partition("=")
        if not self._masker.hides_field(unquote_plus(name)):
            return _doubled(self._masker.text(pair))
        secret = unquote_plus(value)
        fresh = self._fresh("query", unquote_plus(name), secret, call, owner)
        return f"{_doubled(name)}={fresh or quote_plus(self._masker.mask(secret))}"

    def _body(self, call: RecordedCall, owner: AccountData | None) -> tuple[str, list[str], bool]:
        """What stands before the command, the options that give it its body, and whether its coding is undone.

        That is so where a compressed body has a secret in it.
        """
        if not call.body:
            return "", [], False
        content, is_coded, is_whole = unpacked(call)
        if not is_whole:
            return "", [], False  # as the comment says
        text = content.decode("utf-8", "surrogateescape")
        masked = self._masker.body(text, call.reads, content_type_of(call.headers))
        is_masked = masked != text
        if NO_TEXT.search(text) or (is_coded and not is_masked):
            raw = masked.encode("utf-8", "surrogateescape") if is_masked else call.body
            encoded = base64.b64encode(raw).decode("ascii")
            return f"printf %s {encoded} | base64 -d | ", ["--data-binary", "@-"], is_coded and is_masked
        if call.reads == "form":
            form = self._masker.beside_fields(text, content_type_of(call.headers))
            quoted = f'"{self._fields(form, call, owner)}"'
        else:
            quoted = shlex.quote(masked)
        if len(quoted.encode()) > MAX_ARGUMENT_BYTES:
            return f"printf %s {quoted} | ", ["--data-binary", "@-"], is_coded
        return "", ["--data-raw", quoted], is_coded  # --data-binary would take a file's name behind an @

    def _fresh(self, where: str, key: str, value: str, call: RecordedCall, owner: AccountData | None) -> str:
        """What a shell replaces by a good credential of the same record; "" where the call's was none."""
        contract, reasons = self._contracts.get(call.vendor), _credential_reasons(call)
        if contract is None or owner is None or not reasons <= {"signature"}:
            return ""
        for scheme in contract.schemes:
            if (scheme.where, scheme.key.lower() if where == "header" else scheme.key) == (where, key):
                name = _token_name(scheme, value, owner)
                if name:
                    path = f"{CONTROL}/accounts/{quote(owner.id, safe='')}/tokens/{contract.vendor}/{name}"
                    word = "Bearer " if scheme.bearer else ""
                    spoilt = SPOILT if reasons else ""
                    return f"{word}$(curl -sS {self._admin}{shlex.quote(self._address + path)}{spoilt})"
        return ""


def _credential_reasons(call: RecordedCall) -> set[str]:
    """What was wrong with a call's credentials."""
    return {problem["reason"] for problem in unpack_problems(call.problems) if problem["kind"] == "unauthenticated"}


def _token_name(scheme: Scheme, value: str, owner: AccountData) -> str:
    """The name of the account's token that names the same record as a sent credential; "" where none does."""
    claim = read_credential(scheme, value).claim
    records = values_at(owner.vendors[scheme.vendor], scheme.accept.claim)
    for number, (known, _) in enumerate(records, start=1):
        if claim is not None and str(known) == claim[1]:
            return scheme.name if number == 1 else f"{scheme.name}_{number}"
    return ""


def _as_it_is(address: str, query: str) -> Iterator[str]:
    """Options by which curl asks for an address as it is written."""
    if set("[]{}") & {*address, *query}:
        yield "-g"  # else they are patterns of several addresses
    if "/." in address:
        yield "--path-as-is"


def _doubled(text: str) -> str:
    """A text as it stands between double quotes of a shell; one that a person types into would expand a "!"."""
    return re.sub(r'([\\"$`])', r"\\\1", text).replace("!", "\"'!'\"")


def _comment(call: RecordedCall) -> str:
    became = call.answer or call.operation or "no operation has this path"
    return f"{call.id} {became} {call.status}{_why_no_body(call)}"


def _why_no_body(call: RecordedCall) -> str:
    """What a command says that cannot have the body of its call."""
    if not call.body and any(problem["kind"] == "too_large" for problem in unpack_problems(call.problems)):
        return ", its body was too large to be kept"
    return "" if unpacked(call).is_whole else ", its body cannot be unpacked, so nobody knows whether it has a secret"
