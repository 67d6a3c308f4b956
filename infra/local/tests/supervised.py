"""A supervisor of fake parts as a program of its own, so that tests can interrupt and kill it.

``python -m infra.local.tests.supervised FOLDER GRACE CODE…``: each CODE is the Python of a part, named part0, part1, …
"""

import sys
from pathlib import Path

from infra.local.errors import LocalError
from infra.local.lock import only_one
from infra.local.supervisor import Part, StopAsked, supervising


def main() -> int:
    folder, grace, codes = Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3:]
    parts = [
        Part(name=f"part{n}", command=[sys.executable, "-c", code], environment={}, grace_seconds=grace)
        for n, code in enumerate(codes)
    ]
    try:
        with (
            only_one(folder, "a test") as lock,
            supervising(folder, folder / "log", keep_open=[lock]) as supervisor,
        ):
            supervisor.start(parts)
            (folder / "started").touch()
            supervisor.watch()
    except StopAsked:
        return 0
    except LocalError as error:
        print(error, file=sys.stderr)
        return 1
    return 2


if __name__ == "__main__":
    sys.exit(main())
