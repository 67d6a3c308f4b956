"""An environment for one command or test session: a database, a key and a data directory that are gone afterwards.

``python -m infra.local.throwaway COMMAND…`` runs a command in it and ends with its exit code.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.local import postgres
from infra.local.errors import LocalError

# Whatever is signed or encrypted with them lives as long as the environment does.
SECRET_KEY = "throwaway-" + "0" * 50
ENCRYPTION_KEYS = "throwaway:" + "A" * 43 + "="


@contextmanager
def throwaway_environment() -> Iterator[dict[str, str]]:
    """The variables to add to the environment. With DATABASE_URL set, that server is used."""
    with tempfile.TemporaryDirectory(prefix="bluegreen-") as name:
        folder = Path(name)
        variables = {
            "BLUEGREEN_SECRET_KEY": SECRET_KEY,
            "BLUEGREEN_ENCRYPTION_KEYS": ENCRYPTION_KEYS,
            "BLUEGREEN_DATA_DIR": str(folder / "data"),
        }
        if os.environ.get("DATABASE_URL"):
            yield variables
            return
        with postgres.running(folder / "postgres", durable=False) as cluster:
            yield {**variables, "DATABASE_URL": cluster.url}


def main(command: list[str]) -> int:
    """Runs ``command`` and returns its exit code, or 1 with words when there is no environment for it."""
    try:
        with throwaway_environment() as variables:
            return subprocess.run(command, env={**os.environ, **variables}, check=False).returncode
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
