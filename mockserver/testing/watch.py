"""What the calls of one test's account say beside what the test asserts."""

from mockserver.testing.account import Account
from mockserver.testing.call import Call
from mockserver.testing.control import ControlError

MOST_LINES = 50  # of a failed test's section


class Watch:
    """Reads an account's calls when a test failed, and once more before the account is deleted."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self._final: list[Call] | None = None
        self._told = False
        self.failed = False
        self.unasserted: list[Call] = []

    @property
    def assumed(self) -> list[str]:
        """Answers met that no page documents, as ids."""
        return sorted({call.answer or "" for call in self._final or () if call.evidence == "assumed"})

    def close(self) -> None:
        """Take what the account received; it will be deleted now."""
        self._final = self._account.recorded_calls()
        refused = [call for call in self._final if not call.accepted and call.chosen_by == "rule"]
        self.unasserted = [call for call in refused if not self._account.has_seen(call)]

    def section(self) -> str | None:
        """A line per call, for the report of a failed test; None where it was told already."""
        self.failed = True
        if self._told:
            return None
        self._told = True
        try:
            calls = self._account.recorded_calls() if self._final is None else self._final
        except ControlError as error:
            return f"cannot be read: {error}"
        if not calls:
            return f"account {self._account.id} received no call"
        hidden = len(calls) - MOST_LINES
        earlier = [f"… {hidden} earlier calls"] if hidden > 0 else []
        return "\n".join([*earlier, *map(str, calls[-MOST_LINES:])])
