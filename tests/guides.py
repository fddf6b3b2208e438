"""The guides beside the code, and the parts of them that are generated: ``python -m tests.guides`` renews those."""

import ast
import dataclasses
import re
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click

from mockserver.authoring.writing import SCHEMA_FILE
from mockserver.cli.serve import serve
from mockserver.server.settings import Settings, variable
from mockserver.spec.reference import reference
from mockserver.spec.root_schema import schema_text
from tests.answer_pages import VENDORS, page_file, vendor_page
from tests.evidence import ROOT
from tests.tools.clients import table

PACKAGE = ROOT / "mockserver"
WINGS = ("spec", "matching", "engine", "coverage", "store", "server", "testing", "authoring", "cli")
COMMAND = "python -m tests.guides"
_PART = re.compile(r"(<!-- generated: (\w+) -->\n)(.*?)(<!-- end of generated -->\n)", re.DOTALL)
_EXAMPLE = re.compile(r"(<!-- example: (\S+) -->\n```\w+\n)(.*?)(^```$)", re.DOTALL | re.MULTILINE)
_BLOCK = re.compile(r"^( *)(?:<!-- ([\w: /.-]+) -->\n *)?```(\w*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)


def renewed(text: str) -> str:
    """A guide's text with its generated parts made anew, and its examples as they stand in their files."""
    text = _PART.sub(lambda part: f"{part[1]}\n{GENERATORS[part[2]]().strip()}\n\n{part[4]}", text)
    return _EXAMPLE.sub(lambda part: f"{part[1]}{(ROOT / part[2]).read_text('utf-8')}{part[4]}", text)


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


def settings() -> str:
    """A table of the settings: variable, option, and what the option's help says."""
    options = {str(parameter.name): parameter for parameter in serve.params if isinstance(parameter, click.Option)}
    lines = ["| variable | option | what it is |", "| --- | --- | --- |"]
    for field in dataclasses.fields(Settings):
        option = options.get(field.name)
        name, text = (f"`{option.opts[0]}`", option.help) if option else ("", WITHOUT_OPTION.get(field.name, ""))
        lines.append(f"| `{variable(field.name)}` | {name} | {text} |")
    of_the_process = [option for option in options.values() if option.envvar]
    lines += [f"| `{option.envvar}` | `{option.opts[0]}` | {option.help} |" for option in of_the_process]
    return "\n".join(lines)


WITHOUT_OPTION = {
    "admin_token": "The bearer token of the control API. Beyond loopback, one is made up where there is none.",
}

GENERATORS: dict[str, Callable[[], str]] = {
    "vocabulary": reference,
    "modules": modules,
    "settings": settings,
    **{vendor: partial(vendor_page, vendor) for vendor in VENDORS},
    "clients": table,
}
GUIDES = [
    *(
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "contracts/README.md", "fixtures/README.md")
    ),
    *map(page_file, VENDORS),
    *sorted(PACKAGE.rglob("README.md")),
]


EDITORS_SCHEMA = ROOT / "contracts" / "schema" / SCHEMA_FILE
"""What the first line of each contract names: the words of contracts, for editors."""


if __name__ == "__main__":
    EDITORS_SCHEMA.write_text(schema_text(), "utf-8")
    for guide in GUIDES:
        before = guide.read_text("utf-8")
        after = renewed(before)
        if after != before:
            guide.write_text(after, "utf-8")
            sys.stdout.write(f"renewed {guide.relative_to(ROOT)}\n")
