"""Mistakes of a contract's author, each with its place."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ContractError:
    """One mistake. ``line`` and ``column`` count from 1; ``pointer`` is a JSON Pointer ("" for the whole document).

    ``unfinished``: nothing is wrong, but something is not written yet.
    """

    file: str
    line: int
    column: int
    pointer: str
    message: str
    unfinished: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.pointer or '/'}: {self.message}"


class ContractErrors(Exception):  # noqa: N818 -- the plural says that it holds every error
    """Every error of a set of files, without repetition, sorted by file and place."""

    def __init__(self, errors: list[ContractError]) -> None:
        self.errors = tuple(sorted(set(errors)))
        super().__init__("\n".join(map(str, self.errors)))
