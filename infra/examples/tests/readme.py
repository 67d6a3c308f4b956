"""The README as a sequence of things to do: lines to change in terraform.tfvars, and commands to run."""

import re
from dataclasses import dataclass
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"

_PART = re.compile(
    r"^## (?:\d+\. )?(?P<section>[^\n]+)$|^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_SETTING = re.compile(r"(?P<name>\w+) *= *(?P<value>.+)")


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block: its language, and the title of the section that it is in."""

    section: str
    language: str
    text: str


def read_blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a Markdown text in their order."""
    blocks, section = [], ""
    for part in _PART.finditer(text):
        section = part["section"] or section
        if part["language"]:
            blocks.append(Block(section=section, language=part["language"], text=part["text"]))
    return blocks


def read_table(text: str, section: str) -> list[list[str]]:
    """Return the cells of the rows of the table in a section, without its head."""
    part = text.partition(f"## {section}\n")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in rows[2:]]


def change_settings(variables: str, changes: str) -> str:
    """Return a variables file with the lines of `changes` in the place of those that set the same.

    Raises ValueError if the file sets one of them not exactly once: a reader wouldn't know which line is meant.
    """
    for setting in _SETTING.finditer(changes):
        line = rf"^( *{setting['name']} *=) .*$"
        variables, found = re.subn(line, rf"\1 {setting['value']}", variables, flags=re.MULTILINE)
        if found != 1:
            raise ValueError(f"{setting['name']} is set {found} times")
    return variables
