from pathlib import Path

import pytest

from releases.domain.lifecycle import ALLOWED_RELEASE, ALLOWED_STEP

TEXT = (Path(__file__).parents[3] / "docs" / "how-it-works.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("table", [ALLOWED_RELEASE, ALLOWED_STEP], ids=["release", "step"])
def test_the_diagrams_in_the_docs_are_the_tables_of_the_code(table):
    changes = [f"    {old} --> {new}\n" for old in table for new in sorted(table[old])]
    assert "```mermaid\nstateDiagram-v2\n" + "".join(changes) + "```\n" in TEXT
