"""Counts what users of the control API change, so that whoever shows it knows when to look again."""

from collections import Counter

CLEARING = frozenset({"accounts", "calls"})  # what may take recorded calls with it


class Changes:
    """How often something was changed, by a route's first word: ``accounts``, ``calls``, ``inbound``, ``pins``."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self.cleared = 0  # how often recorded calls may have been cleared

    def note(self, method: str, path: str) -> None:
        """Count a request that succeeded; ``path`` is the one below ``/_mock``."""
        what = path.strip("/").partition("/")[0]
        if method in {"GET", "HEAD"} or path.endswith(("/verify", "/take")):
            return
        self._counts[what] += 1
        self.cleared += what in CLEARING and (method == "DELETE" or path.endswith("/reset"))

    def counts(self) -> dict[str, int]:
        """The counts as they are now."""
        return dict(self._counts)
