"""``python -m bench [NAME]``: measures all figures or one, prints them, and writes ``bench.json``.

A goal that is missed is said and fails nothing: benchmarks inform.
"""

import argparse
import sys
from collections.abc import Sequence

from bench.figures import MEASURED_BY, Figure, table, write_figures
from bench.machine import running_machine
from infra.local.errors import LocalError
from infra.local.paths import data_dir
from infra.local.supervisor import StopAsked

# What a shell says of a program that Ctrl-C has ended.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0 when all was measured, 1 with words on stderr when something could not be."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=MEASURED_BY, help="one figure only")
    name = parser.parse_args(arguments).name
    try:
        figures = _measure([name] if name else list(MEASURED_BY))
    except StopAsked:
        print("Stopped.", file=sys.stderr)
        return INTERRUPTED
    except (LocalError, OSError) as error:
        print(f"\nNot measured: {error}", file=sys.stderr)
        return 1
    print(f"\n{table(figures)}")
    return 0


def _measure(names: Sequence[str]) -> list[Figure]:
    """What is measured is written at once: a later figure that fails takes nothing away."""
    figures: list[Figure] = []
    path = data_dir() / "bench.json"
    with running_machine() as measure:
        for name in names:
            figures.append(measure(name))
            write_figures(path, figures)
    return figures


if __name__ == "__main__":
    sys.exit(main())
