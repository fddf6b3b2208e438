"""What to change where real calls depart from the contracts: a patch of the files, and fixtures."""

import difflib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from mockserver.cli.drift_fixture import FixtureWriter, UnwritableError
from mockserver.cli.drift_patch import Seen, patched
from mockserver.cli.drift_trial import FixtureTrial
from mockserver.engine.account import AccountData
from mockserver.server.build import fixtures_folder
from mockserver.server.drift.recording import RealCall
from mockserver.server.settings import Settings
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import load_contracts
from mockserver.spec.model import Contract

NEW_FILE = "/dev/null"
CASE_PREFIX = "real_"


def proposals(
    calls: Iterable[RealCall], contracts: Iterable[Contract], account: AccountData, settings: Settings
) -> Iterator[str]:
    """The lines: patches that ``git apply`` and ``patch`` take, and before each what it leaves to do by hand."""
    calls = list(calls)
    for contract in contracts:
        seen = newest(contract, calls)
        lacking = [call for call in calls if call.vendor == contract.vendor and call.answer is None]
        if seen or lacking:
            yield from _of_contract(contract, seen, lacking, account, settings)


def newest(contract: Contract, calls: Iterable[RealCall]) -> list[Seen]:
    """Of each answer the newest call that has something to say of it."""
    known = {a.id: (o, a) for o in contract.operations if o.name == o.spelling for a in o.answers.values()}
    by_answer = {
        call.answer: Seen(call, *known[call.answer])
        for call in calls
        if call.answer is not None and call.answer in known and (call.departures or call.confirmed)
    }
    return list(by_answer.values())


def _of_contract(
    contract: Contract, seen: list[Seen], lacking: Iterable[RealCall], account: AccountData, settings: Settings
) -> Iterator[str]:
    file = Path(contract.file)
    text = file.read_text("utf-8")
    unfit = {one.answer.id: list(_faults(file, patched(text, [one]).text)) for one in seen}
    patch = patched(text, [one for one in seen if not unfit[one.answer.id]])
    faults = [sentence for one in seen if unfit[one.answer.id] for sentence in _unmended(one, unfit[one.answer.id])]
    together = list(_faults(file, patch.text))
    if together:  # each alone is fine
        faults += [sentence for one in seen if not unfit[one.answer.id] for sentence in _unmended(one, together)]
        patch = patched(text, [])
    trial = FixtureTrial(file.name, patch.text, settings)
    fixtures = list(_fixtures(contract, seen, account, trial))
    lacks = [f"{call.operation}: {departure.sentence}" for call in lacking for departure in call.departures]
    untold = [f"{answer}: no fixture of it: {why}" for answer, _, why in fixtures if why]
    by_hand = list(dict.fromkeys((*lacks, *patch.by_hand, *faults, *untold)))
    if by_hand:
        yield ""
        yield f"To be changed by hand in {_relative(file)}:"
        yield ""
        yield from (f"- {sentence}" for sentence in by_hand)
    yield from _diff(file, text, patch.text)
    folder = settings.fixtures[0] if settings.fixtures else fixtures_folder()
    for answer, written, _ in fixtures:
        if written:
            operation, name = answer.removeprefix(f"{contract.vendor}.").split("/")
            fixture = folder / contract.vendor / operation / f"{CASE_PREFIX}{name}.yaml"
            yield from _diff(fixture, fixture.read_text("utf-8") if fixture.is_file() else "", written)


def _unmended(seen_call: Seen, faults: Iterable[str]) -> Iterator[str]:
    """What departs in a call of which no patch can be, and why."""
    yield from (f"{seen_call.answer.id}: {departure.sentence}" for departure in seen_call.call.departures)
    yield from (f"{seen_call.answer.id}: a patch of it breaks the contract: {fault}" for fault in faults)


def _faults(file: Path, text: str) -> Iterator[str]:
    """What is wrong with a contract once it is patched."""
    with TemporaryDirectory(prefix="mockserver-") as folder:
        changed = Path(folder) / file.name
        changed.write_text(text, "utf-8")
        try:
            load_contracts([changed])
        except ContractErrors as errors:
            yield from (f"{error.message} ({error.pointer})" for error in errors.errors)


def _fixtures(
    contract: Contract, seen: Iterable[Seen], account: AccountData, trial: FixtureTrial
) -> Iterator[tuple[str, str, str]]:
    """Of each answer its name, and the text of its fixture, or else why there is none."""
    writer = FixtureWriter(contract, account.vendors[contract.vendor])
    for seen_call in seen:
        if not seen_call.is_moved:
            try:
                cases = writer.cases(seen_call.call, seen_call.operation, seen_call.answer)
                written, reasons = trial.first_that_holds(contract.vendor, cases)
            except UnwritableError as error:
                written, reasons = "", [str(error)]
            yield seen_call.answer.id, written, "; ".join(reasons)


def _diff(file: Path, before: str, after: str) -> Iterator[str]:
    name = _relative(file)
    lines = difflib.unified_diff(
        before.splitlines(), after.splitlines(), f"a/{name}" if before else NEW_FILE, f"b/{name}", lineterm=""
    )
    for number, line in enumerate(lines):
        if not number:
            yield ""
            if _folder(file) != Path.cwd():
                yield f"To be applied in {_folder(file)}:"
        yield line


def _relative(file: Path) -> str:
    """A file as a shell in the patch's folder names it."""
    return file.resolve().relative_to(_folder(file)).as_posix()


def _folder(file: Path) -> Path:
    """Where a patch of this file is applied: here, or where no path from here leads up, as no patch takes one."""
    return Path(os.path.commonpath([Path.cwd(), file.resolve()]))
