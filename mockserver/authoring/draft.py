"""Unfinished contracts, to be served as they are: what is missing is no error, and no answer claims evidence."""

from dataclasses import replace
from pathlib import Path

from mockserver.authoring.importing import Importer
from mockserver.authoring.openapi_file import OpenApiFile
from mockserver.authoring.reachable import snake
from mockserver.authoring.writing import contract_text
from mockserver.spec.errors import ContractError, ContractErrors
from mockserver.spec.source import Source, read_text, read_yaml, why_unread


def read_draft(file: Path) -> tuple[Path, Source]:
    """A contract that is begun, or of a raw OpenAPI file all that an import makes of it; its name is the vendor's.

    Raises ContractErrors.
    """
    try:
        source = read_yaml(str(file), read_text(file))
    except (OSError, UnicodeDecodeError) as error:
        raise ContractErrors([ContractError(str(file), 1, 1, "", f"cannot be read: {why_unread(error)}")]) from error
    vendor = snake(file.stem)
    if isinstance(source.value, dict) and "x-mock" not in source.value:
        raw = OpenApiFile(file)
        imported = Importer(raw, vendor).imported(raw.endpoints())
        source = replace(read_yaml(str(file), contract_text(imported.document)), is_made=True)
    return file.with_name(vendor + file.suffix), source
