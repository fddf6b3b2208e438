"""Where time, ids and counters come from, as one value, so that tests can fix them."""

import random
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain, repeat

FIRST_SEQUENCE_NUMBER = 9001
SEQUENCE_BLOCK = 1_000  # numbers of a sequence that are taken at once
SEEDED_TIME = 1_893_456_000.0  # Unix seconds, 2030-01-01T00:00:00Z: where the clock of a seeded account stands


_HAS_CLOCK_IDS = hasattr(time, "clock_gettime")  # not on Windows

real_time: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_REALTIME) if _HAS_CLOCK_IDS else partial(time.time)
)
"""Unix seconds. Of the functions of ``time`` freezegun leaves this one alone, and it looks into no ``partial``: what it
freezes is the client's time, not the server's. time-machine moves it, too, for whatever runs in its process."""

steady_time: Callable[[], float] = (
    partial(time.clock_gettime, time.CLOCK_MONOTONIC) if _HAS_CLOCK_IDS else partial(time.monotonic)
)
"""Seconds since some moment, for deadlines and durations: they go on, whatever a test does to its clocks."""


@dataclass(frozen=True, slots=True)
class Sources:
    """``now`` gives Unix seconds, ``uuid`` random UUIDs as text, ``sequence`` integers that only increase."""

    now: Callable[[], float]
    uuid: Callable[[], str]
    sequence: Callable[[], int]

    @classmethod
    def real(cls, take_block: Callable[[int], range] | None = None, chance: random.Random | None = None) -> "Sources":
        """The system's clock, and randomness that nobody else can seed or advance.

        ``take_block`` gives the next numbers of the sequence, so many at once; by default those of this process. It
        must not wait: what shares the sequence with other processes fetches the next block ahead. ``chance`` is drawn
        from, for whoever has to seed it anew in another process.
        """
        chance = chance or own_chance()
        return cls(real_time, partial(uuid4, chance.getrandbits), numbers(take_block or counted_blocks()))


def own_chance() -> random.Random:
    """Randomness for ids, not secrets, that nobody else can seed or advance."""
    return random.Random(secrets.randbits(128))  # noqa: S311 -- as it says


def numbers(take_block: Callable[[int], range]) -> Callable[[], int]:
    """The numbers of the blocks one by one; a block is taken when the one before it is used up."""
    return chain.from_iterable(map(take_block, repeat(SEQUENCE_BLOCK))).__next__


def counted_blocks() -> Callable[[int], range]:
    """Blocks of a sequence that is this process's alone."""
    start = FIRST_SEQUENCE_NUMBER

    def take_block(size: int) -> range:
        nonlocal start
        block = range(start, start + size)
        start = block.stop
        return block

    return take_block


def uuid4(random_bits: Callable[[int], int]) -> str:
    """A UUID as text (RFC 9562, version 4, variant always "a"). The library's own takes 1.5 us more."""
    text = random_bits(128).to_bytes(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"


class SeededIds:
    """The ids of one call of a seeded account: the same whenever its earlier calls drew as many.

    All that is to be remembered of an account is its seed, and how many ids its calls have drawn.
    """

    def __init__(self, seed: int, before: int) -> None:
        self._seed = seed
        self._before = before
        self._next = before

    @property
    def drawn(self) -> tuple[int, int]:
        """How many ids the account's calls had drawn before this one, and how many with it."""
        return self._before, self._next

    def uuid(self) -> str:
        """A UUID as text."""
        return uuid4(random.Random(f"{self._seed}/{self._draw()}").getrandbits)  # noqa: S311 -- repeatable ids

    def sequence(self) -> int:
        """An integer that only increases."""
        return FIRST_SEQUENCE_NUMBER + self._draw()

    def _draw(self) -> int:
        self._next += 1
        return self._next - 1
