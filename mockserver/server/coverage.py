"""Contract coverage as it is shown: every documented answer, met or not."""

import hashlib
import json
from typing import Any

from mockserver import __version__
from mockserver.spec.contract import Contract, Operation
from mockserver.world.coverage import Met, Tally, value_key

FORMAT = 1


def coverage_shape(contracts: tuple[Contract, ...], tally: Tally) -> dict[str, Any]:
    """``{format, version, contracts, operations}``; zero counts included."""
    operations = {o.id: o for c in contracts for o in c.operations if o.name == o.spelling}
    return {
        "format": FORMAT,
        "version": __version__,
        "contracts": {c.vendor: {"hash": contract_hash(c), "version": c.version} for c in contracts},
        "operations": {name: _operation(operation, tally) for name, operation in operations.items()},
    }


def contract_hash(contract: Contract) -> str:
    """Of what the document says, however it is written."""
    text = json.dumps(contract.document, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _operation(operation: Operation, tally: Tally) -> dict[str, Any]:
    seen = tally.fields.get(operation.id, set())
    declared = [at for at, _, _ in operation.declared]
    met = tally.values.get(operation.id, {})
    return {
        "answers": {
            answer.name: {
                "status": answer.status,
                "evidence": answer.evidence,
                **_met(tally.answers.get(answer.id, Met())),
            }
            for answer in operation.answers.values()
        },
        "fields": {
            "seen": [at for at in declared if at in seen],
            "unseen": [at for at in declared if at not in seen],
        },
        "values": {
            str(at): {
                "seen": [value for value in allowed if value_key(value) in met.get(str(at), {})],
                "unseen": [value for value in allowed if value_key(value) not in met.get(str(at), {})],
            }
            for at, allowed in operation.enumerated
        },
        "faults": dict(tally.faults.get(operation.id, {})),
    }


def _met(met: Met) -> dict[str, Any]:
    return {"natural": met.natural, "forced": met.forced, "tests": list(met.tests)}
