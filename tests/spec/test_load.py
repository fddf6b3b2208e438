"""Contracts read together: names, collisions, and every error of every file at once."""

import json
import os
from pathlib import Path

import pytest

from mockserver.authoring.skeleton import skeleton
from mockserver.spec.addresses import root_path
from mockserver.spec.errors import ContractErrors
from mockserver.spec.load import contract_files, load_contracts, read_contracts
from mockserver.spec.source import read_yaml
from tests.spec.writing import SMALL, changed


def written(folder: Path, **texts: str) -> list[Path]:
    """Files of these stems and texts."""
    folder.mkdir(exist_ok=True)
    for stem, text in texts.items():
        (folder / f"{stem}.yaml").write_text(text, "utf-8")
    return [folder / f"{stem}.yaml" for stem in texts]


def refused(files: list[Path]) -> list[tuple[str, int, str]]:
    """File name, line and message of each error of these files."""
    with pytest.raises(ContractErrors) as caught:
        load_contracts(files)
    assert str(caught.value) == "\n".join(map(str, caught.value.errors))
    return [(Path(error.file).name, error.line, error.message) for error in caught.value.errors]


def moved(path: str) -> str:
    """The small contract with all its paths below this one."""
    return SMALL.replace("  /sms", f"  {path}/sms").replace("  /command", f"  {path}/command")


def test_loads(tmp_path: Path) -> None:
    """Contracts are in the order of their files and have their names."""
    contracts = load_contracts(written(tmp_path, beta=moved("/b"), alpha=moved("/a")))
    assert [contract.vendor for contract in contracts] == ["beta", "alpha"]
    assert contracts[0].operations[0].id == "beta.send_sms"
    assert load_contracts([]) == ()


def test_contract_files(tmp_path: Path) -> None:
    """YAML and JSON contracts of several folders, sorted by name in each; a missing folder has none."""
    written(tmp_path / "one", b="", a="")
    for name in ("c.yml", "a.overlay.yaml", "accounts.json"):
        (tmp_path / "one" / name).touch()
    (tmp_path / "one" / "d.json").write_text('{"openapi": "3.1.0"}', "utf-8")
    (tmp_path / "one" / "e.json").symlink_to("nothing")
    written(tmp_path / "two", c="")
    (tmp_path / "one" / "README.md").touch()
    folders = [tmp_path / "two", tmp_path / "one", tmp_path / "none"]
    names = ["c.yaml", "a.overlay.yaml", "a.yaml", "b.yaml", "c.yml", "d.json", "e.json"]
    assert [file.name for file in contract_files(folders)] == names


def test_a_pipe_among_contracts_is_not_waited_for(tmp_path: Path) -> None:
    """Whoever reads it says that it is no regular file."""
    os.mkfifo(tmp_path / "a.json")
    assert contract_files([tmp_path]) == [tmp_path / "a.json"]
    with pytest.raises(ContractErrors, match="no regular file"):
        load_contracts([tmp_path / "a.json"])


def test_a_contract_in_json(tmp_path: Path) -> None:
    """JSON is read as YAML is, emoji in halves among it."""
    document = read_yaml("acme.yaml", skeleton("acme")).value | {"info": {"title": "\U0001f44d", "version": "1"}}
    (tmp_path / "acme.json").write_text(json.dumps(document), "utf-8")
    (contract,) = load_contracts([tmp_path / "acme.json"])
    assert (contract.vendor, contract.title) == ("acme", "\U0001f44d")


def test_hosts_tell_two_vendors_apart(tmp_path: Path) -> None:
    """Where two vendors have a path and no host in common, both are read, and their addresses have their names."""
    other = SMALL.replace("api.acme.test", "api.other.test").replace("eu.acme.test", "eu.other.test")
    contracts = load_contracts(written(tmp_path, alpha=SMALL, beta=other, gamma=moved("/x")))
    assert [(c.vendor, c.base_path) for c in contracts] == [("alpha", "/alpha"), ("beta", "/beta"), ("gamma", "")]


def test_all_errors_of_all_files(tmp_path: Path) -> None:
    """The errors of a file, however it is broken, hide no errors of another."""
    (tmp_path / "latin.yaml").write_bytes(b"openapi: \xe9")
    (tmp_path / "folder.yaml").mkdir()
    files = written(
        tmp_path,
        empty="",
        broken="a: [",
        one=changed(("title: Acme SMS", "title: 5"), ("openapi: 3.1.0", "openapi: 2")),
        other=moved("/o").replace("title: Acme SMS", "title: 6"),
    )
    errors = refused([*files, tmp_path / "latin.yaml", tmp_path / "folder.yaml", tmp_path / "absent.yaml"])
    assert [(name, line, message.partition(":")[0]) for name, line, message in errors] == [
        ("absent.yaml", 1, "cannot be read"),
        ("broken.yaml", 2, "not YAML"),
        ("empty.yaml", 1, "the file is empty"),
        ("folder.yaml", 1, "cannot be read"),
        ("latin.yaml", 1, "cannot be read"),
        ("one.yaml", 1, "openapi must be 3.1.x, or 3.0.x"),
        ("other.yaml", 2, "'title' must be a string"),
    ]


@pytest.mark.parametrize("stem", ["kore.ai", "two words", "3com", "_mock", "été", "a-b"])
def test_name(stem: str, tmp_path: Path) -> None:
    """The stem of a file's name is the vendor's name, which must fit into paths and headers."""
    (path,) = written(tmp_path, **{stem: SMALL})
    assert refused([path]) == [(path.name, 1, f"the file's name must be a plain word, not {stem!r}")]


def test_two_of_one_name(tmp_path: Path) -> None:
    """Of two contracts with the same name the second is an error."""
    (first,) = written(tmp_path / "one", acme=SMALL)
    (second,) = written(tmp_path / "two", acme=moved("/x"))
    assert refused([first, second]) == [("acme.yaml", 1, f"acme is also read from {first}")]


BATCH = "    parameters: [{name: batch, in: path, required: true, schema: {}}]\n"
NUMBER = BATCH.replace("batch", "number")
COLLISIONS = {
    "same path": (SMALL, {"/sms/{batch}", "/sms/{batch}/", "/command"}),
    "other parameter names": (
        moved("/x").replace("/x/sms/{batch}:", "/sms/{number}:").replace("name: batch", "name: number", 1),
        {"/sms/{number}"},
    ),
    "path below a server's": (
        moved("/x").replace("api.acme.test", "api.acme.test/sms").replace("/x/command", "/{batch}"),
        {"/sms/{batch}"},
    ),
}


@pytest.mark.parametrize(("text", "paths"), COLLISIONS.values(), ids=COLLISIONS)
def test_collision(text: str, paths: set[str], tmp_path: Path) -> None:
    """Of two contracts that claim the same path at the root the second has an error, on the line of that path."""
    text = text.replace(
        "  /{batch}:\n", "  /{batch}:\n    parameters: [{name: batch, in: path, required: true, schema: {}}]\n"
    )
    first, second = written(tmp_path, alpha=SMALL, beta=text)
    lines = text.splitlines()
    errors = refused([first, second])
    assert {message for _, _, message in errors} == {f"the path {p} is also claimed by alpha ({first})" for p in paths}
    for name, line, message in errors:
        written_path = lines[line - 1].strip().removesuffix(":")
        assert (name, message.split()[2].endswith(written_path)) == ("beta.yaml", True)


def test_collision_with_itself(tmp_path: Path) -> None:
    """Paths of a contract that differ only in the names of their parameters are the same path."""
    text = SMALL.replace(
        "  /command:\n", "  /sms/{number}:\n    parameters: [{name: number, in: path, required: true, schema: {}}]\n"
    )
    (file,) = written(tmp_path, acme=text)
    line = text[: text.index("/sms/{number}")].count("\n") + 1
    assert refused([file]) == [("acme.yaml", line, f"the path /sms/{{number}} is also claimed by acme ({file})")]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.test", ""),
        ("https://a.test/", ""),
        ("https://a.test/v1/", "/v1"),
        ("http://a.test:8/x/y?z=1", "/x/y"),
    ],
)
def test_root_path(url: str, path: str) -> None:
    """A server's address has the path below which its operations are."""
    assert root_path(url) == path


def test_what_is_proven_is_not_proven_again(tmp_path: Path) -> None:
    """In a folder that is proven, what its author may have mistaken is not looked for, unless an overlay changes it."""
    (file,) = written(tmp_path, alpha=SMALL.replace("info:", "tgas: []\ninfo:"))
    assert "unknown key 'tgas'" in str(*read_contracts([file])[1])
    assert read_contracts([file], proven=tmp_path / "another")[1]
    (contract,), errors = read_contracts([file], proven=tmp_path)
    assert (contract.vendor, errors) == ("alpha", [])
    overlay = tmp_path / "alpha.overlay.yaml"
    action = '[{target: "$.info", update: {version: "9"}}]'
    overlay.write_text(f'overlay: 1.0.0\ninfo: {{title: o, version: "1"}}\nactions: {action}\n', "utf-8")
    assert "unknown key 'tgas'" in str(*read_contracts([file, overlay], proven=tmp_path)[1])
