"""Records that are looked at from several places, written by where they stand; and the views that lead to them."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mockserver.engine.account import AccountData
from mockserver.engine.facts import Kept
from mockserver.store.planned_steps import StepDue


class PlacedRecord(NamedTuple):
    """Where a record stands: in an account's data, in a list of its records, or nowhere that lasts (``copy``).

    ``new`` are those that are kept by the same answer, by number.
    """

    kind: str
    at: tuple[Any, ...]


def place_of(record: Any, data: Mapping[str, Any], kept: Kept, new: Sequence[Any] = ()) -> PlacedRecord:
    """Where a record stands: in a vendor's part of an account, or among the records that are kept of that vendor's."""
    for number, one in enumerate(new):
        if one is record:
            return PlacedRecord("new", (number,))
    path = _path(record, data)  # of what an account was born with there is little
    if path is not None:
        return PlacedRecord("born", path)
    for list_name, records in kept.items():
        for key, one in records.items():
            if one is record:
                return PlacedRecord("kept", (list_name, key))
    return PlacedRecord("copy", (record,))


def _path(record: Any, holder: Any) -> tuple[Any, ...] | None:
    if holder is record:
        return ()
    members = holder.items() if isinstance(holder, Mapping) else enumerate(holder) if isinstance(holder, list) else ()
    for name, member in members:
        path = _path(record, member)
        if path is not None:
            return (name, *path)
    return None


def born_record(data: Any, path: Any) -> Any:
    """The record at a place in an account's data; None where there is none any more."""
    for name in path:
        try:
            data = data[name]
        except (KeyError, IndexError, TypeError):
            return None
    return data if isinstance(data, dict) else None


def record_at(place: Any, data: Mapping[str, Any], kept: Kept, new: Sequence[Any] = ()) -> dict[str, Any] | None:
    """The record at a place as it is written; None where there is none any more."""
    kind, at = place
    if kind == "new":
        record: dict[str, Any] | None = new[at[0]]
        return record
    if kind == "copy":
        copy: dict[str, Any] | None = at[0]
        return copy
    return kept.get(at[0], {}).get(at[1]) if kind == "kept" else born_record(data, at)


def written_view(
    view: Mapping[str, Any], account: AccountData | None, vendor: str, kept: Kept, new: Sequence[Any] = ()
) -> dict[str, Any]:
    """What an answer could read, as JSON values; what stands elsewhere by its place."""
    data = {} if account is None else account.vendors.get(vendor, {})
    owned = {name: [*place_of(record, data, kept, new)] for name, record in view.get("owned", {}).items()}
    plain = {name: value for name, value in view.items() if name not in {"account", "owned", "kept"}}
    return {"plain": plain, "owned": owned, "kept": "kept" in view, "account": bool(view.get("account"))}


def read_view(
    written: Mapping[str, Any], account: AccountData | None, vendor: str, kept: Kept, new: Sequence[Any] = ()
) -> dict[str, Any]:
    """The view, with the records that stand where they were. Raises KeyError, ValueError or TypeError."""
    data: Mapping[str, Any] = {} if account is None else account.vendors.get(vendor, {})
    owned = {name: record_at(place, data, kept, new) or {} for name, place in written["owned"].items()}
    view = {**written["plain"], "account": data if written["account"] else {}, "owned": owned}
    return {**view, "kept": kept} if written["kept"] else view


def step_value(step: StepDue, view: Mapping[str, Any]) -> dict[str, Any]:
    """A step as JSON values; ``view`` is its written view."""
    return {
        "due": step.due,
        "vendor": step.vendor,
        "list": step.list_name,
        "key": step.key,
        "place": step.step.place,
        "cause": step.cause,
        "index": step.index,
        "recipient": step.recipient,
        "view": view,
    }
