"""``mockserver answers``: every answer of the vendors, how far each part of it is known, and what provokes it."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any

import click

from mockserver.cli.common import contract_options, ending_with_findings, find_contract
from mockserver.engine.recipient import MAGIC
from mockserver.server.build import contracts_of
from mockserver.server.settings import Settings
from mockserver.spec.answer_model import Answer
from mockserver.spec.evidence import ANSWER_PARTS, GRADES
from mockserver.spec.model import Contract, OperationSpec

WIDTH = 100  # columns
INDENT = 42  # columns before what provokes an answer
ONLY_BY_PIN = "only by a pin or by Prefer"


@click.command()
@click.argument("vendor", required=False)
@click.option("--vendor", "vendors", multiple=True, metavar="VENDOR", help="This vendor. Repeatable.")
@click.option("--why", is_flag=True, help="Say of each part where it was seen, or why it is assumed.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@contract_options
@ending_with_findings
def answers(
    vendor: str | None,
    vendors: tuple[str, ...],
    why: bool,
    form: str,
    settings: Settings,
) -> None:
    """List the answers of VENDOR, or of all vendors.

    Each has a letter for its status, headers, shape, text and trigger: R recorded, P the operation's page, V another
    publication of the vendor, S seen at a sibling endpoint, A assumed, - nothing of the kind.
    """
    contracts = contracts_of(settings)
    named = [name for name in (vendor, *vendors) if name is not None]
    chosen = [find_contract(contracts, name) for name in dict.fromkeys(named)] or list(contracts)
    if form == "json":
        shown = {"contracts": [_shape(contract) for contract in chosen], "totals": totals(answers_of(chosen))}
        click.echo(json.dumps(shown, indent=1))
        return
    for contract in chosen:
        click.echo("\n".join(_lines(contract, why=why)) + "\n")
    click.echo("\n".join(_summary(chosen)))


def answers_of(contracts: Iterable[Contract]) -> list[Answer]:
    """Each answer once, however many spellings its operation has."""
    return list({a.id: a for c in contracts for o in c.operations for a in o.answers.values()}.values())


def provocations(operation: OperationSpec, answer: Answer) -> list[str]:
    """What gets a request this answer: an accepted request, rules, a magic recipient; empty if only a test can."""
    found = ["any request that nothing is wrong with"] if operation.success is answer else []
    found += [rule.says for rule in operation.rules if rule.answer is answer]
    several = operation.recipient is not None and operation.recipient.is_several  # each may refuse its own entry only
    if not several and answer.magic is not None and operation.magic.get(answer.magic) is answer:
        found.append(f"to +{MAGIC}{answer.magic}")
    return found


def totals(counted: Iterable[Answer]) -> dict[str, dict[str, int]]:
    """How many answers have each grade: as a whole, and by part."""
    listed = list(counted)
    whole = Counter(answer.evidence.grade for answer in listed)
    shown = {"answers": {grade: whole[grade] for grade in GRADES}}
    for name in ANSWER_PARTS:
        graded = Counter(answer.evidence.grades[name] for answer in listed)
        shown[name] = {grade: graded[grade] for grade in GRADES}
    return shown


def _lines(contract: Contract, *, why: bool) -> Iterator[str]:
    yield f"{contract.vendor}: {contract.title} ({contract.version})"
    for operation in contract.operations:
        known = operation.evidence
        grade = "" if known.grade == "page" and not known.why else f" [{known.grade}: {known.why}]"
        yield from _wrapped(f"  {operation.method} {operation.path}  {operation.id}{grade}", 6)
        if operation.spelling == operation.name:
            for answer in operation.answers.values():
                yield from _answer_lines(operation, answer, why=why)
    for where, names in known_methods(contract).items():
        yield from _wrapped(f"  documented, not mocked: {where}: {', '.join(names)}", 6)


def known_methods(contract: Contract) -> dict[str, list[str]]:
    """The methods that the vendor documents and nobody answers here, by where they are documented."""
    found: dict[str, list[str]] = {}
    for path, methods in contract.known.items():
        for method, where in methods.items():
            found.setdefault(where, []).append(f"{method} {path}")
    named: dict[str, str] = {}
    for operation in contract.operations:
        if operation.dispatch is not None:
            named |= operation.dispatch.known
    for name, where in named.items():
        found.setdefault(where, []).append(name)
    return found


def _answer_lines(operation: OperationSpec, answer: Answer, *, why: bool) -> Iterator[str]:
    head = f"    {answer.status} {answer.evidence.letters} {answer.name}"
    for number, line in enumerate(provocations(operation, answer) or [ONLY_BY_PIN]):
        lead = head.ljust(INDENT) if number == 0 else " " * (INDENT - 3) + "or "
        yield from _wrapped(f"{lead if len(lead) <= INDENT else lead + ' '}{line}", INDENT + 2)
    if why:
        reasons: dict[str, list[str]] = {}
        for name, part in answer.evidence.parts.items():
            if part is not None:
                reasons.setdefault(f"{part.grade}: {part.why}", []).append(name)
        for reason, names in reasons.items():
            yield from _wrapped(f"{' ' * 14}{', '.join(names)} {reason}", 16)


def _wrapped(line: str, indent: int) -> list[str]:
    lead = line[: len(line) - len(line.lstrip())]
    return wrap(line, WIDTH, initial_indent="", subsequent_indent=" " * max(indent, len(lead)), drop_whitespace=True)


def _summary(contracts: list[Contract]) -> Iterator[str]:
    """The totals as a table."""
    listed = answers_of(contracts)
    yield f"{len(listed)} answers. A grade of an answer is the worst of its parts without the text."
    yield f"  {'':8}" + "".join(f"{grade:>10}" for grade in GRADES)
    for name, counts in totals(listed).items():
        yield f"  {name:8}" + "".join(f"{count:>10}" for count in counts.values())


def _shape(contract: Contract) -> dict[str, Any]:
    return {
        "vendor": contract.vendor,
        "title": contract.title,
        "version": contract.version,
        "pages": [{"url": page.url, "read": page.read} for page in contract.pages],
        "known": known_methods(contract),
        "operations": [
            {
                "id": operation.id,
                "spelling": operation.spelling,
                "method": operation.method,
                "path": operation.path,
                "evidence": operation.evidence.grade,
                "evidence_reason": operation.evidence.why or None,
                "answers": []
                if operation.spelling != operation.name
                else [
                    {
                        "id": answer.id,
                        "status": answer.status,
                        "letters": answer.evidence.letters,
                        "evidence": answer.evidence.grade,
                        "evidence_parts": answer.evidence.grades,
                        "evidence_reasons": answer.evidence.reasons,
                        "provoked_by": provocations(operation, answer),
                    }
                    for answer in operation.answers.values()
                ],
            }
            for operation in contract.operations
        ],
    }
