"""An account's own time, which a test may advance or freeze."""

from dataclasses import dataclass
from typing import NamedTuple

MAX_STRETCHES = 10_000  # of a clock; before the first of them, time is real


@dataclass(frozen=True, slots=True)
class Stretch:
    """From the real time ``real`` on it is ``virtual``, in Unix seconds; time goes on from there or stands still."""

    real: float
    virtual: float
    frozen: bool

    def at(self, real: float) -> float:
        return self.virtual if self.frozen else self.virtual + (real - self.real)


@dataclass(frozen=True, slots=True)
class Clock:
    """Stretches of time, oldest first; before the first one, and without any, time is real."""

    stretches: tuple[Stretch, ...] = ()

    def at(self, real: float) -> float:
        """The time of this clock when the real time is ``real``."""
        for stretch in reversed(self.stretches):
            if real >= stretch.real:
                return stretch.at(real)
        return real

    def real_at(self, time: float) -> float | None:
        """The real time when this clock reaches a time, at the earliest now; None where it stands still before it."""
        if not self.stretches:
            return time
        last = self.stretches[-1]
        if last.frozen:
            return last.real if time <= last.virtual else None
        return last.real + max(0.0, time - last.virtual)

    def shift(self, real: float) -> float:
        """How many seconds this clock is ahead of the real one at a real time."""
        return self.at(real) - real

    def advanced(self, real: float, seconds: float) -> "Clock":
        """The clock that is so many seconds ahead of this one from now on."""
        frozen = bool(self.stretches) and self.stretches[-1].frozen
        return self._then(Stretch(real, self.at(real) + seconds, frozen))

    def frozen(self, real: float, at: float | None) -> "Clock":
        """The clock that stands still from now on, at its own time (None) or at another."""
        return self._then(Stretch(real, self.at(real) if at is None else at, frozen=True))

    def running(self, real: float) -> "Clock":
        """The clock that goes on from where it stands."""
        return self._then(Stretch(real, self.at(real), frozen=False))

    def _then(self, stretch: Stretch) -> "Clock":
        return Clock((*self.stretches[1 - MAX_STRETCHES :], stretch))

    @property
    def is_frozen(self) -> bool:
        return bool(self.stretches) and self.stretches[-1].frozen


REAL = Clock()


class Sight(NamedTuple):
    """When a verified token was first seen, in real Unix seconds, and whether it belongs to the account's own clock.

    One that does is held against the account's time as it is written; another was made in real time, and has aged with
    the account since.
    """

    real: float
    is_own: bool
