"""Calls that a shared store has lost. Several servers tell of the same loss, each by what it knew then."""

from collections.abc import Mapping
from typing import NamedTuple

LostCalls = Mapping[str, Mapping[str, int]]  # by loss how many calls of each account
MAX_LOSSES = 100  # of an account that are remembered


class LossCount(NamedTuple):
    """How many calls of an account went with a loss: the most that was told, and what of it no reset has forgotten."""

    told: int
    counted: int


class Losses:
    """What was told of each loss, by account.

    A reset forgets the calls that are lost, but not that the loss was told: a server that was asleep tells of it later.
    """

    def __init__(self) -> None:
        self._by_account: dict[str, dict[str, LossCount]] = {}

    def restore(self, account: str, loss: str, count: LossCount) -> None:
        """Know again what was told."""
        self._by_account.setdefault(account, {})[loss] = count

    def tell(self, account: str, loss: str, calls: int) -> int:
        """Note that so many calls went with a loss; returns how many of them were not told before."""
        losses = self._by_account.setdefault(account, {})
        told, counted = losses.get(loss, (0, 0))
        more = max(0, calls - told)
        losses[loss] = LossCount(told + more, counted + more)
        if len(losses) > MAX_LOSSES:
            del losses[next(iter(losses))]
        return more

    def of(self, account: str) -> Mapping[str, LossCount]:
        """What is known of an account, by loss, in the order in which it was told."""
        return self._by_account.get(account, {})

    def counted(self, account: str) -> int:
        """How many calls of an account are lost."""
        return sum(count.counted for count in self.of(account).values())

    def reset(self, account: str | None) -> list[str]:
        """Forget the calls of an account (None: of all); returns the accounts that had lost some."""
        accounts = list(self._by_account) if account is None else [account]
        changed = [name for name in accounts if self.counted(name)]
        for name in changed:
            self._by_account[name] = {loss: LossCount(told, 0) for loss, (told, _) in self.of(name).items()}
        return changed

    def forget(self, account: str) -> None:
        """Forget an account that is gone."""
        self._by_account.pop(account, None)

    def standing(self) -> dict[str, dict[str, int]]:
        """The calls that are lost, by loss and account."""
        lost: dict[str, dict[str, int]] = {}
        for account, losses in self._by_account.items():
            for loss, count in losses.items():
                if count.counted:
                    lost.setdefault(loss, {})[account] = count.counted
        return lost
