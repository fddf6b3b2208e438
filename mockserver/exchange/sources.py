"""Where time, ids and counters come from, as one value, so that tests can fix them."""

import itertools
import secrets
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sources:
    """``now``: Unix seconds. ``sequence``: integers that only increase. ``call_id``: never the same twice."""

    now: Callable[[], float]
    uuid: Callable[[], str]
    sequence: Callable[[], int]
    call_id: Callable[[], str]

    @classmethod
    def real(cls) -> "Sources":
        """The system's clock and randomness."""
        sequence = itertools.count(9001).__next__
        number = itertools.count(1).__next__
        run = secrets.token_hex(3)  # so that ids of two runs differ
        return cls(time.time, lambda: str(uuid.uuid4()), sequence, lambda: f"{run}-{number():06x}")
