"""A page for people about each built-in vendor: how it is called, each answer and how to get it, what is unmocked."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from mockserver.cli.answers import known_methods, provocations
from mockserver.engine.recipient import MAGIC
from mockserver.spec.answer_model import Answer
from mockserver.spec.load import contract_files, load_contracts
from mockserver.spec.model import Contract, OperationSpec
from tests.evidence import ROOT, case_files, load_case

VENDORS = tuple(sorted(file.stem for file in contract_files([ROOT / "contracts"])))
LEGEND = (
    "The letters grade status, headers beside Content-Type, shape of the body, text, and trigger: "
    "`R` recorded from the vendor, `P` on the operation's page, `V` in another publication of the vendor, "
    "`S` seen at a neighbouring endpoint, `A` assumed by us, `-` nothing of the kind. "
    "`mockserver answers VENDOR --why` says where or why."
)


@cache
def contracts() -> dict[str, Contract]:
    """The built-in contracts by vendor."""
    return {contract.vendor: contract for contract in load_contracts(contract_files([ROOT / "contracts"]))}


def vendor_page(vendor: str) -> str:
    """The page of a vendor, without its title."""
    contract = contracts()[vendor]
    blocks = [
        _text(contract.document["info"]["description"]),
        "## Written from\n\n" + "\n".join(f"- <{page.url}>, read on {page.read}" for page in contract.pages),
        "## Where it is called\n\n" + "\n".join(_endpoints(contract)),
        "## Credentials\n\n" + "\n".join(_credentials(contract)),
    ]
    for operation in contract.operations:
        if operation.spelling == operation.name:
            blocks += _operation(contract, operation)
    known = [
        f"- {where}: {', '.join(f'`{name}`' for name in names)}" for where, names in known_methods(contract).items()
    ]
    if known:
        blocks.append("## Documented, and not mocked\n\nThese get a 501 of our own, never the vendor's voice:")
        blocks.append("\n".join(known))
    return "\n\n".join(blocks)


def _text(value: Any) -> str:
    return " ".join(str(value or "").split())


def _endpoints(contract: Contract) -> Iterator[str]:
    hosts = ", ".join(f"`{url}`" for url in contract.servers)
    yield f"Hosts: {hosts}. The mock answers on any host, and under `/{contract.vendor}/…` too."
    yield ""
    yield "| method and path | operation | known from |"
    yield "| --- | --- | --- |"
    for operation in contract.operations:
        grade, why = operation.evidence.grade, operation.evidence.why
        source = f"{grade}: {why}" if why else "its page"
        yield f"| `{operation.method} {operation.path}` | {operation.name} | {_cell(source)} |"


def _credentials(contract: Contract) -> Iterator[str]:
    if not contract.schemes:
        yield "None: what is in the path or body tells whose a request is."
        return
    schemes = contract.document["components"]["securitySchemes"]
    yield "| where | what |"
    yield "| --- | --- |"
    for scheme in contract.schemes:
        prefix = "Bearer …" if scheme.bearer else ""
        where = f"{scheme.where} `{scheme.key}{': ' if prefix else ''}{prefix}`"
        yield f"| {where} | {_cell(_text(schemes[scheme.name].get('description')))} |"


def _operation(contract: Contract, operation: OperationSpec) -> list[str]:
    node = contract.document["paths"][operation.path][operation.method.lower()]
    blocks = [f"## {operation.name}\n\n{_text(node.get('summary'))}."]
    fields = list(_fields(contract, operation, node))
    if fields:
        blocks.append("\n".join(["| parameter | required | what |", "| --- | --- | --- |", *fields]))
    rows = [_row(operation, answer) for answer in operation.answers.values()]
    head = ["| status | letters | answer | how to get it |", "| --- | --- | --- | --- |"]
    blocks.append("\n".join([*head, *rows]))
    blocks.append(LEGEND)
    return blocks


def _fields(contract: Contract, operation: OperationSpec, node: dict[str, Any]) -> Iterator[str]:
    path_item = contract.document["paths"][operation.path]
    for written in [*path_item.get("parameters", []), *node.get("parameters", [])]:
        parameter = _resolved(contract, written)
        required = "yes" if parameter.get("required") else ""
        yield f"| {parameter['in']} `{parameter['name']}` | {required} | {_cell(_text(parameter.get('description')))} |"
    body = _resolved(contract, node.get("requestBody", {}))
    for media in body.get("content", {}).values():
        schema = _resolved(contract, media.get("schema", {}))
        for name, member in schema.get("properties", {}).items():
            required = "yes" if name in schema.get("required", ()) else ""
            described = member.get("description") or _resolved(contract, member).get("description")
            yield f"| body `{name}` | {required} | {_cell(_text(described))} |"


def _resolved(contract: Contract, node: Any) -> Any:
    while "$ref" in node:
        found: Any = contract.document
        for token in node["$ref"].removeprefix("#/").split("/"):
            found = found[token]
        node = found
    return node


def _row(operation: OperationSpec, answer: Answer) -> str:
    recipes = [recipe for recipe in (_exchange(answer), _recipient(operation, answer)) if recipe]
    return (
        f"| {answer.status} | `{answer.evidence.letters}` | {answer.name} "
        f"| {'; or '.join(recipes) or f'`Prefer: example={answer.name}`, or a pin'} |"
    )


def _exchange(answer: Answer) -> str:
    """A link to an exchange in which the contract chooses the answer: the page's sample, or the first."""
    for file in sorted(case_files(), key=lambda file: not file.stem.startswith("page_")):
        case = load_case(file)
        headers = {name.lower() for name in case["request"].get("headers", {})}
        if case["answer"] == answer.id and "prefer" not in headers and not file.stem.startswith("magic"):
            return f"[{_cell(case['about'])}](../{file.relative_to(ROOT).as_posix()})"
    return ""


def _recipient(operation: OperationSpec, answer: Answer) -> str:
    asked = [line for line in provocations(operation, answer) if line == f"to +{MAGIC}{answer.magic}"]
    return f"send to `+{MAGIC}{answer.magic}`" if asked else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def page_file(vendor: str) -> Path:
    """Where a vendor's page is."""
    return ROOT / "contracts" / f"{vendor}.md"
