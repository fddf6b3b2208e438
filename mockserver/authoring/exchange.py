"""Exchanges that prove a contract: read from fixture files, and their replies judged."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockserver.authoring.exchange_probes import ACCOUNTS_FILE, Accounts, CaseMistake, mistakes_in_case
from mockserver.engine.account import BUILTIN_ACCOUNTS
from mockserver.engine.fixture_case import CASE_MEMBERS, CASE_MEMBERS_ALLOWED, REQUEST_MEMBERS, Replay
from mockserver.spec.errors import ContractError
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING
from mockserver.spec.source import Source, read_text, read_yaml, why_unread

NO_EXCHANGES = frozenset({ACCOUNTS_FILE, "page.yaml", "texts.yaml"})
RESPONSE_MEMBERS = frozenset({"status", "headers", "json", "text"})


@dataclass(frozen=True)
class ReplayReply:
    """A server's answer; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, eq=False)
class WrittenExchange:
    """One exchange as it is written, and the vendor whose folder it is in."""

    file: Path
    vendor: str
    case: Mapping[str, Any]

    @property
    def name(self) -> str:
        """``vendor/operation/case``."""
        return "/".join(self.file.with_suffix("").parts[-3:])


def exchange_files(folder: Path, vendor: str) -> list[Path]:
    """The files of a vendor's exchanges."""
    return sorted(file for file in (folder / vendor).glob("*/*.yaml") if file.name not in NO_EXCHANGES)


def read_exchange(
    file: Path, contract: Contract, accounts: Accounts | None = None
) -> tuple[WrittenExchange | None, list[ContractError]]:
    """An exchange, and what is wrong with its file; None where it cannot be used.

    Values that it names of ``accounts`` are looked up where these are given.
    """
    try:
        source = read_yaml(str(file), read_text(file))
    except (OSError, UnicodeDecodeError) as error:
        return None, [ContractError(str(file), 1, 1, "", f"cannot be read: {why_unread(error)}")]
    errors = list(source.errors) or list(_mistakes(source, contract, accounts))
    return (None if errors else WrittenExchange(file, contract.vendor, source.value)), errors


def _mistakes(source: Source, contract: Contract, accounts: Accounts | None) -> Iterator[ContractError]:
    case = source.value
    if not isinstance(case, dict):
        yield source.error_at(case, None, "an exchange is {about, account, request, answer, response}")
        return
    for name in sorted(CASE_MEMBERS - case.keys()):
        yield source.error_at(case, None, f"{name!r} is missing")
    yield from _strangers(source, case, CASE_MEMBERS_ALLOWED)
    for name, known in (("request", REQUEST_MEMBERS), ("response", RESPONSE_MEMBERS)):
        node = case.get(name, {})
        if isinstance(node, dict):
            yield from _strangers(source, node, known)
        else:
            yield source.error_at(case, name, "must be a mapping")
    request = case.get("request")
    if isinstance(request, dict) and not {"method", "path"} <= request.keys():
        yield source.error_at(case, "request", "a request has 'method' and 'path'")
    if case.get("account", "default") not in {*BUILTIN_ACCOUNTS, None}:
        yield source.error_at(case, "account", f"is not known here; known: {', '.join(BUILTIN_ACCOUNTS)}")
    known_answers = [answer.id for operation in contract.operations for answer in operation.answers.values()]
    if "answer" in case and case["answer"] not in known_answers:
        operation = str(case["answer"]).partition("/")[0]
        of_it = [known for known in known_answers if known.startswith(f"{operation}/")]
        listed = ", ".join(dict.fromkeys(of_it or known_answers))
        yield source.error_at(case, "answer", f"the contract has no answer {case['answer']!r}; it has: {listed}")
    yield from _as_errors(source, mistakes_in_case(case, contract, accounts))


def _as_errors(source: Source, found: Iterable[CaseMistake]) -> Iterator[ContractError]:
    yield from (source.error_at(container, key, message) for container, key, message in found)


def _strangers(source: Source, node: dict[str, Any], known: frozenset[str]) -> Iterator[ContractError]:
    for name in node:
        if name not in known:
            yield source.error_at(node, name, f"{name!r} is not known here; known: {', '.join(sorted(known))}")


def complaints(case: Mapping[str, Any], replay: Replay, reply: ReplayReply) -> list[str]:
    """Where a reply is not the one that an exchange shows. Raises FixtureError."""
    expected = replay.value(case["response"])
    found: dict[str, Any] = {"status": reply.status}
    if "json" in expected:
        try:
            found["json"] = json.loads(reply.body)
        except ValueError:
            found["json"] = reply.body.decode("utf-8", "replace")
    elif "text" in expected or reply.body:
        expected = {"text": "", **expected}
        found["text"] = reply.body.decode("utf-8", "replace")
    if "headers" in expected:
        found["headers"] = {name: reply.headers.get(name.lower()) for name in expected["headers"]}
    expected["answer"], found["answer"] = case["answer"], reply.headers.get("x-mock-answer")
    lines = list(reply_differences(expected, found))
    if lines and (problem := reply.headers.get("x-mock-problem")):
        lines.append(f"it was refused for: {problem} ({reply.headers.get('x-mock-rule', 'no rule')})")
    return lines


def reply_differences(expected: Any, found: Any, at: str = "") -> Iterator[str]:
    """Where ``found`` is not what is expected; ``{any: schema}`` is any value that fits the schema."""
    if isinstance(expected, dict) and expected.keys() == {"any"}:
        from jsonschema import Draft202012Validator  # noqa: PLC0415 -- takes 45 ms

        for error in Draft202012Validator(expected["any"]).iter_errors(found):
            yield f"{at}: {error.message}"
    elif isinstance(expected, dict) and isinstance(found, dict):
        for name in sorted(expected.keys() | found.keys()):
            yield from reply_differences(expected.get(name, MISSING), found.get(name, MISSING), f"{at}/{name}")
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for index, (one, other) in enumerate(zip(expected, found, strict=True)):
            yield from reply_differences(one, other, f"{at}/{index}")
    elif type(expected) is not type(found) or expected != found:
        yield f"{at}: expected {_shown(expected)}, found {_shown(found)}"


def _shown(value: Any) -> str:
    return "nothing" if value is MISSING else json.dumps(value, ensure_ascii=False)[:200]
