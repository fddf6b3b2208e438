"""Trouble on the way to the client, of a reply or of a callback, for ``pin(fault=…)``: ``fault.reset(times=2)``.

Each fault hits the next request, or ``times`` requests (None: all), each with ``probability``; the same ``seed`` spares
the same requests. The server checks the values.
"""

from typing import TYPE_CHECKING, Any, Literal, NoReturn, Required, TypedDict, overload

from mockserver.testing.arguments import typed
from mockserver.testing.names import nearest_hint

_FAULTS = (
    "delay", "dribble", "duplicate", "empty", "garbage", "late", "lost", "malformed", "reset", "timeout", "truncate",
    "wrong_signature",
)  # fmt: skip
__all__ = ["FaultDict", "Kind", "LognormalDict", *_FAULTS]  # noqa: PLE0604 -- they are all texts

Kind = Literal[
    "delay", "timeout", "reset", "empty", "garbage", "truncate", "dribble", "malformed", "duplicate", "late", "lost",
    "wrong_signature",
]  # fmt: skip


class LognormalDict(TypedDict):
    """A delay whose logarithm is normally distributed. ``median`` is in seconds."""

    median: float
    sigma: float


class FaultDict(TypedDict, total=False):
    """A fault as the control API takes it. ``uniform`` is ``[least, most]`` in seconds."""

    kind: Required[Kind]
    times: int | None
    probability: float
    seed: int
    seconds: float
    uniform: list[float]
    lognormal: LognormalDict
    chunks: int


@overload
def delay(
    *, seconds: float, times: int | None = ..., probability: float = ..., seed: int | None = ...
) -> FaultDict: ...
@overload
def delay(
    *, uniform: tuple[float, float], times: int | None = ..., probability: float = ..., seed: int | None = ...
) -> FaultDict: ...
@overload
def delay(
    *, lognormal: tuple[float, float], times: int | None = ..., probability: float = ..., seed: int | None = ...
) -> FaultDict: ...
def delay(  # noqa: PLR0913 -- the control API's own parts
    *,
    seconds: float | None = None,
    uniform: tuple[float, float] | None = None,
    lognormal: tuple[float, float] | None = None,
    times: int | None = 1,
    probability: float = 1.0,
    seed: int | None = None,
) -> FaultDict:
    """The reply comes late: by ``seconds``, from ``(least, most)`` seconds, or by ``(median in seconds, sigma)``."""
    fault = _fault("delay", times, probability, seed)
    if seconds is not None:
        fault["seconds"] = seconds
    if uniform is not None:
        fault["uniform"] = list(_pair("uniform", "least, most", uniform))
    if lognormal is not None:
        median, sigma = _pair("lognormal", "median, sigma", lognormal)
        fault["lognormal"] = {"median": median, "sigma": sigma}
    return fault


def timeout(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """No reply comes, and the connection stays open."""
    return _fault("timeout", times, probability, seed)


def reset(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """The connection is reset, without a reply."""
    return _fault("reset", times, probability, seed)


def empty(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """The connection is closed, without a reply."""
    return _fault("empty", times, probability, seed)


def garbage(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """The reply is no HTTP."""
    return _fault("garbage", times, probability, seed)


def truncate(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """The connection is closed in the middle of the reply's body."""
    return _fault("truncate", times, probability, seed)


def dribble(
    *,
    seconds: float | None = None,
    chunks: int | None = None,
    times: int | None = 1,
    probability: float = 1.0,
    seed: int | None = None,
) -> FaultDict:
    """The reply's body comes in so many ``chunks`` (default: 5), over so many ``seconds`` in all (default: 1)."""
    fault = _fault("dribble", times, probability, seed)
    if seconds is not None:
        fault["seconds"] = seconds
    if chunks is not None:
        fault["chunks"] = chunks
    return fault


def malformed(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """The reply's body is no JSON."""
    return _fault("malformed", times, probability, seed)


def duplicate(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """A callback is sent twice."""
    return _fault("duplicate", times, probability, seed)


def late(*, seconds: float, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """A callback comes so many seconds later by the account's clock; those after it do not wait for it."""
    fault = _fault("late", times, probability, seed)
    fault["seconds"] = seconds
    return fault


def lost(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """A callback does not come; the vendor tries again where it does so without an answer."""
    return _fault("lost", times, probability, seed)


def wrong_signature(*, times: int | None = 1, probability: float = 1.0, seed: int | None = None) -> FaultDict:
    """A callback's signature is not that of its body."""
    return _fault("wrong_signature", times, probability, seed)


def _fault(kind: Kind, times: int | None, probability: float, seed: int | None) -> FaultDict:
    """A fault without what is as by default."""
    fault: FaultDict = {"kind": kind}
    if times != 1:
        fault["times"] = times
    if probability != 1:
        fault["probability"] = probability
    if seed is not None:
        fault["seed"] = seed
    return fault


def _pair(name: str, parts: str, value: Any) -> tuple[float, float]:
    """Two numbers. Raises TypeError."""
    if not isinstance(value, tuple | list) or len(value) != 2:
        raise TypeError(f"{name} must be ({parts}), not {typed(value)}")
    return value[0], value[1]


def __dir__() -> list[str]:
    return __all__


if not TYPE_CHECKING:  # so that type checkers tell a wrong name, too

    def __getattr__(name: str) -> NoReturn:
        raise AttributeError(f"there is no fault {name!r}; known: {', '.join(_FAULTS)}{nearest_hint(name, _FAULTS)}")
