"""The paths that operations have, held against a path that was asked for, or that a client called in vain."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from mockserver.spec.addresses import PATH_PARAMETER, root_path
from mockserver.spec.model import Contract, OperationSpec


@dataclass(frozen=True)
class OperationPath:
    """One whole path of an operation, its parameters in braces. Below ``/{vendor}`` there is the same path again."""

    operation: OperationSpec
    text: str

    @property
    def names(self) -> list[str]:
        """Of its parameters."""
        return PATH_PARAMETER.findall(self.text)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = PATH_PARAMETER.split(self.text)  # a decoded parameter may have a slash
        body = "".join("(?s:.+)" if number % 2 else re.escape(part) for number, part in enumerate(parts))
        return re.compile(f"(?:/{re.escape(self.operation.vendor)})?{body}")

    def is_of(self, path: str) -> bool:
        """Whether a request of this path, decoded, is for the operation."""
        return self._pattern.fullmatch(path) is not None

    def lacking(self, path: str) -> str | None:
        """What a path lacks in front to be this one; None where it is another one, or nothing is lacking."""
        own = self.text.split("/")[1:]
        segments = path.split("/", len(own))[1:]  # of a longer path no more are looked at
        end = own[-len(segments) :]
        if not 0 < len(segments) < len(own) or not any("{" not in segment for segment in end):
            return None
        return _joined(own[: -len(segments)]) if _agree(segments, end) else None

    def surplus(self, path: str) -> str | None:
        """What a path has in front beyond this one; None where it is another one, or there is nothing."""
        own = self.text.split("/")[1:]
        before, *segments = path.rsplit("/", len(own))
        return before if before and len(segments) == len(own) and _agree(segments, own) else None


def _agree(segments: list[str], template: list[str]) -> bool:
    return all("{" in expected or segment == expected for segment, expected in zip(segments, template, strict=True))


def _joined(segments: list[str]) -> str:
    return "".join(f"/{segment}" for segment in segments)


def operation_paths(members: Iterable[tuple[Contract, OperationSpec]]) -> Iterator[OperationPath]:
    """The paths of operations; of one that others dispatch to, the paths of those others, too."""
    chosen = tuple(members)
    names = {operation.id for _, operation in chosen}
    for contract in dict.fromkeys(contract for contract, _ in chosen):
        for operation in contract.operations:
            targets = operation.dispatch.to.values() if operation.dispatch is not None else ()
            if operation.id in names or any(target.id in names for target in targets):
                for base in dict.fromkeys(map(root_path, contract.servers)):
                    yield OperationPath(operation, base + operation.path)
