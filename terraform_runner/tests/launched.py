"""A worker of the launcher's tests, to be killed and stopped: runs a program for as long as it says that it may.

``python -m terraform_runner.tests.launched FOLDER PROGRAM SECONDS GRACE_SECONDS`` feeds the launcher for so long at a
time, again and again, and prints the launcher's number as soon as that is known.
"""

import sys
import time
from pathlib import Path

from terraform_runner import launcher, process
from terraform_runner.domain.output import Output
from terraform_runner.domain.redaction import Redactor
from terraform_runner.domain.tools import Tools
from terraform_runner.process import Command, Limits


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Feeding:
    """A control that holds the run for some more seconds whenever it is asked."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def lines(self, lines: list[str]) -> None:
        say("\n".join(lines))

    def should_stop(self) -> str | None:
        return None

    def holds_until(self) -> float:
        return launcher.now() + self._seconds

    def process_started(self, group: int, started: float) -> None:
        say(str(group))

    def begins(self, tools: Tools) -> None:
        say(tools.command)


def main(folder: str, program: str, seconds: str, grace_seconds: str) -> None:
    """Run the program and print how it ended."""
    limits = Limits(deadline=time.monotonic() + 600, grace_seconds=float(grace_seconds))
    command = Command(argv=(program,), directory=Path(folder), environment={})
    ended = process.run(command, limits=limits, control=Feeding(float(seconds)), output=Output(Redactor()))
    say(str(ended))


if __name__ == "__main__":
    main(*sys.argv[1:])
