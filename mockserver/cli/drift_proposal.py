"""What to change where real calls depart from the contracts: a patch of the files, and fixtures."""

import difflib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from mockserver.cli.drift_fixture import FixtureWriter
from mockserver.cli.drift_patch import Seen, patched
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
    fixtures = settings.fixtures[0] if settings.fixtures else fixtures_folder()
    for contract in contracts:
        seen = newest(contract, calls)
        if seen:
            yield from _contract_patch(contract, seen)
            yield from _fixture_patches(contract, seen, account, fixtures)


def newest(contract: Contract, calls: Iterable[RealCall]) -> list[Seen]:
    """Of each answer the newest call that has something to say of it."""
    known = {a.id: (o, a) for o in contract.operations if o.name == o.spelling for a in o.answers.values()}
    found = {
        call.answer: Seen(call, *known[call.answer])
        for call in calls
        if call.answer is not None and call.answer in known and (call.departures or call.confirmed)
    }
    return list(found.values())


def _contract_patch(contract: Contract, seen: Iterable[Seen]) -> Iterator[str]:
    file = Path(contract.file)
    text = file.read_text("utf-8")
    patch = patched(text, seen)
    by_hand = [*patch.by_hand, *_faults(file, patch.text)]
    if by_hand:
        yield ""
        yield f"To be changed by hand in {_relative(file)}:"
        yield ""
        yield from (f"- {sentence}" for sentence in by_hand)
    yield from _diff(file, text, patch.text)


def _faults(file: Path, text: str) -> Iterator[str]:
    """What is wrong with a contract once it is patched."""
    with TemporaryDirectory(prefix="mockserver-") as folder:
        changed = Path(folder) / file.name
        changed.write_text(text, "utf-8")
        try:
            load_contracts([changed])
        except ContractErrors as errors:
            yield from (f"with the patch below: {error.message} ({error.pointer})" for error in errors.errors)


def _fixture_patches(contract: Contract, seen: Iterable[Seen], account: AccountData, folder: Path) -> Iterator[str]:
    writer = FixtureWriter(contract, account.vendors[contract.vendor])
    for one in seen:
        if not one.is_moved:
            file = folder / contract.vendor / one.operation.name / f"{CASE_PREFIX}{one.answer.name}.yaml"
            before = file.read_text("utf-8") if file.is_file() else ""
            yield from _diff(file, before, writer.text(one.call, one.operation, one.answer))


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
