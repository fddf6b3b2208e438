"""Callbacks that may go nowhere, kept until a test takes them."""

from collections import OrderedDict, deque

from mockserver.engine.callback import OutgoingRequest

MAX_HELD = 1_000  # callbacks of an account; the oldest goes
MAX_ACCOUNTS_HELD = 10_000  # accounts that have such; the one that got none for longest goes


class HeldCallbacks:
    """The withheld callbacks of all accounts, both bounded."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[OutgoingRequest]] = OrderedDict()  # by account, the one used last at the end

    def hold(self, request: OutgoingRequest) -> None:
        """Keep a callback of its account."""
        held = self._of.setdefault(request.account, deque(maxlen=MAX_HELD))
        held.append(request)
        self._of.move_to_end(request.account)
        if len(self._of) > MAX_ACCOUNTS_HELD:
            self._of.popitem(last=False)

    def take(self, account: str) -> list[OutgoingRequest]:
        """Those of an account, oldest first; each is given once."""
        return list(self._of.pop(account, ()))
