"""docs/settings.md lists every environment variable that is read, with its default, and no other."""

import re

from infra.local.paths import ROOT

READERS = [
    ROOT / "bluegreen/settings.py",
    ROOT / "bluegreen/worker.py",
    *sorted((ROOT / "infra/local").glob("*.py")),
]
READ = re.compile(r'(?:env\.\w+|environ\.get)\(\s*"([A-Z_]+)"|environ\["([A-Z_]+)"\](?! =)')
DEFAULT = re.compile(r'env\.\w+\("([A-Z_]+)", default=(True|False|\d+)\)')
# Not Bluegreen's: what the machine itself sets.
OF_THE_MACHINE = {"PATH", "PYTEST_XDIST_WORKER"}


def table() -> dict[str, str]:
    """Each variable's row, as it stands there."""
    lines = (ROOT / "docs/settings.md").read_text().splitlines()
    return {line.split("`")[1]: line for line in lines if line.startswith("| `")}


def test_every_variable_that_is_read_is_listed_and_no_other():
    read = {first or second for path in READERS for first, second in READ.findall(path.read_text())}

    assert set(table()) == read - OF_THE_MACHINE


def test_rows_give_the_defaults_that_the_code_has():
    defaults = DEFAULT.findall((ROOT / "bluegreen/settings.py").read_text())

    assert {name for name, value in defaults if f"`{value}`" not in table()[name]} == set()
    assert len(defaults) > 3
