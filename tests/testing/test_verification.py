"""Verdicts on what only Python can compare, against a server that is played here."""

from collections.abc import Mapping
from typing import Any

import pytest
from dirty_equals import IsOneOf, IsStr

from mockserver.matching.compare import masked
from mockserver.matching.verdict import Count
from mockserver.testing.verification import Question, verify
from mockserver.testing.where import Conditions


class Played:
    """Answers questions from calls that come one by one, each time that it is asked to wait."""

    def __init__(self, now: list[Any], later: list[Any], *, evicted: int = 0, shown: int = 100) -> None:
        self._bodies = now
        self._later = later
        self._evicted = evicted
        self._shown = shown
        self.masks: dict[str, str] = {}
        self.warnings: list[str] = []
        self.asked: list[Mapping[str, Any]] = []

    def __call__(self, shape: Mapping[str, Any], wait: float) -> Mapping[str, Any]:
        self.asked.append(shape)
        if wait > 0 and self._later:
            self._bodies = [*self._bodies, self._later.pop(0)]
        calls = [_shape(number) for number in range(len(self._bodies))][::-1]
        least = shape["count"]["at_least"]
        views = [{"sent": _view(body), "shown": _view(self._masked(body))} for body in self._bodies[::-1]]
        compared = {"views": views[: self._shown], "masks": self.masks} if shape.get("views") else {}
        return {
            **compared,
            "verified": len(calls) >= least,
            "matched": len(calls),
            "evicted": self._evicted,
            "calls": calls[: self._shown],
            "nearest": [],
            "message": f"plain: {len(calls)}",
            "warnings": self.warnings if "when" in shape else [],
        }

    def _masked(self, body: Any) -> Any:
        return masked(body, lambda text: self.masks.get(text, text))


def _shape(number: int) -> Mapping[str, Any]:
    return {
        "id": f"call-{number}",
        "vendor": "acme",
        "answer": "acme.send_sms/sent",
        "accepted": True,
        "chosen_by": "default",
        "problems": [],
        "received_at": "2026-11-21T09:30:00.000+00:00",
        "request": {"method": "POST", "path": "/v1/things/7"},
        "response": {"status": 200},
    }


def _view(body: Any) -> Mapping[str, Any]:
    return {"path": "/v1/things/7", "path_params": {}, "query": {}, "headers": [], "body": body}


def masking(bodies: list[Any], masks: dict[str, str]) -> Played:
    """A server of these calls that has masks for their secrets."""
    played = Played(bodies, [])
    played.masks = masks
    return played


def question(count: Count, within: float = 0.0, settle: float = 0.0) -> Question:
    """Asks for bodies that are texts."""
    return Question({"operation": "acme.send_sms"}, Conditions.of({"body": IsStr()}), count, within, settle)


def test_only_what_compares_equal_counts() -> None:
    """Two of three candidates fit; the third is the nearest, with its difference in the message."""
    found = verify(question(Count.exactly(3)), Played(["a", 1, "b"], []))
    assert (found.verified, found.matched) == (False, 2)
    assert [call.id for call in found.calls] == ["call-2", "call-0"]
    assert [miss.call.id for miss in found.nearest] == ["call-1"]
    assert found.message.splitlines() == [
        "acme.send_sms: expected exactly 3 call(s), found 2 (3 fit the plain parts).",
        "Nearest call:",
        "  call-1 09:30:00.000 POST /v1/things/7 -> 200 acme.send_sms/sent (by default)",
        "      /body: expected IsStr(), found 1",
    ]


def test_waits_for_further_candidates() -> None:
    """The server is asked for one candidate more until enough of them fit, and no longer."""
    played = Played([1], [2, "a", "b"])
    found = verify(question(Count(), within=5), played)
    assert found.verified is True
    assert [call.id for call in found.calls] == ["call-2"]
    assert [shape["count"] for shape in played.asked] == [{"at_least": 0}, {"at_least": 2}, {"at_least": 3}]


def test_settling_notices_one_too_many() -> None:
    """A second call that fits and comes while settling is told, the calls listed."""
    found = verify(question(Count.exactly(1), settle=5), Played(["a"], [1, "b", "c"]))
    assert (found.verified, found.matched) == (False, 2)
    assert "Calls that fit, latest first:\n  call-2" in found.message


@pytest.mark.parametrize(
    ("count", "verified"),
    [
        pytest.param(Count(2), True, id="enough are here"),
        pytest.param(Count(3), None, id="the missing one may be gone"),
        pytest.param(Count.exactly(2), None, id="one too many may be gone"),
        pytest.param(Count.exactly(1), False, id="too many are here"),
    ],
)
@pytest.mark.parametrize("gone", [{"evicted": 1}, {"shown": 2}], ids=["evicted", "not shown"])
def test_what_was_not_seen_leaves_open_what_it_could_change(
    count: Count, verified: bool | None, gone: dict[str, int]
) -> None:
    """With a candidate evicted, or more than the server shows, only what is certain is said."""
    bodies = ["a", "b"] if "evicted" in gone else ["z", "a", "b"]
    found = verify(question(count), Played(bodies, [], **gone))
    assert found.verified is verified
    assert ("Cannot be known: 1 more" in found.message) is (verified is None)


def test_the_servers_own_words_where_the_plain_part_failed_too() -> None:
    """Without any candidate the server knows what was nearest: its message is shown, and nothing twice."""
    assert verify(question(Count()), Played([], [])).message == "plain: 0"


def test_the_server_is_told_the_names_where_nothing_fits() -> None:
    """A misspelt member is not overlooked because its value is compared here."""
    conditions = Conditions.of({"body": {"mesage": IsStr()}})
    for bodies, count, warnings in (([], Count.exactly(0), ("unknown",)), ([{"mesage": "a"}], Count(), ())):
        played = Played(bodies, [])
        played.warnings = ["unknown"]
        found = verify(Question({"operation": "acme.send_sms"}, conditions, count, 0.0, 0.0), played)
        assert (found.verified, found.warnings) == (True, warnings)


def test_secrets_are_compared_as_sent_and_shown_masked() -> None:
    """Whatever names a secret in the message, the nearest calls or what an object says of itself has its mask."""
    secret, other = "key-'5'-of-the-account", "another-key-altogether"
    asked = Question({}, Conditions.of({"body": IsOneOf(other, 5)}), Count(), 0.0, 0.0)
    masks = {secret: "***1", other: "***2"}
    found = verify(asked, masking([secret], masks))
    assert found.message.splitlines()[3] == "      /body: expected IsOneOf('***2', 5), found \"***1\""
    (difference,) = found.nearest[0].differences
    assert (repr(difference.expected), difference.found) == ("IsOneOf('***2', 5)", "***1")
    assert verify(asked, masking([other], masks)).verified is True
    same = Question({}, Conditions.of({"body": [IsOneOf(secret), 1]}), Count(), 0.0, 0.0)
    message = verify(same, masking([[secret]], masks)).message
    assert secret not in message.replace("\\", "")


def test_a_member_whose_name_is_masked() -> None:
    """What cannot be found in the masked request is masked here."""
    asked = Question({}, Conditions.of({"body": {"secret-name": IsStr(regex="x")}}), Count(), 0.0, 0.0)

    def ask(shape: Mapping[str, Any], wait: float) -> Mapping[str, Any]:
        answer = {**masking([{"secret-name": "is secret-name"}], {"secret-name": "***1"})(shape, wait)}
        if "views" in answer:
            answer["views"] = [{"sent": answer["views"][0]["sent"], "shown": _view({"***1": "is ***1"})}]
        return answer

    (difference,) = verify(asked, ask).nearest[0].differences
    assert difference.found == "is ***1"
