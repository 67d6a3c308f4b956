"""What the parts print: on the terminal with the part's name before it, and in a log of bounded size."""

import logging
import sys
import threading
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import IO

LOG_BYTES = 5_000_000
OLD_LOGS = 2
LINE_BYTES = 16_384
NAME_WIDTH = 13
# A terminal that has gone away, or a full disk, mustn't stop the parts: their output is then lost, nothing
# more.
logging.raiseExceptions = False


def part_logger(name: str, folder: Path) -> logging.Logger:
    """Writes lines to the terminal and, with the time, to ``folder/<name>.log``."""
    logger = logging.Logger(name)  # noqa: LOG001 - of this supervisor only, not the process's of that name
    terminal = logging.StreamHandler(sys.stdout)
    terminal.setFormatter(logging.Formatter(f"{name:<{NAME_WIDTH}}| %(message)s"))
    file = RotatingFileHandler(folder / f"{name}.log", maxBytes=LOG_BYTES, backupCount=OLD_LOGS)
    file.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger.addHandler(terminal)
    logger.addHandler(file)
    return logger


def follow(stream: IO[bytes], say: Callable[[str], None]) -> threading.Thread:
    """Hands each line of ``stream`` to ``say``, from a thread that ends with the stream; overlong lines in pieces."""

    def pass_on() -> None:
        while line := stream.readline(LINE_BYTES):
            say(line.decode(errors="replace").rstrip("\n"))

    thread = threading.Thread(target=pass_on, daemon=True)
    thread.start()
    return thread
