"""What a contract's author did wrong, and where."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ContractError:
    """One error. ``line`` and ``column`` count from 1; ``pointer`` is a JSON Pointer ("" for the whole document)."""

    file: str
    line: int
    column: int
    pointer: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.pointer or '/'}: {self.message}"


class ContractErrors(Exception):  # noqa: N818 -- the plural says that it holds every error
    """All errors of all files read together, sorted by file and place."""

    def __init__(self, errors: list[ContractError]) -> None:
        self.errors = tuple(sorted(set(errors)))
        super().__init__("\n".join(map(str, self.errors)))
