"""What an accepted answer leaves behind: records it keeps, changes or forgets."""

from typing import Any

from mockserver.spec.answer_model import NO_EFFECTS, Change, Course, Effects, Keeps, Step
from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.values import read_condition, read_members, read_value


def read_effects(reader: Reader, block: dict[str, Any]) -> Effects:
    """The effects of an answer, from its x-mock block."""
    if not block.keys() & {"keeps", "changes", "forgets"}:
        return NO_EFFECTS
    changes = block.get("changes", {})
    return Effects(
        keeps=read_keeps(reader, block),
        changes=tuple(Change(Pointer.parse(at), read_value(reader, changes[at])) for at in changes),
        forgets=Pointer.parse(block["forgets"]).tokens[1] if "forgets" in block else None,
    )


def read_keeps(reader: Reader, block: dict[str, Any]) -> tuple[Keeps, ...]:
    """The records that a block leaves: one, or a list of them."""
    keeps = block.get("keeps", [])
    return tuple(_keeps(reader, node) for node in (keeps if isinstance(keeps, list) else [keeps]))


def _keeps(reader: Reader, node: dict[str, Any]) -> Keeps:
    record = node["record"]
    if node["key"] not in record:
        reader.error(node, f"the record has no member {node['key']!r} to be found by", "key")
    courses = node.get("courses", {})
    return Keeps(
        list_name=node["list"],
        key=node["key"],
        when=tuple((Pointer.parse(at), read_condition(reader, node["when"], at)) for at in node.get("when", {})),
        each=Pointer.parse(node["each"]) if "each" in node else None,
        record=read_members(reader, record),
        courses=tuple(_course(reader, name, courses[name], record) for name in courses),
    )


def _course(reader: Reader, name: str, node: dict[str, Any], record: dict[str, Any]) -> Course:
    steps: list[Step] = []
    for step in node.get("steps", []):
        for member in step.get("set", {}):
            if member not in record:
                reader.error(step["set"], f"the record has no member {member!r}", member)
        if steps and step["after"] < steps[-1].after:
            reader.error(step, f"step {step['step']!r} comes before the one above it", "after")
        sets = tuple((member, read_value(reader, value)) for member, value in step.get("set", {}).items())
        steps.append(Step(step["step"], step["after"], step.get("state"), sets))
    return Course(name, node.get("magic"), tuple(steps))
