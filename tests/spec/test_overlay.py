"""Corrections of a contract in a file of their own."""

from pathlib import Path
from typing import Any

import pytest

from mockserver.spec.load import read_contracts
from mockserver.spec.overlay import apply_overlay, read_target
from mockserver.spec.source import read_yaml
from tests.spec.writing import SMALL

PARTS = "{default: {vendor: a}, text: {page: c}}"
BASE = "a: &shared {x: 1, list: [1, {n: 2}, 3]}\nb: *shared\n"


def changed(actions: str) -> tuple[Any, list[str]]:
    """What a file says after these actions, and what is wrong with them."""
    source = read_yaml("acme.yaml", BASE)
    errors = apply_overlay(source, read_yaml("acme.overlay.yaml", f"overlay: 1.0.0\ninfo: {{}}\nactions: {actions}\n"))
    return source.value, [error.message for error in errors]


@pytest.mark.parametrize(
    ("action", "a"),
    [
        ("{target: $.a, update: {x: 2, y: {z: 3}}}", {"x": 2, "list": [1, {"n": 2}, 3], "y": {"z": 3}}),
        ("{target: '$[\"a\"].list[1]', update: {m: 4}}", {"x": 1, "list": [1, {"n": 2, "m": 4}, 3]}),
        ("{target: $.a.list, update: 9}", {"x": 1, "list": [1, {"n": 2}, 3, 9]}),
        ("{target: $.a.x, update: {new: true}}", {"x": {"new": True}, "list": [1, {"n": 2}, 3]}),
        ("{target: '$.a.list[0]', remove: true}", {"x": 1, "list": [{"n": 2}, 3]}),
        ("{target: '$.a.list[*].n', remove: true}", {"x": 1, "list": [1, {}, 3]}),
        ("{target: $.a.*, remove: true}", {}),
        ("{target: $.a, update: {list: [7]}}", {"x": 1, "list": [7]}),
    ],
)
def test_actions(action: str, a: Any) -> None:
    """Mappings are merged, lists get an item, what is removed is gone; another place with the same anchor stays."""
    value, errors = changed(f"[{action}]")
    assert (errors, value["a"]) == ([], a)
    assert value["b"] == {"x": 1, "list": [1, {"n": 2}, 3]}


@pytest.mark.parametrize(
    ("written", "update", "evidence"),
    [
        ("{vendor: a}", "{recorded: b}", {"recorded": "b"}),
        ("{vendor: a}", "{default: {recorded: b}}", {"default": {"recorded": "b"}}),
        ("{vendor: a}", "{text: {assumed: b}}", {"default": {"vendor": "a"}, "text": {"assumed": "b"}}),
        (
            "{default: {vendor: a}, text: {page: c}}",
            "{recorded: b}",
            {"default": {"recorded": "b"}, "text": {"page": "c"}},
        ),
        (
            "{default: {vendor: a}, text: {page: c}}",
            "{text: {page: d}}",
            {"default": {"vendor": "a"}, "text": {"page": "d"}},
        ),
    ],
)
def test_a_grade_takes_the_place_of_another(written: str, update: str, evidence: Any) -> None:
    """A part has one grade: two of them are not merged, and one of all parts stands for its default."""
    source = read_yaml("acme.yaml", f"evidence: {written}\n")
    action = f"{{target: $.evidence, update: {update}}}"
    changes = read_yaml("acme.overlay.yaml", f"overlay: 1.0.0\ninfo: {{}}\nactions: [{action}]\n")
    assert (apply_overlay(source, changes), source.value) == ([], {"evidence": evidence})


def test_what_an_overlay_breaks_is_told_at_its_action(tmp_path: Path) -> None:
    """A fault that the contract alone has not is at the overlay's line, with the contract's."""
    (tmp_path / "acme.yaml").write_text(SMALL, "utf-8")
    overlay = tmp_path / "acme.overlay.yaml"
    actions = "- {target: $.info, remove: true}\n- {target: $.paths, update: {}}\n"
    overlay.write_text(f"overlay: 1.0.0\ninfo: {{}}\nactions:\n{actions}", "utf-8")
    (error,) = read_contracts([tmp_path / "acme.yaml", overlay])[1]
    assert (error.file, error.line) == (str(overlay), 4)
    assert error.message == "'info' is missing (acme.yaml:1, as it is changed here)"


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ("[{target: $.a, updat: {}}]", "unknown key 'updat'; known here: target, description, update, remove"),
        ("[{target: $.a, update: {}, remove: true}]", "an action has either 'update' or 'remove: true'"),
        (
            "[{target: $.a, update: {}}]\nextends: other.yaml",
            "an overlay changes the contract of its own name, acme.yaml",
        ),
        ("[{target: $.a, update: {}}]\nextend: acme.yaml", "unknown key 'extend'; known here: overlay, info, extends"),
        ("[{target: $.c, update: {}}]", "$.c names nothing in acme.yaml"),
        ("[{target: '$.a.list[7]', remove: true}]", "$.a.list[7] names nothing in acme.yaml"),
        ("[{target: $..x, remove: true}]", "a target is $ and names"),
        ("[{target: a, remove: true}]", "a target is $ and names"),
        ("[{update: {}}]", "a target is $ and names"),
        ("[word]", "a target is $ and names"),
        ("[]", "an overlay is {overlay: 1.0.0"),
        ("{}", "an overlay is {overlay: 1.0.0"),
    ],
)
def test_mistakes(actions: str, message: str) -> None:
    """An action that changes nothing, and a file that is no overlay, are errors."""
    value, errors = changed(actions)
    assert message in [error[: len(message)] for error in errors]
    assert value["a"]["x"] == 1


def test_targets() -> None:
    """Names, indexes and every member, with quotes where a name needs them."""
    assert read_target("$") == []
    assert read_target(r"$.paths['/a\'b'].x-mock[0].*[*]") == ["paths", "/a'b", "x-mock", 0, None, None]
    assert read_target("$.paths[") is None


def test_a_contract_is_corrected(tmp_path: Path) -> None:
    """An overlay beside a contract changes it; rules and errors of it are told at the overlay's own lines."""
    contract, overlay = tmp_path / "acme.yaml", tmp_path / "acme.overlay.yaml"
    contract.write_text(SMALL, "utf-8")
    rule = "{when: {/body/to: {const: x}}, answer: closed}"
    target = "\"$.paths['/sms/{batch}'].post.x-mock.rules\""
    text = "overlay: 1.0.0\ninfo: {title: mine}\nactions:\n  - target: $.info\n    update: {title: Mine}\n"
    overlay.write_text(f"{text}  - target: {target}\n    update: {rule}\n", "utf-8")
    (acme,), errors = read_contracts([contract, overlay])
    assert (errors, acme.title) == ([], "Mine")
    assert acme.operations[0].rules[-1].place == "acme.overlay.yaml:7"
    overlay.write_text(f"{text}  - target: {target}\n    update: {rule.replace('closed', 'open')}\n", "utf-8")
    _, errors = read_contracts([contract, overlay])
    assert {(Path(error.file).name, error.line) for error in errors} == {("acme.overlay.yaml", 7)}
    _, errors = read_contracts([overlay])
    assert [error.message for error in errors] == ["there is no contract 'acme' that it could change; there are: none"]
