"""What a contract says of requests that no request can be: pointers, recipients, examples; all its words are known."""

from collections.abc import Hashable, Iterable, Iterator
from difflib import get_close_matches
from typing import Any

from mockserver.spec.answers import answer_blocks
from mockserver.spec.entry_probes import EntryProbe
from mockserver.spec.fill_probes import problem_verdicts
from mockserver.spec.forms import sent_text
from mockserver.spec.members import unfolded
from mockserver.spec.model import Contract, Media, OperationSpec, Parameter
from mockserver.spec.parameters import ITEMS
from mockserver.spec.path_probes import check_paths
from mockserver.spec.places import RequestPlaces
from mockserver.spec.pointer import MISSING, Pointer, is_pointer, join
from mockserver.spec.reader import Reader
from mockserver.spec.rule_probes import Mistake, RuleProbe, nowhere

MAGIC_NUMBERS = ("+15005550400", "15005550400", 15005550400)
LIKE_PHONE_NUMBERS = (
    "+14155550100",
    "14155550100",
    14155550100,
    "+447700900123",
    "447700900123",
    447700900123,
    "07700900123",
)
_READ_IN_REQUESTS = ("/path/", "/query/", "/header/", "/body/")
_NOT_READ = frozenset(
    {"example", "value", "enum", "const", "evidence", "count", "at", "callbacks", "description", "by"}
)


class _Verdicts:
    """What is found at each place of a document. Several operations may have it: it is wrong if it is so in all."""

    def __init__(self) -> None:
        self._spots: dict[tuple[int, Hashable], list[tuple[Any, str | None]]] = {}

    def add(self, container: Any, key: Hashable, message: str | None) -> None:
        """Note what is wrong at a place; None if nothing is."""
        self._spots.setdefault((id(container), key), []).append((container, message))

    def judge(self, container: Any, found: Iterable[Mistake], keys: tuple[str, ...]) -> None:
        """Note what is wrong with a node, and that nothing is with its other ``keys``."""
        wrong = set()
        for holder, key, message in found:
            self.add(holder, key, message)
            wrong |= {key} if holder is container else set()
        for key in keys:
            if key in container and key not in wrong:
                self.add(container, key, None)

    def tell(self, reader: Reader) -> None:
        """Add an error for each place that is wrong, unless there is one already."""
        told = [error.pointer for error in reader.errors if not error.unfinished]
        for (_, key), verdicts in self._spots.items():
            container, messages = verdicts[0][0], [message for _, message in verdicts]
            at = reader.source.place(container, key).pointer
            is_told = any(_is_within(at, other) or _is_within(other, at) for other in told)
            if all(message is not None for message in messages) and not is_told:
                reader.error(container, str(messages[0]), key)


def check_requests(reader: Reader, contract: Contract) -> list[str]:
    """Add an error for each mistake; returns notes on what is no mistake, but keeps a command from its work."""
    check_paths(reader, contract)
    places = _places(contract)
    verdicts = _Verdicts()
    notes: list[str] = []
    block = reader.x_mock(reader.document, "document")
    gates, shared = block.get("gates", []), block.get("rules", [])
    for operation in contract.operations:
        node = _node(reader, operation)
        verdicts.judge(node, _examples(reader, operation, node), ())
        if operation.spelling != operation.name:
            continue
        its_places = places[operation.name]
        own = reader.x_mock(node, "operation")
        blocks = list(_blocks(reader, node, set()))
        probe = RuleProbe(reader, contract, operation, its_places)
        _check_rules(verdicts, blocks, [*gates, *own.get("rules", []), *shared], probe)
        _check_reads(reader, verdicts, contract, blocks, its_places)
        entries = EntryProbe(contract, its_places)
        for verdict in (verdict for its_block in blocks for verdict in entries.verdicts(its_block)):
            verdicts.add(*verdict)
        told_of = {rule.answer.name for rule in operation.rules if rule.on_problem}
        for name, its_block in answer_blocks(reader, node):
            meets = name in told_of or not (name in operation.answers and operation.answers[name].accepted)
            for verdict in problem_verdicts(its_block, meets_problems=meets):
                verdicts.add(*verdict)
        verdicts.judge(own, _recipients(reader, operation, own, its_places), ())
        notes += _notes(operation, its_places)
    verdicts.tell(reader)
    return [*_unmarked(contract), *notes]


def _unmarked(contract: Contract) -> Iterator[str]:
    """That a contract which sends something says nowhere to whom."""
    sending = next(
        (o for o in contract.operations if o.method == "POST" and o.success and o.success.name == "sent"), None
    )
    if sending is not None and not any(operation.recipient for operation in contract.operations):
        yield f"{sending.name} marks no recipient: no magic number works, and no assertion can name one"


def _check_rules(
    verdicts: _Verdicts, blocks: list[dict[str, Any]], rules: list[dict[str, Any]], probe: RuleProbe
) -> None:
    """Rules of an operation, and all its conditions."""
    for rule in rules:
        verdicts.judge(rule, probe.rule(rule), ("at", "reason"))
    before = {id(rule): rules[:number] for number, rule in enumerate(rules)}
    holders = {id(holder): holder for holder in (*rules, *_conditions(blocks))}
    for key, holder in holders.items():
        when = holder["when"] if isinstance(holder.get("when"), dict) else {}
        for at in filter(is_pointer, when):  # another key is told of the block
            asked_before = before.get(key, [])
            found = probe.condition(when, at, on_problem="problem" in holder, before=asked_before)
            verdicts.judge(when, found, (at,))


def _check_reads(
    reader: Reader, verdicts: _Verdicts, contract: Contract, blocks: list[dict[str, Any]], places: RequestPlaces
) -> None:
    """Each value of a request that an operation reads must be one that a request can have."""
    is_broken = any("/parameters" in error.pointer for error in reader.errors)
    headers = {f"/header/{p.name}" for o in contract.operations for p in o.parameters if p.where == "header"}
    for container, key, text in _pointers(blocks):
        is_there = is_broken or places.schemas(Pointer.parse(text)) is not None
        is_there = is_there or (text.startswith("/header/") and _may_be_sent(container, text, headers))
        verdicts.add(container, key, None if is_there else nowhere(places, Pointer.parse(text)))


def _is_within(at: str, other: str) -> bool:
    return bool(other) and (at == other or at.startswith(f"{other}/"))


def _may_be_sent(container: Any, text: str, headers: set[str]) -> bool:
    """Whether a header that an operation does not declare may be meant: any request may have it.

    An echo of it says what is shown where a request has none.
    """
    is_typo = text not in headers and bool(get_close_matches(text, headers, n=1, cutoff=0.85))
    return not is_typo and not (isinstance(container, dict) and "echo" in container and "else" not in container)


def _node(reader: Reader, operation: OperationSpec) -> dict[str, Any]:
    path_item = reader.mapping(reader.mapping(reader.document, "paths"), operation.path)
    return reader.mapping(path_item, operation.method.lower())


def _places(contract: Contract) -> dict[str, RequestPlaces]:
    """By name of an operation, what requests to it can be."""
    spellings: dict[str, list[OperationSpec]] = {}
    for operation in contract.operations:
        spellings.setdefault(operation.name, []).append(operation)
        for target in operation.dispatch.to.values() if operation.dispatch is not None else ():
            spellings.setdefault(target.name, []).append(operation)
    return {name: RequestPlaces(contract.document, operations) for name, operations in spellings.items()}


def _blocks(reader: Reader, value: Any, seen: set[int]) -> Iterator[dict[str, Any]]:
    """Each block of ours in a part of a document, and in what that refers to."""
    if not isinstance(value, dict | list) or id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, list):
        for item in value:
            yield from _blocks(reader, item, seen)
        return
    if "$ref" in value and isinstance(value["$ref"], str) and value["$ref"].startswith("#/"):
        yield from _blocks(reader, Pointer.parse(value["$ref"][1:]).get(reader.document), seen)
    for key, item in value.items():
        if key == "x-mock" and isinstance(item, dict):
            yield item
        elif key not in _NOT_READ:
            yield from _blocks(reader, item, seen)


def _pointers(blocks: Iterable[dict[str, Any]]) -> Iterator[tuple[Any, Hashable, str]]:
    """Each place where a block of an operation names a value of the request, in order to read it."""
    for block in blocks:
        yield from _texts(block)


def _texts(value: Any) -> Iterator[tuple[Any, Hashable, str]]:
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, str) and item.startswith(_READ_IN_REQUESTS) and key not in _NOT_READ:
            yield value, key, item
        elif isinstance(item, dict | list) and key not in {"evidence", "when", "rules"}:
            yield from _texts(item)


def _conditions(blocks: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each mapping with a ``when`` in the blocks of an operation, its rules among them."""
    for block in blocks:
        waiting: list[Any] = [block]
        while waiting:
            value = waiting.pop()
            if isinstance(value, dict) and isinstance(value.get("when"), dict):
                yield value
            if isinstance(value, dict | list):
                waiting += value.values() if isinstance(value, dict) else value


def _recipients(
    reader: Reader, operation: OperationSpec, block: dict[str, Any], places: RequestPlaces
) -> Iterator[Mistake]:
    """A recipient that can be no number, or that is missing."""
    recipients = [o.recipient for o in places.operations if o.recipient is not None]
    if operation.message is not None and not recipients:
        told = "the operation sends a message, but no value of its request is its recipient"
        yield block, "message", f"{told}: mark one with x-mock: {{recipient: true}}"
    if operation.recipient is None:
        return
    at = Pointer(
        (*operation.recipient.at.tokens, *((ITEMS, *operation.recipient.inside) if operation.recipient.many else ()))
    )
    marked = _marked(reader, places.schemas(at) or [])
    kinds = places.kinds(at)
    if marked is None or kinds is None:
        return
    if not kinds & {"string", "integer", "number"}:
        cure = "mark its items" if "array" in kinds else "mark the value that holds the number"
        yield marked, "x-mock", f"a recipient is text or a number, and this is {' or '.join(sorted(kinds))}: {cure}"
    elif not any(
        _fits(operation, at, number) for number in (*MAGIC_NUMBERS, *LIKE_PHONE_NUMBERS, *_shown(operation, at))
    ):
        yield marked, "x-mock", "the recipient can be no phone number: its schema refuses every one"


def _shown(operation: OperationSpec, at: Pointer) -> list[Any]:
    """The recipients of the operation's examples."""
    parts: dict[str, Any] = {p.where: {p.name: p.example} for p in operation.parameters if p.example is not MISSING}
    bodies = [media.example for media in operation.body.media.values()] if operation.body is not None else []
    found = [at.get({**parts, "body": body}) for body in (*bodies, MISSING)]
    return [value for value in found if isinstance(value, str | int)]


def _marked(reader: Reader, schemas: list[Any]) -> dict[str, Any] | None:
    """The schema in which the recipient is marked."""
    for part, _ in unfolded(reader.document, [(schema, True) for schema in schemas]):
        if isinstance(part.get("x-mock"), dict) and "recipient" in part["x-mock"]:
            return part
    return None


def _fits(operation: OperationSpec, at: Pointer, value: Any) -> bool:
    """Whether a value may stand at a place, whatever else a request needs."""
    made = value
    for token in reversed(at.tokens):
        made = [made] if token == ITEMS else {token: made}
    path = [0 if token == ITEMS else token for token in at.tokens]
    for essence, validator in operation.validators.items():
        is_about = at.tokens[0] in operation.schemas[essence]["properties"]
        if is_about and all(list(error.instance_path)[: len(path)] != path for error in validator.iter_errors(made)):
            return True
    return False


def _notes(operation: OperationSpec, places: RequestPlaces) -> Iterator[str]:
    """What is no mistake, and still keeps something from working."""
    if operation.success is None:
        return
    recipient = operation.recipient
    if recipient is not None and operation.magic and not recipient.is_several:
        at = recipient.at
        if places.schemas(at) and not any(_fits(operation, at, number) for number in MAGIC_NUMBERS):
            yield f"{operation.name}: the schema of {at} refuses magic numbers such as {MAGIC_NUMBERS[0]}"
    without = [str(Pointer((p.where, p.name))) for p in operation.parameters if _is_needed(operation, p)]
    media = list(operation.body.media.values()) if operation.body is not None and operation.body.required else []
    is_read = any(each.reads != "nothing" for each in media)
    without += ["/body"] if is_read and all(each.example is MISSING for each in media) else []
    if without:
        yield f"{operation.name} has no example of {', '.join(without)}: `curl` and `contract test` send none"


def _is_needed(operation: OperationSpec, parameter: Parameter) -> bool:
    """Whether a request needs an example of a parameter: nothing else gives its value."""
    place = (parameter.where, parameter.name)
    given = {owned.at.tokens for owned in operation.owned} | {kept.at.tokens for kept in operation.kept}
    given |= {(scheme.where, scheme.key) for scheme in operation.schemes}
    return parameter.where != "path" and parameter.required and parameter.example is MISSING and place not in given


def _examples(reader: Reader, operation: OperationSpec, node: dict[str, Any]) -> Iterator[Mistake]:
    """Examples of parameters and bodies that their own schemas refuse."""
    path_item = reader.mapping(reader.mapping(reader.document, "paths"), operation.path)
    nodes = [*reader.items(node, "parameters"), *reader.items(path_item, "parameters")]
    for parameter in operation.parameters:
        if parameter.example is not MISSING and operation.schemas:
            sent = _as_sent(parameter.example, parameter.coerce, is_list=parameter.array is not None)
            refusal = _refusal(operation, "", {parameter.where: {parameter.name: sent}}, parameter.where)
            place = next((n for n in nodes if str(n.get("name")).lower() == parameter.name.lower()), None)
            if refusal is not None and place is not None:
                yield place, "example" if "example" in place else "examples", f"the example is refused: {refusal[1]}"
    content = reader.mapping(reader.mapping(node, "requestBody"), "content")
    for media_type in content:
        media = operation.body.media.get(media_type.partition(";")[0].strip().lower()) if operation.body else None
        if media is None or media.example is MISSING or media.reads == "nothing":
            continue
        refusal = _refusal(operation, media.essence, {"body": _body_as_sent(media)}, "")
        if refusal is not None:
            yield _holder(reader, reader.mapping(content, media_type), refusal)


def _holder(reader: Reader, media: dict[str, Any], refusal: tuple[list[Any], str]) -> Mistake:
    """Where in an example a refused value is written."""
    container: Any = media
    key: Any = "example"
    if "example" not in media:
        name, container = next(iter(reader.mapping(media, "examples").items()))
        container, key = reader.mapping(media["examples"], name), "value"
    for token in refusal[0][1:]:
        below = container[key]
        if not isinstance(below, dict | list) or (isinstance(below, dict) and token not in below):
            break
        container, key = below, token
    return container, key, f"the example of the request is refused by its own schema: {refusal[1]}"


def _refusal(operation: OperationSpec, essence: str, data: dict[str, Any], part: str) -> tuple[list[Any], str] | None:
    """Where and why a schema refuses some data; of ``part`` what is missing does not count."""
    validator = operation.validators.get(essence)
    for error in validator.iter_errors(data) if validator is not None else ():
        path = list(error.instance_path)
        if path != [part] or error.kind.name != "required":
            return path, f"{error.message} (at {join(*path)})"
    return None


def _body_as_sent(media: Media) -> Any:
    """The example of a body as the server reads it: the fields of a form are text, or what that is turned into."""
    if media.reads == "json" or not isinstance(media.example, dict):
        return media.example
    return {
        name: _as_sent(value, media.coerce.get(name), is_list=name in media.arrays)
        for name, value in media.example.items()
    }


def _as_sent(value: Any, kind: str | None, *, is_list: bool) -> Any:
    if is_list or kind is not None or not isinstance(value, int | float):
        return value
    return sent_text(value)
