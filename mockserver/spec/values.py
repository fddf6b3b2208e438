"""Values that a contract makes: of the request, of the account, of what is kept, or new."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from inspect import Parameter, signature
from typing import Any

from mockserver.spec.functions import DIGESTS, FUNCTIONS
from mockserver.spec.pointer import Pointer, is_pointer
from mockserver.spec.reader import Reader
from mockserver.spec.value_forms import NEW_TAKES, VALUE_FORMS, form_of, idle_words, is_form, nearly_forms
from mockserver.spec.value_model import (
    Apply,
    Composed,
    Condition,
    Constant,
    CountOf,
    Each,
    Echo,
    Join,
    New,
    Paging,
    Shaped,
    SignedToken,
    Validator,
    Value,
)

PROBLEMS = "/problems"  # the list of all that is wrong with the request
SCHEMES = "securitySchemes"
DEFAULT_LENGTH = 32  # characters of a ``hex`` or a ``token``
POINTER_ROOTS = ("path", "query", "header", "body", "account", "owned")
VALUE_ROOTS = ("made", "item", "kept", "recipients", "inbound", "problems")  # of values only, not of rules
_LIKE_POINTERS = tuple(f"{root}/" for root in (*POINTER_ROOTS, *VALUE_ROOTS))


def read_value(reader: Reader, node: Any) -> Value:
    """The value that a node of the document describes; a node that has none of the forms is a literal."""
    if isinstance(node, dict) and is_form(node):
        form = form_of(node)
        for name in node.keys() - {form, *VALUE_FORMS[form]}:
            known = ", ".join(sorted({form, *VALUE_FORMS[form]}))
            reader.error(node, f"unknown key {name!r}; known here: {known}", name)
        for name, told in idle_words(node, NEW_TAKES) if form == "new" else ():
            reader.error(node, told, name)
        value = _form(reader, node)
        if node.get("as") == "base64" and not (isinstance(value, Apply) and value.function in DIGESTS):
            reader.error(node, f"only a digest is written as base64: {{call: {_of(DIGESTS)}}}", "as")
        if "as" not in node and "when" not in node:
            return value
        when = tuple((Pointer.parse(at), read_condition(reader, node["when"], at)) for at in node.get("when", {}))
        return Shaped(value, node.get("as"), when)
    if isinstance(node, dict):
        for name, told in nearly_forms(node, reader.mapping(reader.mapping(reader.document, "components"), SCHEMES)):
            reader.error(node, told, name)
        return read_members(reader, node)
    if isinstance(node, list):
        return _literal(tuple(read_value(reader, member) for member in node))
    return Constant(node)


def read_members(reader: Reader, node: dict[str, Any]) -> Value:
    """A mapping of values, whatever its members are called."""
    return _literal({name: read_value(reader, member) for name, member in node.items()})


def _literal(members: dict[str, Value] | tuple[Value, ...]) -> Value:
    """A mapping or a list; a constant where all its members are."""
    values = list(members.values()) if isinstance(members, dict) else list(members)
    if not all(isinstance(value, Constant) for value in values):
        return Composed(members)
    if isinstance(members, dict):
        return Constant({name: value.value for name, value in members.items() if isinstance(value, Constant)})
    return Constant([value.value for value in values if isinstance(value, Constant)])


def _form(reader: Reader, node: dict[str, Any]) -> Value:  # noqa: PLR0911 -- one branch a form
    if "echo" in node:
        otherwise = read_value(reader, node["else"]) if "else" in node else None
        return Echo(Pointer.parse(node["echo"]), otherwise)
    if "new" in node:
        form, length = node.get("format", "iso_ms"), node.get("length", DEFAULT_LENGTH)
        return New(node["new"], node.get("plus", 0), form, length, node.get("prefix", ""))
    if "call" in node:
        return _call(reader, node)
    if "join" in node:
        return Join(tuple(read_value(reader, part) for part in node["join"]))
    if "token" in node:
        return SignedToken(node["token"])
    if "count" in node:
        return CountOf(Pointer(Pointer.parse(node["count"]).tokens[1:]), node.get("of", "all"))
    if "problems" in node:
        return _each(reader, {"each": PROBLEMS, "item": node["problems"], "where": node.get("where", {})})
    return _each(reader, node)


def _not_known(*_: Any) -> Any:
    """Stands for a function after an error: its own value would be a second one."""


def _of(functions: frozenset[Any]) -> str:
    return " | ".join(name for name, function in FUNCTIONS.items() if function in functions)


def _call(reader: Reader, node: dict[str, Any]) -> Value:
    name, arguments = node["call"], tuple(_operand(reader, argument) for argument in node["of"])
    for number, argument in enumerate(node["of"]):
        if isinstance(argument, str) and argument.startswith(_LIKE_POINTERS):
            reader.error(node["of"], f"{argument!r} is a text: the pointer is /{argument}", number)
    if name not in FUNCTIONS:
        reader.error(node, f"fill calls {name!r}; there are only: {', '.join(sorted(FUNCTIONS))}", "call")
        return Apply(_not_known, arguments)
    least, most = arity(FUNCTIONS[name])
    if len(arguments) < least or (most is not None and len(arguments) > most):
        reader.error(node, f"{name} takes {takes(FUNCTIONS[name])}, not {len(arguments)}", "of")
        return Apply(_not_known, arguments)
    return Apply(FUNCTIONS[name], arguments)


def arity(function: Callable[..., Any]) -> tuple[int, int | None]:
    """How many values a function takes at least, and at most; None where there is no end."""
    parameters = signature(function).parameters.values()
    is_open = any(one.kind is Parameter.VAR_POSITIONAL for one in parameters)
    least = sum(one.default is Parameter.empty for one in parameters)  # an open one asks for a value, too
    return least, None if is_open else len(parameters)


def takes(function: Callable[..., Any]) -> str:
    """How many values a function takes, in words: ``2``, ``1 to 3`` or ``2 or more``."""
    least, most = arity(function)
    return f"{least} or more" if most is None else str(least) if least == most else f"{least} to {most}"


def read_list(reader: Reader, of: str, where: dict[str, Any]) -> Each:
    """All records of a list that are like this."""
    conditions = tuple(
        Condition(_member(member), relation, _operand(reader, operand))
        for member, asked in where.items()
        for relation, operand in asked.items()
    )
    return Each(of=Pointer.parse(of), where=conditions, any_of=None, order=(), page=None, item=None)


def _each(reader: Reader, node: dict[str, Any]) -> Each:
    page = node.get("page")
    return replace(
        read_list(reader, node["each"], node.get("where", {})),
        any_of=Pointer.parse(node["any"]) if "any" in node else None,
        order=tuple((_member(member.removeprefix("-")), member.startswith("-")) for member in node.get("order", ())),
        page=None
        if page is None
        else Paging(
            skip=tuple(map(Pointer.parse, page.get("skip", ()))),
            number=tuple(map(Pointer.parse, page.get("number", ()))),
            take=tuple(map(Pointer.parse, page.get("take", ()))),
            default=page["default"],
            most=page["most"],
        ),
        item=read_members(reader, node["item"]) if "item" in node else None,
        refused=read_members(reader, node["refused"]) if "refused" in node else None,
    )


def _member(name: str) -> Pointer:
    """A member of an entry, by name or, further in, by a pointer."""
    return Pointer.parse(name) if name.startswith("/") else Pointer((name,))


def _operand(reader: Reader, operand: Any) -> Value:
    """What a member is held against: a pointer's value, another value, or a literal."""
    return Echo(Pointer.parse(operand), None) if is_pointer(operand) else read_value(reader, operand)


def read_condition(reader: Reader, when: dict[str, Any], at: str) -> Validator | None:
    """What a value must fit; None where it must not exist."""
    return None if when[at] is False else reader.schema(when, when[at], at)


def parts_of(value: Value) -> Iterator[Value]:
    """A value and every value in it."""
    yield value
    for part in _inner(value):
        yield from parts_of(part)


def _inner(value: Value) -> Iterator[Value]:
    if isinstance(value, Echo):
        if value.otherwise is not None:
            yield value.otherwise
    elif isinstance(value, Composed):
        yield from value.members.values() if not isinstance(value.members, tuple) else value.members
    elif isinstance(value, Join):
        yield from value.parts
    elif isinstance(value, Apply):
        yield from value.arguments
    elif isinstance(value, Shaped):
        yield value.value
    elif isinstance(value, Each):
        yield from (condition.value for condition in value.where)
        yield from (shown for shown in (value.item, value.refused) if shown is not None)


def pointers_of(value: Value) -> Iterator[Pointer]:
    """Every pointer that a value reads."""
    for part in parts_of(value):
        if isinstance(part, Echo):
            yield part.pointer
        elif isinstance(part, Shaped):
            yield from (at for at, _ in part.when)
        elif isinstance(part, Each):
            yield part.of
            yield from (*part.page.skip, *part.page.number, *part.page.take) if part.page is not None else ()
            yield from () if part.any_of is None else (part.any_of,)
