"""The shipped contracts, held against another reader of OpenAPI."""

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mockserver.spec.load import contract_files, load_contracts
from mockserver.spec.model import Contract
from tests.evidence import ROOT

CONTRACTS = load_contracts(contract_files([ROOT / "contracts"]))


@pytest.mark.parametrize("contract", CONTRACTS, ids=[contract.vendor for contract in CONTRACTS])
def test_openapi(contract: Contract) -> None:
    """Another validator too accepts each contract as an OpenAPI 3.1 document."""
    assert list(OpenAPIV31SpecValidator(contract.document).iter_errors()) == []
