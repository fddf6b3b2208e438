"""An account's own time, which a test may advance or freeze."""

from dataclasses import dataclass


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

    def shift(self, real: float) -> float:
        """How many seconds this clock is ahead of the real one at a real time."""
        return self.at(real) - real

    def advanced(self, real: float, seconds: float) -> "Clock":
        """The clock that is so many seconds ahead of this one from now on."""
        frozen = bool(self.stretches) and self.stretches[-1].frozen
        return Clock((*self.stretches, Stretch(real, self.at(real) + seconds, frozen)))

    def frozen(self, real: float, at: float | None) -> "Clock":
        """The clock that stands still from now on, at its own time (None) or at another."""
        return Clock((*self.stretches, Stretch(real, self.at(real) if at is None else at, frozen=True)))

    def running(self, real: float) -> "Clock":
        """The clock that goes on from where it stands."""
        return Clock((*self.stretches, Stretch(real, self.at(real), frozen=False)))

    @property
    def is_frozen(self) -> bool:
        return bool(self.stretches) and self.stretches[-1].frozen


REAL = Clock()
