"""How many calls are meant, the verdict on a number of calls, and which of the others come nearest."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

from mockserver.matching.compare import Difference

MAX_NEAREST = 3  # calls

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Count:
    """How many calls are meant; no ``most`` means any number above."""

    least: int = 1
    most: int | None = None

    @classmethod
    def exactly(cls, number: int) -> "Count":
        return cls(number, number)

    def __str__(self) -> str:
        if self.least == self.most:
            return f"exactly {self.least}"
        if self.most is None:
            return f"at least {self.least}"
        return f"at most {self.most}" if self.least == 0 else f"from {self.least} to {self.most}"

    def is_exceeded(self, number: int) -> bool:
        return self.most is not None and number > self.most

    def verdict(self, number: int, unseen: int) -> bool | None:
        """Whether so many calls are as many as meant. None where calls that could not be seen may change that."""
        if self.is_exceeded(number):
            return False
        if unseen and (number < self.least or self.most is not None):
            return None
        return number >= self.least


@dataclass(frozen=True, slots=True)
class Miss(Generic[C]):
    """A call that was not the one, and where it differs."""

    call: C
    differences: tuple[Difference, ...]


def nearest(misses: Iterable[Miss[C]], is_far: Callable[[C], bool] = lambda _: False) -> list[Miss[C]]:
    """The few calls that differ least, earlier ones first among equals, and far ones behind all others."""
    return sorted(misses, key=lambda miss: (is_far(miss.call), len(miss.differences)))[:MAX_NEAREST]
