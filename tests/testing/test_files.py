"""Files that vendors hand out: as the command writes them, for their owner's eyes only."""

import asyncio
import json
import os
import stat
from pathlib import Path

import pytest

from mockserver.testing import Account, AsyncAccount
from mockserver.testing.files import write_files


def test_a_vendors_files(account: Account, tmp_path: Path) -> None:
    """By name, below the vendor's folder, with this account's values; a vendor without files says so."""
    written = account.voximplant.write_files(tmp_path)
    assert written == {name: tmp_path / "voximplant" / name for name in written}
    (file,) = written.values()
    key = account.voximplant.credentials["keys"][0]
    assert key["private_key"] in json.loads(file.read_text("utf-8")).values()
    assert asyncio.run(AsyncAccount(account).voximplant.write_files(str(tmp_path))) == written
    with pytest.raises(LookupError, match="polyai hands out no files"):
        account.polyai.write_files(tmp_path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["voximplant"]


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_only_the_owner_may_read_them(tmp_path: Path) -> None:
    """Also where a file was there that others could read; one that was written here before is replaced."""
    tmp_path.joinpath("same.json").write_text("[3]\n", "utf-8")
    write_files(tmp_path, {"old.json": "{}", "same.json": "[3]\n"})["old.json"].chmod(0o644)
    written = write_files(tmp_path, {"old.json": "[1]\n", "new.json": "[2]\n"})
    assert {stat.S_IMODE(file.stat().st_mode) for file in written.values()} == {0o600}
    assert [file.read_text("utf-8") for file in written.values()] == ["[1]\n", "[2]\n"]


def test_a_pipe_is_left_alone(tmp_path: Path) -> None:
    """It is not read to see whose it is."""
    os.mkfifo(tmp_path / "a.json")
    with pytest.raises(FileExistsError, match="not as mockserver wrote it"):
        write_files(tmp_path, {"a.json": "{}"})


@pytest.mark.parametrize("before", [{}, {"b.json": "[0]\n"}])
def test_a_users_own_file_is_left_alone(tmp_path: Path, before: dict[str, str]) -> None:
    """Also one that was written here and changed since; nothing is written beside it then."""
    write_files(tmp_path, before)
    own = tmp_path / "b.json"
    own.write_text("mine\n", "utf-8")
    with pytest.raises(FileExistsError, match=r"not as mockserver wrote it; move it away.*b\.json"):
        write_files(tmp_path, {"a.json": "[1]\n", "b.json": "[2]\n"})
    assert own.read_text("utf-8") == "mine\n"
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize("name", ["../x", "{}/x", "..", ".", "a/b"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    """A server could send any."""
    with pytest.raises(ValueError, match="is not below"):
        write_files(tmp_path / "in", {name.format(tmp_path): ""})
    assert not [*tmp_path.rglob("x")]
