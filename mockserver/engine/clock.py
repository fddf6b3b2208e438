"""An account's own time, which a test may advance or freeze."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stretch:
    """From ``real`` on (Unix seconds) it is ``virtual``; time passes from there, or stands still."""

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
        """What time it is, or was, when it really is ``real``."""
        for stretch in reversed(self.stretches):
            if real >= stretch.real:
                return stretch.at(real)
        return real

    def shift(self, real: float) -> float:
        """How far this clock is from the real one at a real time: what a time written then is off by."""
        return self.at(real) - real

    def advanced(self, real: float, seconds: float) -> "Clock":
        """The clock that is so many seconds further from now on."""
        frozen = bool(self.stretches) and self.stretches[-1].frozen
        return Clock((*self.stretches, Stretch(real, self.at(real) + seconds, frozen)))

    def frozen(self, real: float, at: float | None) -> "Clock":
        """The clock that stands still from now on, at its own time or at another."""
        return Clock((*self.stretches, Stretch(real, self.at(real) if at is None else at, frozen=True)))

    def running(self, real: float) -> "Clock":
        """The clock that goes on from where it stands."""
        return Clock((*self.stretches, Stretch(real, self.at(real), frozen=False)))

    @property
    def is_frozen(self) -> bool:
        return bool(self.stretches) and self.stretches[-1].frozen


REAL = Clock()
