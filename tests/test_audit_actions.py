"""The list of what the trail can tell of is what the code records, no more and no less, and what the docs say."""

import ast
import re
from collections.abc import Iterator

from audit.actions import ACTIONS
from infra.local.paths import ROOT

PARTS = ("audit", "bluegreen", "releases")
THINGS = "|".join({action.partition(".")[0] for action in ACTIONS})
LOOKS_LIKE_AN_ACTION = re.compile(rf"({THINGS})\.[a-z]+(-[a-z]+)*")


def test_the_docs_have_the_list() -> None:
    text = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    table = text.partition("| action | the actor |\n| --- | --- |\n")[2].partition("\n\n")[0]
    assert table.splitlines() == [f"| `{name}` | {words} |" for name, words in ACTIONS.items()]


def test_each_action_of_the_code_is_in_the_list_and_each_one_of_the_list_is_recorded_somewhere() -> None:
    assert set(_written_in_the_code()) == set(ACTIONS)


def _written_in_the_code() -> Iterator[str]:
    for part in PARTS:
        for path in (ROOT / part).rglob("*.py"):
            if not {"tests", "migrations"} & set(path.parts) and path != ROOT / "audit" / "actions.py":
                yield from _looking_like_actions(ast.parse(path.read_text(encoding="utf-8")))


def _looking_like_actions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        text = node.value if isinstance(node, ast.Constant) else None
        if isinstance(text, str) and LOOKS_LIKE_AN_ACTION.fullmatch(text):
            yield text
