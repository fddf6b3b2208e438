"""A contract and its evidence as files that people go on writing."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from mockserver.engine.account import BUILTIN_ACCOUNTS
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.pointer import MISSING, Pointer

SCHEMA_FILE = "contract.schema.json"  # below `schema`, beside a contract: a folder of contracts has no other JSON
MODELINE = f"# yaml-language-server: $schema=schema/{SCHEMA_FILE}\n"
YAML_WIDTH = 130  # columns
FLOW_LENGTH = 100  # characters of a mapping or list that stands on one line
_LIKE_NUMBER = re.compile("-?[0-9.eE+-]+")


class _Dumper(yaml.SafeDumper):
    """What is short stands on one line; nothing is an alias."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 -- the base class asks of each value
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        node = super().represent_mapping(tag, mapping, flow_style)
        node.flow_style = _is_short(mapping)
        return node

    def represent_sequence(self, tag: str, sequence: Any, flow_style: bool | None = None) -> yaml.SequenceNode:
        node = super().represent_sequence(tag, sequence, flow_style)
        node.flow_style = _is_short(sequence)
        return node


def _as_text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """A text; one that our reader takes for a number, as it takes ``1e+5``, is quoted."""
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if _LIKE_NUMBER.fullmatch(text) else None)


_Dumper.add_representer(str, _as_text)


def _is_short(value: Any) -> bool:
    return len(json.dumps(value, ensure_ascii=False, default=str)) <= FLOW_LENGTH and "\n" not in str(value)


def as_yaml(value: Any) -> str:
    """A value as YAML that the strict reader of contracts reads as the same."""
    text: str = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=YAML_WIDTH, allow_unicode=True)
    return text


def as_block(value: Mapping[str, Any]) -> str:
    """A mapping as YAML, each of its members on a line of its own, or on several."""
    return "".join(_member(name, member) for name, member in value.items())


def _member(name: str, value: Any) -> str:
    text = as_yaml({name: value})
    return f"{text.strip()[1:-1]}\n" if text.startswith("{") else text


def contract_text(document: Mapping[str, Any]) -> str:
    """A contract's file, with the line by which editors know its words."""
    return MODELINE + as_yaml(dict(document))


def accounts_text(contract: Contract) -> str:
    """The two built-in customers, with what a client writes into its settings fixed, and the rest made up.

    A key that is too short for words is made up, too.
    """
    fixed: dict[str, Any] = {account: {} for account in BUILTIN_ACCOUNTS}
    for name, template in contract.account.items():
        if isinstance(template, dict) and template.get("new") == "token":
            for account in BUILTIN_ACCOUNTS:
                text = f"{template.get('prefix', '')}{contract.vendor}-{account}-{name}".replace("_", "-")
                length = template.get("length", 40)
                if len(text) <= length:
                    fixed[account][name] = text.ljust(min(length, 40), "0")
    return as_block(fixed)


def cases(contract: Contract) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """An exchange for each answer of each operation: operation, name of the case, what its file says.

    What a request must be like to get a refusal, only the author knows: until then the answer is asked for by name.
    """
    for operation in contract.operations:
        if operation.spelling != operation.name:
            continue
        for answer in operation.answers.values():
            request = request_of(contract, operation)
            about = "The example is accepted."
            if answer.name == "unauthorized" and operation.security:
                request, about = request_of(contract, operation, proves=False), "Without credentials it is refused."
            elif answer is not operation.success:
                request["headers"] = {**request.get("headers", {}), "Prefer": f"example={answer.name}"}
                about = f"TODO: the request that gets {answer.name}; until then it is asked for by name."
            shown: dict[str, Any] = {"status": answer.status}
            if answer.sample is not None and not isinstance(answer.sample, str):
                shown["json"] = {"any": {}}
            elif answer.sample is not None:
                shown["text"] = {"any": {}}
            case = {"about": about, "account": "default", "request": request, "answer": answer.id, "response": shown}
            yield operation.name, answer.name, case


def request_of(contract: Contract, operation: OperationSpec, *, proves: bool = True) -> dict[str, Any]:
    """A good request of an operation as a fixture writes it: what an account has is named by its place.

    Unless it ``proves`` who sends it, it has no credentials.
    """
    parts: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation.parameters:
        if parameter.example is not MISSING:
            parts[parameter.where][parameter.name] = parameter.example
    media = operation.body.shown if operation.body is not None else None
    body = json.loads(json.dumps(media.example)) if media is not None else None
    holder: dict[str, Any] = {**parts, "body": body}
    for owned in operation.owned:
        if owned.within is None and owned.at.get(holder) is not MISSING:
            _put(holder, owned.at, _reference(contract, owned.claim))
    for scheme in operation.security[0].schemes if operation.security and proves else ():
        part = holder[scheme.where] if scheme.where != "body" or isinstance(body, dict) else {}
        part[scheme.key] = {"credential": scheme.name}
    base = contract.base_path
    request: dict[str, Any] = {"method": operation.method, "path": base + operation.path}
    named = {"path_params": parts["path"], "query": parts["query"], "headers": parts["header"]}
    request |= {name: values for name, values in named.items() if values}
    if media is not None:
        is_text = media.reads == "nothing" and isinstance(body, str) and "json" not in media.essence
        kind = "text" if is_text else {"form": "form", "multipart": "multipart"}.get(media.reads, "json")
        request[kind] = body
        if kind in {"json", "text"} and media.essence not in {"application/json", "*/*"}:
            request["headers"] = {**request.get("headers", {}), "content-type": media.essence}
    return request


def _reference(contract: Contract, claim: str) -> dict[str, str]:
    """The first value of a claim, as fixtures name it: ``{default: /lines/0/number}``."""
    tokens, node = [], dict(contract.account)
    at: Any = node
    for token in Pointer.parse(claim).tokens[1:]:
        if isinstance(at, list):
            tokens.append("0")
            at = at[0]
        tokens.append(token)
        at = at[token] if isinstance(at, Mapping) and token in at else {}
    return {"default": str(Pointer(tuple(tokens)))}


def _put(holder: Any, at: Pointer, value: Any) -> None:
    for token in at.tokens[:-1]:
        holder = holder[int(token)] if isinstance(holder, list) else holder[token]
    holder[int(at.tokens[-1]) if isinstance(holder, list) else at.tokens[-1]] = value


def write_fixtures(contract: Contract, folder: Path) -> list[Path]:
    """Write accounts and exchanges of a contract below a folder, none over a file. Returns the new files."""
    texts = {folder / contract.vendor / "accounts.yaml": accounts_text(contract)}
    for operation, name, case in cases(contract):
        texts[folder / contract.vendor / operation / f"{name}.yaml"] = as_block(case)
    new = [file for file in texts if not file.exists()]
    for file in new:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(texts[file], "utf-8")
    return new
