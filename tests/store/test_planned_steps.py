"""Steps come in the order in which they are due, and go with their record."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mockserver.engine.effects import DueStep
from mockserver.store.planned_steps import PlannedSteps, StepDue

RECORDS: list[dict[str, Any]] = [{"id": number} for number in range(4)]
TIMES = st.integers(0, 9)
COMMANDS = st.one_of(
    st.tuples(st.just("add"), TIMES, st.sampled_from(range(4))),
    st.tuples(st.just("forget"), st.sampled_from(range(4)), st.none()),
    st.tuples(st.just("due"), TIMES, st.integers(1, 3)),
    st.tuples(st.just("take"), st.sets(st.integers(0, 30)), st.none()),
)


def step(number: int, due: float, record: dict[str, Any]) -> StepDue:
    return StepDue(due, "acme", "sent", "m", record, DueStep("sent", 0.0, None, ()), 1, 0, {}, "", number)


@given(st.lists(COMMANDS, max_size=40))
def test_as_a_plain_list_would_have_them(commands: list[tuple[str, Any, Any]]) -> None:
    """Whatever is planned, taken and forgotten, in any order."""
    steps, model = PlannedSteps(), list[StepDue]()
    for number, (command, what, more) in enumerate(commands):
        if command == "add":
            model.append(step(number, what, RECORDS[more]))
            model.sort(key=lambda one: (one.due, one.number))
            steps.add(next(one for one in model if one.number == number))
        elif command == "forget":
            steps.forget(RECORDS[what])
            model = [one for one in model if one.record is not RECORDS[what]]
        else:
            due = [one for one in model if one.due <= what][:more] if command == "due" else []
            taken = due if command == "due" else [one for one in model if one.number in what]
            assert command != "due" or steps.due(what, more) == taken
            assert (steps.take_due(what, more) if command == "due" else steps.take(what)) == taken
            model = [one for one in model if one not in taken]
        assert steps.first(100) == model
        assert steps.next_due == (model[0].due if model else None)
