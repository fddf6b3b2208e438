"""Coverage documents made by hand."""

from typing import Any


def answer(status: int = 200, natural: int = 0, forced: int = 0, *tests: str, evidence: str = "page") -> Any:
    return {"status": status, "evidence": evidence, "natural": natural, "forced": forced, "tests": list(tests)}


def operation(fields: Any = None, values: Any = None, faults: Any = None, /, **answers: Any) -> Any:
    nothing: Any = {"seen": [], "unseen": []}
    return {"answers": answers, "fields": fields or nothing, "values": values or {}, "faults": faults or {}}


def document(*, contract: str = "h1", version: str = "0.1.0", **operations: Any) -> Any:
    """Operations by name, of the vendor ``acme``."""
    return {
        "format": 2,
        "version": version,
        "contracts": {"acme": {"hash": contract, "version": "1"}},
        "operations": {f"acme.{name}": met for name, met in operations.items()},
    }
