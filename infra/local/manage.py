"""``python -m infra.local.manage COMMAND…``: a command of ``manage.py`` beside what ``make run`` runs here.

It has the environment of Bluegreen's own parts, which is in a file of the data directory while they run.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from infra.local.paths import ROOT, data_dir
from terraform_runner import private_files

FILE_NAME = "running.json"


@contextmanager
def environment_told(folder: Path, variables: Mapping[str, str]) -> Iterator[None]:
    """Keep the environment of what runs, for this user only, for as long as it runs."""
    file = folder / FILE_NAME
    private_files.replace(file, json.dumps(variables).encode())
    try:
        yield
    finally:
        file.unlink()


def main(command: list[str]) -> int:
    """Run the command, and return its exit code; 1 with words where nothing runs."""
    file = data_dir() / FILE_NAME
    if not file.exists():
        print(f"No Bluegreen runs on {file.parent}: start it by `make run`.", file=sys.stderr)
        return 1
    variables = json.loads(file.read_bytes())
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *command], env=variables, check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
