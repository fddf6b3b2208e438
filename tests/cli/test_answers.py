"""``mockserver answers``: what the vendors answer, how far it is known, what provokes it."""

import json
import re
from collections import Counter

import pytest

from mockserver.cli.answers import answers_of
from tests.answer_pages import contracts
from tests.cli.running import invoke


def lines(*args: str) -> list[str]:
    ended = invoke("answers", *args)
    assert ended.exit_code == 0, ended.output
    return ended.stdout.splitlines()


@pytest.mark.parametrize("options", [[], ["--why"]])
def test_readable(options: list[str]) -> None:
    """At most a hundred columns, for all vendors, with a heading for each."""
    found = lines(*options)
    assert max(map(len, found)) <= 100
    assert [line.partition(":")[0] for line in found if line[:1].isalpha()] == list(contracts())


def test_one_vendor() -> None:
    """A letter for each part, and what provokes the answer: rules, a magic recipient, or a test alone."""
    found = lines("koreai")
    assert any(re.fullmatch(r"    401 S-SSP forbidden +forbidden", line) for line in found)
    assert "or to +15005550403" in found[next(n for n, line in enumerate(found) if "S-SSP forbidden" in line) + 1]
    assert any(re.fullmatch(r"    401 A-VVV token_replayed +only by a pin or by Prefer", line) for line in found)
    assert any(re.fullmatch(r"    200 S-PPP sent +any request that nothing is wrong with", line) for line in found)
    assert any("documented, not mocked: Conversation History API V2: GET /api/public" in line for line in found)
    assert not any(line.startswith("polyai") for line in found)


def test_spellings_and_their_grades() -> None:
    """What is not on the operation's page says where it was seen."""
    text = " ".join(" ".join(lines("--vendor", "voximplant")).split())
    assert "GET /platform_api/SendSmsMessage/ voximplant.send_sms [vendor: Authorization: samples by GET" in text


def test_why() -> None:
    """Each part's grade and its reason."""
    assert any("text assumed: No detail text is published." in line for line in lines("polyai", "--why"))


def test_totals() -> None:
    """The table counts each answer once, as a whole and by part."""
    found = lines("polyai")
    table = {words[0]: list(map(int, words[1:])) for line in found[-6:] if (words := line.split())}
    letters = [answer.evidence.letters for answer in answers_of([contracts()["polyai"]])]
    for position, part in enumerate(("status", "headers", "shape", "text", "trigger")):
        assert table[part] == [Counter(word[position] for word in letters)[letter] for letter in "RPVSA"]
    assert sum(table["answers"]) == len(letters)


def test_as_json() -> None:
    """The same for programs, with the reasons."""
    found = json.loads(invoke("answers", "--vendor", "avaamo", "--vendor", "polyai", "--format", "json").stdout)
    assert [contract["vendor"] for contract in found["contracts"]] == ["avaamo", "polyai"]
    avaamo = found["contracts"][0]
    missing = next(a for a in avaamo["operations"][0]["answers"] if a["id"] == "avaamo.send_sms/phone_missing")
    assert (missing["letters"], missing["evidence"]) == ("A-AAP", "assumed")
    assert missing["evidence_parts"]["headers"] is None
    assert missing["evidence_reasons"]["trigger"] == "avaamo-sms-send.md, Request Body, to_phone"
    assert missing["provoked_by"] == ["/owned/channels/custom_auth const false and /body/to_phone not there"]
    assert "GET /v1/conversations/{uuid}.json" in avaamo["known"]["Conversation API"]
    listed = answers_of(contracts()[vendor] for vendor in ("avaamo", "polyai"))
    assert sum(found["totals"]["answers"].values()) == len(listed)


def test_unknown_vendor() -> None:
    """One line that names those there are."""
    ended = invoke("answers", "twilio")
    assert (ended.exit_code, ended.stderr) == (
        2,
        "mockserver: there is no vendor 'twilio'; known: avaamo, koreai, opentact, polyai, voximplant\n",
    )
