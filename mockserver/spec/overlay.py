"""Corrections of a contract that stand in a file of their own (OpenAPI Overlay Specification 1.0).

Of JSONPath (RFC 9535) targets may use names, indexes and ``*``: ``$.paths['/messages'].post.x-mock.rules[0]``. Mappings
are merged, as the specification has it, but for one word of ours: a grade of evidence takes the place of another.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import takewhile
from pathlib import PurePath
from typing import Any

from mockserver.spec.errors import ContractError
from mockserver.spec.evidence import ANSWER_PARTS, GRADES
from mockserver.spec.pointer import join
from mockserver.spec.source import Place, Source

TargetStep = str | int | None  # a name, an index, or every member
_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*) | \.(?P<all>\*) | \[(?P<each>\*)\] | \[(?P<index>\d{1,6})\]
    | \['(?P<single>(?:[^'\\]|\\.)*)'\] | \["(?P<double>(?:[^"\\]|\\.)*)"\]""",
    re.VERBOSE,
)


def apply_overlay(source: Source, overlay: Source) -> list[ContractError]:
    """Change what a contract's file says as an overlay's says. What is new keeps its place in the overlay's file.

    Returns what is wrong with the overlay: an action that changes nothing is a mistake.
    """
    errors = list(overlay.errors)
    document: Any = overlay.value if isinstance(overlay.value, dict) else {}
    actions = document.get("actions")
    is_overlay = str(document.get("overlay", "")).startswith("1.") and isinstance(actions, list) and bool(actions)
    if not errors and not is_overlay:
        told = "an overlay is {overlay: 1.0.0, info: …, actions: [{target: …, update: …}]}"
        errors.append(overlay.error_at(document, None, told))
    errors += _strangers(source, overlay, document) if not errors else []
    for action in actions if isinstance(actions, list) and not errors else ():
        steps = read_target(action.get("target")) if isinstance(action, dict) else None
        if steps is None:
            told = "a target is $ and names, indexes and *: $.paths['/messages'].post.x-mock.rules[0]"
            errors.append(overlay.error_at(action if isinstance(action, dict) else actions, "target", told))
            continue
        change = _OverlayChange(source, overlay, action)
        source.value = change.below(source.value, steps, "")
        if not change.count:
            errors.append(overlay.error_at(action, "target", f"{action['target']} names nothing in {source.file}"))
    return errors


def _strangers(source: Source, overlay: Source, document: dict[str, Any]) -> list[ContractError]:
    """Members of an overlay that do nothing."""
    errors = []
    extends = document.get("extends")
    if extends is not None and PurePath(str(extends)).name != PurePath(source.file).name:
        told = (
            f"an overlay changes the contract of its own name, {PurePath(source.file).name}: 'extends' leads elsewhere"
        )
        errors.append(overlay.error_at(document, "extends", told))
    nodes = [(document, _OF_OVERLAYS)] + [(action, _OF_ACTIONS) for action in document["actions"]]
    for node, known in nodes:
        for name in node if isinstance(node, dict) else ():
            if name not in known and not str(name).startswith("x-"):
                told = f"unknown key {name!r}; known here: {', '.join(known)}"
                errors.append(overlay.error_at(node, name, told))
        if isinstance(node, dict) and known is _OF_ACTIONS and ("update" in node) is (node.get("remove") is True):
            errors.append(overlay.error_at(node, "remove", "an action has either 'update' or 'remove: true'"))
    return errors


def blamed(source: Source, errors: Iterable[ContractError], without: Iterable[ContractError]) -> list[ContractError]:
    """Errors of a contract, those that it has not ``without`` its overlays at the action that brought them about."""
    before = {(error.pointer, error.message) for error in without}
    return [_blamed(source, error) if (error.pointer, error.message) not in before else error for error in errors]


def _blamed(source: Source, error: ContractError) -> ContractError:
    if error.file != source.file or not source.changes:
        return error
    _, action = max(source.changes, key=lambda change: _shared(change[0], error.pointer))
    where = f"{PurePath(error.file).name}:{error.line}"
    return replace(
        action,
        pointer=error.pointer,
        message=f"{error.message} ({where}, as it is changed here)",
        unfinished=error.unfinished,
    )


def _shared(one: str, other: str) -> int:
    """How many tokens two pointers have in common, from the first on."""
    tokens = zip(one.split("/"), other.split("/"), strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], tokens))


def read_target(text: Any) -> list[TargetStep] | None:
    """The steps of a target; None where it is not of the form that is read here."""
    if not isinstance(text, str) or not text.startswith("$"):
        return None
    steps: list[TargetStep] = []
    at = 1
    while at < len(text):
        match = _STEP.match(text, at)
        if match is None:
            return None
        at = match.end()
        if match["index"] is not None:
            steps.append(int(match["index"]))
        elif match["all"] or match["each"]:
            steps.append(None)
        else:
            quoted = match["single"] if match["single"] is not None else match["double"]
            steps.append(match["name"] if quoted is None else re.sub(r"\\(.)", r"\1", quoted))
    return steps


_OF_OVERLAYS = ("overlay", "info", "extends", "actions")
_OF_ACTIONS = ("target", "description", "update", "remove")
_MEMBERS_OF_EVIDENCE = {"default", *ANSWER_PARTS}


class _Removed:
    """Stands for what an action removes."""


class _OverlayChange:
    """One action, and how many places it has changed. Containers on the way are copied: aliases share them."""

    def __init__(self, source: Source, overlay: Source, action: dict[str, Any]) -> None:
        self.count = 0
        self._source = source
        self._overlay = overlay
        self._action = action
        self._removes = action.get("remove") is True
        self._update = action.get("update", {})

    def below(self, value: Any, steps: list[TargetStep], at: str) -> Any:
        """The value at ``at``, changed at the place to which the steps lead."""
        if not steps:
            self.count += 1
            self._source.changes.append((at, self._overlay.error_at(self._action, "target", "")))
            return _Removed if self._removes else self._merged(value, self._update)
        if not isinstance(value, dict | list):
            return value
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        chosen = [key for key in keys if steps[0] is None or (key == steps[0] and type(key) is type(steps[0]))]
        changed = {key: self.below(value[key], steps[1:], at + join(key)) for key in chosen}
        return self._copy(value, lambda key: changed.get(key, value[key]))

    def _merged(self, value: Any, update: Any) -> Any:
        """Mappings are merged, member by member; a list gets one item more; anything else is replaced."""
        if isinstance(value, list):
            copy = self._copy(value, value.__getitem__)
            copy.append(self._adopted(update))
            self._remember_update(copy, len(value), self._place(self._overlay, update))
            return copy
        if not isinstance(value, dict) or not isinstance(update, dict):
            return self._adopted(update)
        if _is_grade(value) and _is_grade(update):
            return self._adopted(update)
        if _is_grade(value) and update.keys() & _MEMBERS_OF_EVIDENCE:
            value = self._as_default(self._source, value)
        if _is_grade(update) and value.keys() & _MEMBERS_OF_EVIDENCE:
            update = self._as_default(self._overlay, update)
        copy = self._copy(value, value.__getitem__)
        for key, item in update.items():
            mapping = isinstance(item, dict) and isinstance(value.get(key), dict)
            copy[key] = self._merged(value[key], item) if mapping else self._adopted(item)
            if not mapping:
                self._remember_update(copy, key, self._overlay.place(update, key))
        return copy

    @staticmethod
    def _as_default(source: Source, grade: dict[str, Any]) -> dict[str, Any]:
        """A grade of all parts, written in full."""
        whole = {"default": grade}
        source.remember(whole, None, source.place(grade))
        source.remember(whole, "default", source.place(grade))
        return whole

    def _copy(self, value: Any, item_of: Callable[[Any], Any]) -> Any:
        """A copy of a container with other items, without those that are removed; all keep their places."""
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        kept = [(key, item) for key in keys if (item := item_of(key)) is not _Removed]
        copy: Any = dict(kept) if isinstance(value, dict) else [item for _, item in kept]
        self._source.remember(copy, None, self._source.place(value))
        for position, (key, _) in enumerate(kept):
            self._source.remember(copy, key if isinstance(value, dict) else position, self._source.place(value, key))
        return copy

    def _adopted(self, value: Any) -> Any:
        """A value of the overlay; its containers are known to the contract's source by their place there."""
        if isinstance(value, dict | list):
            self._source.remember(value, None, self._place(self._overlay, value))
            for key, item in value.items() if isinstance(value, dict) else enumerate(value):
                self._remember_update(value, key, self._overlay.place(value, key))
                self._adopted(item)
        return value

    def _remember_update(self, container: Any, key: Any, place: Place) -> None:
        self._source.remember(container, key, self._in_overlay(place))

    def _place(self, overlay: Source, value: Any) -> Place:
        return self._in_overlay(overlay.place(value))

    def _in_overlay(self, place: Place) -> Place:
        return Place(place.line, place.column, place.pointer, self._overlay.file)


def _is_grade(value: Any) -> bool:
    """Whether a mapping is a grade of evidence, of which a part has one."""
    return isinstance(value, dict) and len(value) == 1 and next(iter(value)) in GRADES
