"""The clocks of accounts, and when tokens that do not say when they were made were first seen."""

from collections import OrderedDict

from mockserver.exchange.clock import REAL, Clock

KEPT = 10_000  # tokens whose first sight is remembered


class Times:
    """Accounts without a clock of their own have the real time."""

    def __init__(self) -> None:
        self.clocks: dict[str, Clock] = {}
        self._first: OrderedDict[int, float] = OrderedDict()  # by hash: tokens are long, and secret
        self.newest = 0.0  # when a token came that had not come before

    def clock(self, account: str) -> Clock:
        """An account's clock."""
        return self.clocks.get(account, REAL)

    def first_seen(self, token: str, real: float) -> float:
        """When a token came for the first time, in real Unix seconds."""
        key = hash(token)
        if key not in self._first:
            self._first[key] = self.newest = real
            if len(self._first) > KEPT:
                self._first.popitem(last=False)
        return self._first[key]

    def clear(self, account: str) -> None:
        """Give an account the real time again."""
        self.clocks.pop(account, None)
