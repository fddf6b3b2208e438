"""Random conversations of two customers: messages, journal, read-back and callbacks agree, and nothing crosses."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from starlette.testclient import TestClient

from mockserver.server.application import create_app
from mockserver.server.settings import Settings

FOLDER = Path(__file__).parents[1] / "twoway"
SUBSCRIBERS = ("+12025550199", "+12025550198")
FAILING = "+15005550610"  # the magic number of the course that fails
ADDRESS = "https://hooks.example.com/"  # where nothing may be sent, so callbacks are withheld
STEPS = {"delivered": [(1.0, "sent"), (5.0, "delivered")], "failed": [(1.0, "failed")]}


@dataclass
class Sent:
    """A message as it must be: its course began at ``at`` on its customer's clock."""

    id: str
    to: str
    text: str
    at: float
    course: str

    def states(self, now: float) -> list[str]:
        """The states that it has come to, oldest first."""
        return [state for after, state in STEPS[self.course] if self.at + after <= now]


@dataclass
class Model:
    """What a customer must have."""

    id: str
    key: str
    line: str
    clock: float = 0.0  # seconds since it was frozen
    sent: list[Sent] = field(default_factory=list)
    replies: list[tuple[str, str]] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    refused: int = 0
    redelivered: int = 0
    taken: int = 0
    answered: list[str] = field(default_factory=list)


customers = st.integers(0, 1)


class Conversations(RuleBasedStateMachine):
    """Sends, replies, clock moves, resets and redeliveries of two customers on one server."""

    @initialize()
    def begin(self) -> None:
        """Two customers whose clocks stand still."""
        self.client = TestClient(create_app(Settings(contracts=(FOLDER,), builtin=False)), base_url="http://localhost")
        self.client.__enter__()
        self.models = [self.customer() for _ in range(2)]
        self.number = 0

    def customer(self) -> Model:
        values = {"parcel": {"callback_url": ADDRESS}}
        shape = self.ask("POST", "/_mock/accounts", {"vendors": values})
        parcel = shape["vendors"]["parcel"]
        model = Model(shape["id"], parcel["credentials"]["api_key"], parcel["owned"]["lines"][0]["number"])
        self.freeze(model)
        return model

    def freeze(self, model: Model) -> None:
        self.ask("POST", f"/_mock/accounts/{model.id}/clock", {"freeze": True})

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        response = self.client.request(method, path, json=body, headers=headers)
        assert response.status_code < 300, response.text
        return response.json() if response.content else None

    @rule(who=customers, to=st.sampled_from([*SUBSCRIBERS, FAILING]), code=st.booleans())
    def send(self, who: int, to: str, code: bool) -> None:
        """A message takes the ordinary course, or the one that its recipient asks for."""
        model = self.models[who]
        self.number += 1
        text = f"Your code is {1000 + self.number}" if code else f"text {self.number} of {who}"
        message = {"from": model.line, "to": to, "text": text}
        if to in model.left:
            refused = self.client.post("/messages", json=message, headers={"x-key": model.key})
            assert (refused.status_code, refused.json()) == (403, {"error": "opted out"})
            model.refused += 1
            return
        body = self.ask("POST", "/messages", message, **{"x-key": model.key})
        course = "failed" if to == FAILING else "delivered"
        model.sent.append(Sent(body["id"], to, text, model.clock, course))

    @rule(who=customers, sender=st.sampled_from(SUBSCRIBERS), word=st.sampled_from(["", "", " stop. ", "Start"]))
    def reply(self, who: int, sender: str, word: str) -> None:
        """A subscriber writes to a customer's line, perhaps to get no more messages from it."""
        model = self.models[who]
        self.number += 1
        text = word or f"reply {self.number}"
        body = {"account": model.id, "vendor": "parcel", "from": sender, "text": text}
        assert self.ask("POST", "/_mock/inbound", body)["to"] == model.line
        model.replies.append((sender, text))
        if word == "Start":
            model.left.discard(sender)
        elif word:
            model.left.add(sender)
            model.answered.append(sender)

    @rule(who=customers, seconds=st.sampled_from([60, 1, 4, 0]))
    def advance(self, who: int, seconds: int) -> None:
        """The clock says how many callbacks its move has set off."""
        model = self.models[who]
        before = self.told(model)
        model.clock += seconds
        told = self.ask("POST", f"/_mock/accounts/{model.id}/clock", {"advance": seconds})["callbacks"]
        assert told == self.told(model) - before

    @staticmethod
    def told(model: Model) -> int:
        return sum(len(sent.states(model.clock)) for sent in model.sent)

    @rule(who=customers)
    def reset(self, who: int) -> None:
        """All that it did is forgotten; its clock is the real one again, so it is stopped anew."""
        model = self.models[who]
        self.ask("POST", f"/_mock/accounts/{model.id}/reset")
        self.freeze(model)
        self.models[who] = Model(model.id, model.key, model.line)

    @rule(who=customers)
    def redeliver(self, who: int) -> None:
        """The latest callback is sent once more, the same."""
        model = self.models[who]
        calls = self.calls(model, direction="out")
        if calls:
            self.ask("POST", f"/_mock/accounts/{model.id}/callbacks/{calls[0]['id']}")
            model.redelivered += 1
            again = self.take(model)[-1]
            assert again["body_base64"] == calls[0]["request"]["body_base64"]

    @rule(who=customers)
    def take_callbacks(self, who: int) -> None:
        """What was withheld is given once."""
        self.take(self.models[who])

    def take(self, model: Model) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = self.ask("POST", f"/_mock/accounts/{model.id}/callbacks/take")["callbacks"]
        model.taken += len(taken)
        assert model.taken == self.told(model) + model.redelivered
        return taken

    def calls(self, model: Model, **query: str) -> list[dict[str, Any]]:
        parameters = "&".join(f"{name}={value}" for name, value in {"account": model.id, **query}.items())
        calls: list[dict[str, Any]] = self.ask("GET", f"/_mock/calls?{parameters}&limit=1000")["calls"]
        return calls

    @invariant()
    def all_agrees(self) -> None:
        """Messages, journal, what the vendor reads back, and callbacks, of either customer."""
        for model in getattr(self, "models", ()):
            states = {sent.id: (["queued", *sent.states(model.clock)])[-1] for sent in model.sent}
            self.check_messages(model)
            self.check_read_back(model, states)
            out = self.calls(model, direction="out")
            told = Counter((sent.id, state) for sent in model.sent for state in sent.states(model.clock))
            found = Counter((call["request"]["json"]["id"], call["request"]["json"]["state"]) for call in out)
            assert set(found) == set(told)
            assert found.total() == told.total() + model.redelivered
            sends = self.calls(model, operation="parcel.send_message")
            assert {call["cause"] for call in out} <= {call["id"] for call in sends}
            assert len(sends) == len(model.sent) + model.refused

    def check_messages(self, model: Model) -> None:
        messages = self.ask("GET", f"/_mock/messages?account={model.id}&limit=1000")["messages"]
        outbound = [one for one in reversed(messages) if one["direction"] == "outbound" and one["operation"]]
        answers = [one for one in reversed(messages) if one["direction"] == "outbound" and not one["operation"]]
        assert [one["to"] for one in answers] == model.answered
        expected = [(s.to, s.text, (["accepted", *s.states(model.clock)])[-1]) for s in model.sent]
        assert [(one["to"], one["text"], one["state"]) for one in outbound] == expected
        assert [one["code"] for one in outbound] == [
            sent.text.rpartition(" ")[2] if "code" in sent.text else None for sent in model.sent
        ]
        inbound = [one for one in reversed(messages) if one["direction"] == "inbound"]
        assert [(one["from"], one["text"]) for one in inbound] == model.replies

    def check_read_back(self, model: Model, states: dict[str, str]) -> None:
        key = {"x-key": model.key}
        assert self.ask("GET", "/messages", **key)["total"] == len(model.sent) + len(model.replies)
        for sent in model.sent[-2:]:
            row = self.ask("GET", f"/messages/{sent.id}", **key)
            assert (row["text"], row["state"]) == (sent.text, states[sent.id])

    def teardown(self) -> None:
        if hasattr(self, "client"):
            self.client.__exit__(None, None, None)


TestConversations = Conversations.TestCase
TestConversations.settings = settings(max_examples=20, stateful_step_count=25, deadline=None)
