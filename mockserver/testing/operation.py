"""One operation of a vendor, for one account: its calls, and the answers fixed for it."""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, Self

from mockserver.testing.assertions import Assertions
from mockserver.testing.control import segment
from mockserver.testing.journal import Journal
from mockserver.testing.where import plain_only


class Pin:
    """Answers that were fixed; leaving its ``with`` block gives the operation back to the rules."""

    def __init__(self, operation: "Operation", data: Mapping[str, Any]) -> None:
        self._operation = operation
        self.data = data

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._operation.unpin()


class Operation(Assertions):
    """``id`` is ``vendor.operation``. ``reset`` concerns its pins; a journal is an account's and reset with it."""

    def __init__(self, journal: Journal, operation_id: str) -> None:
        super().__init__(journal, {"operation": operation_id})
        self.id = operation_id

    def pin(  # noqa: PLR0913 -- the control API's own parts
        self,
        *answers: str | Mapping[str, Any],
        then: Literal["rules", "last"] = "rules",
        where: Mapping[str, Any] | None = None,
        when: Mapping[str, Any] | None = None,
        set: Mapping[str, Any] | None = None,  # noqa: A002 -- the control API's word
        force: bool = False,
        fault: Mapping[str, Any] | None = None,
    ) -> Pin:
        """Fix the next answers: names, ``"rules"`` to pass through, or literals ``{status, headers, body}``.

        They take the place of those fixed before. ``set`` lays values over them: ``{"/header/Retry-After": "0"}``.
        A success answers only a request without problems unless ``force``. ``fault`` is what goes wrong on the way
        back: ``{"kind": "reset", "times": 2}``; an answer beside it counts as given all the same. Raises ControlError.
        """
        if not answers and fault is None:
            raise TypeError("pin needs at least one answer (a name, 'rules' or {'status': …}), or a fault")
        pattern = plain_only({**(where or {}), **({} if when is None else {"when": when})}, "a pin")
        body = {"account": self._journal.account, "answers": list(answers), "then": then, "force": force, **pattern}
        if set is not None:
            body["set"] = set
        if fault is not None:
            body["fault"] = fault
        return Pin(self, self._journal.control.put(f"pins/{segment(self.id)}", body))

    def unpin(self) -> None:
        """Give the operation back to the contract's rules."""
        self._journal.control.delete("pins", account=self._journal.account, operation=self.id)

    def reset(self) -> None:
        """Forget its pins; calls are forgotten by the account's ``reset``."""
        self.unpin()

    def __repr__(self) -> str:
        return f"<Operation {self.id} of account {self._journal.account}>"
