"""The guides beside the code, and the parts of them that are generated: ``python -m tests.guides`` renews those."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mockserver.spec.reference import reference
from tests.evidence import ROOT

PACKAGE = ROOT / "mockserver"
WINGS = ("spec", "matching", "engine", "coverage", "store", "server", "testing", "cli")
COMMAND = "python -m tests.guides"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end of generated -->\n)", re.DOTALL)
_BLOCK = re.compile(r"^( *)(?:<!-- ([\w: /.-]+) -->\n *)?```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def renewed(text: str) -> str:
    """A guide's text with its generated parts made anew."""
    return _PART.sub(lambda part: f"{part[1]}\n{GENERATORS[part[2]]().strip()}\n\n{part[4]}", text)


def written_by_hand(text: str) -> str:
    """A guide's text without its generated parts."""
    return _PART.sub("", text)


def blocks(text: str) -> Iterator[tuple[str, str, str]]:
    """The code blocks written by hand: the mark before it ("" where there is none), language, text."""
    for indent, mark, language, block in _BLOCK.findall(written_by_hand(text)):
        yield mark, language, re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)


def modules() -> str:
    """A heading for each wing, and a line for each of its modules: the first of the module's docstring."""
    lines = list(_lines(PACKAGE, ""))
    for wing in WINGS:
        lines += ["", f"### {wing}", "", _first_line(PACKAGE / wing / "__init__.py"), "", *_wing(wing)]
    return "\n".join(lines)


def _wing(wing: str) -> Iterator[str]:
    yield from _lines(PACKAGE / wing, "")
    for folder in sorted(path.parent for path in (PACKAGE / wing).glob("*/__init__.py")):
        yield f"- [{folder.name}/]({_address(folder)}): {_first_line(folder / '__init__.py')}"
        yield from _lines(folder, "  ")


def _lines(folder: Path, indent: str) -> Iterator[str]:
    for file in sorted(folder.glob("*.py")):
        if file.name != "__init__.py":
            yield f"{indent}- [{file.name}]({_address(file)}): {_first_line(file)}"


def _address(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def _first_line(file: Path) -> str:
    docstring = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return docstring.partition("\n")[0].replace("``", "`")


GENERATORS: dict[str, Callable[[], str]] = {"vocabulary": reference, "modules": modules}
GUIDES = [
    *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "contracts/README.md", "fixtures/README.md")),
    *sorted(PACKAGE.rglob("README.md")),
]


if __name__ == "__main__":
    for guide in GUIDES:
        before = guide.read_text("utf-8")
        after = renewed(before)
        if after != before:
            guide.write_text(after, "utf-8")
            sys.stdout.write(f"renewed {guide.relative_to(ROOT)}\n")
