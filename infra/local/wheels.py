"""Finds programs that come in Python wheels, without importing the wheels' own code."""

import importlib.util
from pathlib import Path

from infra.local.errors import LocalError


def find_program(package: str, pattern: str, *, instead: str) -> Path:
    """The program that ``pattern`` finds below the installed ``package``.

    Raises LocalError where there is none; ``instead`` is what somebody on such a machine can do.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise LocalError(f"The Python package {package} isn't installed: run `make setup`. Or {instead}.")
    found = sorted(Path(spec.origin).parent.glob(pattern))
    if not found:
        raise LocalError(
            f"The Python package {package} has no {Path(pattern).name} for this machine: {instead}."
        )
    return found[-1]
