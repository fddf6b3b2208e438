"""Whether a store can be used, and how long it takes: for the log, and for whoever watches the server."""

from collections.abc import Callable


class StoreCondition:
    """What the uses of a store have shown; ``tell`` is told in a sentence when its trouble begins, and when it ends."""

    def __init__(self) -> None:
        self.tell: Callable[[str], None] = _nobody
        self.trouble = ""  # why it cannot be used, as far as is known
        self.commits = 0  # that were waited for
        self.seconds = 0.0  # that they took
        self.refused = 0  # calls of clients that were not answered, as they could not be kept

    def worked(self, seconds: float) -> None:
        """Note that something was kept, and how long that took."""
        self.commits += 1
        self.seconds += seconds
        if self.trouble:
            self.trouble = ""
            self.tell("the store can be used again")

    def failed(self, why: str) -> None:
        """Note that something could not be kept."""
        if not self.trouble:
            self.tell(f"{why}; until the store can be used again, calls get 503")
        self.trouble = why


def _nobody(_text: str) -> None:
    """Does nothing: the default where nobody listens."""
