"""``python -m bench.measuring``: measures one figure, as a process of the running machine and in its environment."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import django
from django.utils.module_loading import import_string

from bench.errors import CannotMeasure
from bench.figures import MEASURED_BY, write_figures


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the figure to a file. Returns 1, with words on stderr, when it can't be had."""
    parser = argparse.ArgumentParser(prog="python -m bench.measuring", description=__doc__)
    parser.add_argument("name", choices=MEASURED_BY)
    parser.add_argument("--address", required=True, help="where the pages are")
    parser.add_argument("--output", required=True, type=Path)
    asked = parser.parse_args(arguments)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
    django.setup()
    try:
        # By name: models can't be imported before Django is set up.
        demo = import_string("bench.demo.wait_until_ready")(asked.address)
        figure = import_string(MEASURED_BY[asked.name])(demo)
    except CannotMeasure as error:
        print(error, file=sys.stderr)
        return 1
    write_figures(asked.output, [figure])
    return 0


if __name__ == "__main__":
    sys.exit(main())
