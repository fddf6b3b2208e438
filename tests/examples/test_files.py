import json
from pathlib import Path

from mockserver.testing import MockVendors


def test_the_file_that_the_vendor_hands_out(mock_vendors: MockVendors, tmp_path: Path) -> None:
    file = mock_vendors.voximplant.write_files(tmp_path)["credentials.json"]
    assert json.loads(file.read_text("utf-8")).keys() >= {"account_id", "key_id", "private_key"}
