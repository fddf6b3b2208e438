"""What was to be awaited and is not yet: an assertion that nobody awaits asserts nothing."""

from dataclasses import dataclass, field
from itertools import count


@dataclass(slots=True)
class Unawaited:
    """What was made for an account and not awaited yet.

    ``owner`` is what a test calls the account. Where it ``is_watched``, somebody looks here when the test ends, and no
    warning is needed.
    """

    owner: str = "account"
    is_watched: bool = False
    _lines: dict[int, str] = field(default_factory=dict)
    _numbers: "count[int]" = field(default_factory=count)

    def add(self, line: str) -> int:
        """Note what is to be awaited, and where it was made; returns the number by which to remove it."""
        number = next(self._numbers)
        self._lines[number] = line
        return number

    def remove(self, number: int) -> None:
        """Note that it is awaited."""
        self._lines.pop(number, None)

    @property
    def lines(self) -> list[str]:
        """``tests/test_app.py:12: account.<vendor>.assert_called(...) was never awaited``, oldest first."""
        return list(self._lines.values())
