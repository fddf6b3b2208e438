"""Records of one kind, as many as there is room for."""

from collections import OrderedDict
from typing import Any

from mockserver.store.rows import dump

MAX_RECORDS = 10_000  # of a list; the oldest goes
ROOM_BYTES = 4_096  # a larger record takes the room of several
SIZE_STEP = 512  # sizes are counted in such pieces, so that what is short may change without another size

Record = dict[str, Any]


class RecordList(OrderedDict[str, Record]):
    """Records by key, the oldest first. To take the first of a plain dict takes longer the more were taken before."""

    def __init__(self) -> None:
        super().__init__()
        self._extra: dict[str, int] = {}  # by key, what a large record takes beside the room of one
        self._taken = 0  # by all of these

    def keep(self, key: str, record: Record, extra: int = 0) -> list[tuple[str, Record]]:
        """Keep a record as the newest; returns those that are gone: one of this key, and those that made room.

        ``extra`` is how many more of them it counts for. The newest stays, however large it is.
        """
        former = self.forget(key)
        gone = [] if former is None else [(key, former)]
        self[key] = record
        if extra:
            self._extra[key] = extra
            self._taken += extra
        while len(self) + self._taken > MAX_RECORDS and len(self) > 1:
            gone.append(self.popitem(last=False))
            self._taken -= self._extra.pop(gone[-1][0], 0)
        return gone

    def forget(self, key: str) -> Record | None:
        """Forget the record of this key, and return it; None where there is none."""
        if self._extra:
            self._taken -= self._extra.pop(key, 0)
        return self.pop(key, None)


def extra_room(record: Record) -> int:
    """How many more records a large one counts for."""
    return sum(_size(member) // SIZE_STEP for member in record.values()) * SIZE_STEP // ROOM_BYTES


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    return len(dump(value)) if isinstance(value, dict | list) else 0
