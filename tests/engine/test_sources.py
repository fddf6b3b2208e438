"""Sources: fresh ids that nobody else's randomness reaches, sequences in blocks, and ids from a seed."""

import random
import re
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from mockserver.engine.sources import SeededIds, Sources, counted_blocks, numbers

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}")


def test_real_sources_never_repeat() -> None:
    """Ids differ within a source and between two; the sequence increases; the clock is this machine's."""
    one, other = Sources.real(), Sources.real()
    ids = [source.uuid() for source in (one, other) for _ in range(100)]
    assert len(set(ids)) == 200
    assert all(UUID.fullmatch(text) for text in ids)
    assert [one.sequence(), one.sequence(), other.sequence()] == [9001, 9002, 9001]
    assert one.now() <= other.now()


def test_seeding_the_global_generator_repeats_no_id() -> None:
    """A test suite that seeds ``random`` for its own sake seeds nothing here, and draws what it would draw without."""
    source, ids, drawn = Sources.real(), [], []
    for _ in range(2):
        random.seed(1)
        ids.append(source.uuid())
        drawn.append(random.random())  # noqa: S311 -- what the test suite draws
    assert ids[0] != ids[1]
    assert drawn == [random.Random(1).random()] * 2  # noqa: S311 -- as above


SEEN: set[str] = set()
SOURCE = Sources.real()


@given(st.integers())
@settings(max_examples=20)
def test_hypothesis_repeats_no_id(example: int) -> None:
    """Hypothesis seeds ``random`` before each example; each gets an id of its own all the same."""
    text = SOURCE.uuid()
    assert text not in SEEN, example
    SEEN.add(text)


def test_a_sequence_comes_in_blocks() -> None:
    """Two processes that take blocks of one store never draw the same number, and each counts up."""
    taken: list[int] = []
    take = counted_blocks()

    def noted(size: int) -> range:
        taken.append(size)
        return take(size)

    one, other = numbers(noted), numbers(noted)
    drawn = [[draw() for _ in range(1_500)] for draw in (one, other)]
    assert len(set(drawn[0] + drawn[1])) == 3_000
    assert all(first < second for part in drawn for first, second in pairwise(part))
    assert (drawn[0][0], taken) == (9001, [1_000] * 4)


@given(st.integers(0, 2**63 - 1), st.lists(st.sampled_from(["uuid", "sequence"]), min_size=1, max_size=8))
def test_ids_of_a_seed_are_the_same_however_many_calls_draw_them(seed: int, kinds: list[str]) -> None:
    """What is drawn depends on the seed and on how many ids were drawn before, not on who drew them."""
    together = SeededIds(seed, 0)
    at_once = [getattr(together, kind)() for kind in kinds]
    apart = [getattr(SeededIds(seed, drawn), kind)() for drawn, kind in enumerate(kinds)]
    assert at_once == apart
    assert len(set(map(str, at_once))) == len(kinds)
    assert together.drawn == (0, len(kinds))
    assert all(UUID.fullmatch(text) for text in at_once if isinstance(text, str))
    assert SeededIds(seed, 0).uuid() != SeededIds(seed + 1, 0).uuid()
