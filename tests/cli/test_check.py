"""``mockserver check``: what contracts document, and where they are wrong."""

import re
from pathlib import Path

import pytest

from tests.cli.running import invoke
from tests.evidence import ROOT

POLYAI = (ROOT / "contracts" / "polyai.yaml").read_text("utf-8")


def place(text: str, part: str) -> str:
    """Line and column at which ``part``, found once, begins."""
    assert text.count(part) == 1, part
    before = text[: text.index(part)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def test_built_in() -> None:
    """Without files, all five vendors; one line with how many answers have each grade."""
    ended = invoke("check")
    assert ended.exit_code == 0
    total = re.fullmatch(r"5 contracts, ([0-9]+) answers \(([^()]*)\)\. No errors\.\n", ended.stdout)
    assert total
    grades = [words.split() for words in total[2].split(", ")]
    assert [grade for _, grade in grades] == ["page", "vendor", "sibling", "assumed"]
    assert sum(int(count) for count, _ in grades) == int(total[1])


def test_files_alone(tmp_path: Path) -> None:
    """A named file is read alone, so that a copy of a built-in contract does not clash with it."""
    copy = tmp_path / "copied.yaml"
    copy.write_text(POLYAI, "utf-8")
    ended = invoke("check", copy)
    assert (ended.exit_code, ended.stdout.partition(" (")[0]) == (0, "1 contract, 40 answers")


def test_errors(tmp_path: Path) -> None:
    """Every error of every file is a line with its place, and the exit code is 1."""
    rule, twice, brace = "{problem: limited, answer: rate_limitd}", "    api_key: twice\n", "openapi: [\n"
    wrong = POLYAI.replace("{problem: limited, answer: rate_limited}", rule)
    wrong = wrong.replace("    connectors:\n", f"{twice}    connectors:\n")
    files = {"one": wrong, "two": brace, "three-": POLYAI}
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, "utf-8")
    ended = invoke("check", *(tmp_path / f"{name}.yaml" for name in files))
    assert ended.exit_code == 1
    places = [line.removeprefix(f"{tmp_path}/").split(": ", 2) for line in ended.stdout.splitlines()]
    assert all(len(words) == 3 and words[2] for words in places), places
    found = [words[:2] for words in places]
    assert [f"one.yaml:{place(wrong, twice.strip())}", "/x-mock/account/api_key"] in found
    assert ["two.yaml:2:1", "/"] in found
    assert ["three-.yaml:1:1", "/"] in found


def test_rule_without_answer(tmp_path: Path) -> None:
    """A rule that names no answer is an error at that rule."""
    rule = "{problem: limited, answer: rate_limitd}"
    text = POLYAI.replace("{problem: limited, answer: rate_limited}", rule)
    file = tmp_path / "polyai.yaml"
    file.write_text(text, "utf-8")
    ended = invoke("check", file)
    assert ended.exit_code == 1
    line = place(text, rule).partition(":")[0]
    pattern = rf"{file}:{line}:[0-9]+: /paths/~1v1~1outbound-sms/post/x-mock/rules/3\S*: .*rate_limitd.*"
    assert [error for error in ended.stdout.splitlines() if re.fullmatch(pattern, error)], ended.stdout


@pytest.mark.parametrize("options", [["--no-builtin"], ["--contracts", "{}"]], ids=["alone", "beside"])
def test_folder(tmp_path: Path, options: list[str]) -> None:
    """A folder's contracts are checked as serve would read them: a path that a built-in vendor has is a clash."""
    (tmp_path / "sixth.yaml").write_text(POLYAI, "utf-8")
    ended = invoke("check", *(option.format(tmp_path) for option in options), MOCKSERVER_CONTRACTS=str(tmp_path))
    if "--no-builtin" in options:
        assert (ended.exit_code, ended.stdout.partition(",")[0]) == (0, "1 contract")
    else:
        at = f"{tmp_path / 'sixth.yaml'}:{place(POLYAI, '/v1/outbound-sms:')}: /paths/~1v1~1outbound-sms"
        owner = f"polyai ({ROOT / 'contracts' / 'polyai.yaml'})"
        clash = f"{at}: the path /v1/outbound-sms is also claimed by {owner}\n"
        assert ended.exit_code == 1
        assert ended.stdout.startswith(clash)
