"""Contracts in an editor: yaml-language-server, from npm, marks a typo, completes keys, and raises no false alarm."""

import json
import subprocess
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.evidence import ROOT
from tests.live import PATIENCE
from tests.tools.installing import execute

SERVER = "yaml-language-server@1"  # editors carry the first major version
CONTRACTS = sorted((ROOT / "contracts").glob("*.yaml"))


class Editor:
    """An editor's side of the language server protocol, over the server's standard streams."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen([program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._watchdog = threading.Timer(PATIENCE, self._process.kill)
        self._watchdog.start()
        self._ids = count(1)
        self._told: list[dict[str, Any]] = []
        self.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}})
        self._tell("initialized", {})

    def close(self) -> None:
        self._watchdog.cancel()
        self._process.kill()
        self._process.communicate()

    def ask(self, method: str, params: Any) -> Any:
        number = next(self._ids)
        self._write({"id": number, "method": method, "params": params})
        while (message := self._read()).get("id") != number or "method" in message:
            self._take(message)
        return message["result"]

    def diagnostics(self, file: Path, text: str) -> list[dict[str, Any]]:
        """What is marked in a file of this text."""
        uri = file.as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": next(self._ids), "text": text}
        self._tell("textDocument/didOpen", {"textDocument": document})
        while True:
            for message in self._told:
                if message["method"] == "textDocument/publishDiagnostics" and message["params"]["uri"] == uri:
                    self._told.clear()
                    return list(message["params"]["diagnostics"])
            self._take(self._read())

    def completions(self, file: Path, line: int, character: int) -> set[str]:
        """What may be written at a place of a file that is open."""
        position = {"line": line, "character": character}
        found = self.ask("textDocument/completion", {"textDocument": {"uri": file.as_uri()}, "position": position})
        return {item["label"] for item in found["items"]}

    def hover(self, file: Path, line: int, character: int) -> str:
        """What is said of the word at a place."""
        position = {"line": line, "character": character}
        found = self.ask("textDocument/hover", {"textDocument": {"uri": file.as_uri()}, "position": position})
        return json.dumps(found)

    def _take(self, message: dict[str, Any]) -> None:
        if "id" in message:  # the server asks for the editor's settings: it has none
            asked = message["params"].get("items", []) if isinstance(message.get("params"), dict) else []
            self._write({"id": message["id"], "result": [{} for _ in asked]})
        else:
            self._told.append(message)

    def _tell(self, method: str, params: Any) -> None:
        self._write({"method": method, "params": params})

    def _write(self, message: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        assert length, "the language server has ended"
        message: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return message


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("yaml-language-server")
    execute("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, SERVER, cwd=folder)
    made = Editor(folder / "node_modules" / ".bin" / "yaml-language-server")
    yield made
    made.close()


@pytest.mark.parametrize("file", CONTRACTS, ids=lambda file: file.stem)
def test_no_false_alarm(editor: Editor, file: Path) -> None:
    """Nothing is marked in our contracts."""
    assert editor.diagnostics(file, file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("right", "typo"),
    [("{problem: method, answer", "{problem: methd, answer"), ("      x-mock:\n", "      x_mock:\n")],
)
def test_a_typo_is_marked(editor: Editor, right: str, typo: str) -> None:
    """On its own line; the file is another, beside ours, that is only open in the editor."""
    text = (ROOT / "contracts" / "polyai.yaml").read_text("utf-8")
    line = text[: text.index(right)].count("\n")
    file = ROOT / "contracts" / f"typo_{line}.yaml"
    marked = editor.diagnostics(file, text.replace(right, typo, 1))
    assert line in {each["range"]["start"]["line"] for each in marked}, marked


def test_keys_complete_and_explain_themselves(editor: Editor) -> None:
    """In a rule, the words of rules; over a word, what it means."""
    text = (ROOT / "contracts" / "polyai.yaml").read_text("utf-8")
    rule = "    - {problem: method, answer: method_not_allowed}\n"
    begun = "    - problem: method\n      \n"
    file = ROOT / "contracts" / "begun.yaml"
    assert text.count(rule) >= 1
    editor.diagnostics(file, text.replace(rule, begun, 1))
    line = text[: text.index(rule)].count("\n")
    assert {"answer", "at", "reason", "when"} <= editor.completions(file, line + 1, 6)
    assert "What can be wrong with a request" in editor.hover(file, line, 8)
