"""The module without its order: how a rotation in one apply goes wrong, for whoever must see it."""

import re
import shutil
from pathlib import Path

MODULE = Path(__file__).parent / "lambda-blue-green"

# What makes the traffic rule wait for blue, green for the traffic rule, and the canary's rules for green.
_RULE_WAITS = re.compile(r"\n  depends_on = \[aws_lambda_alias\.\w+, aws_lb_target_group_attachment\.\w+\]\n")
_GREEN_WAITS = re.compile(r"\n    aws_lb_listener_rule\.traffic,")


def write_unordered_module(destination: Path) -> Path:
    """Copy the module to `destination` less its order within one apply, and return `destination`.

    Raises ValueError if the order isn't written as it was known here: the copy would then be an ordered one.
    """
    shutil.copytree(MODULE, destination, ignore=shutil.ignore_patterns(".terraform*", "tests"))
    _drop(destination / "main.tf", _RULE_WAITS, "\n", times=1)
    _drop(destination / "canary.tf", _RULE_WAITS, "\n", times=3)
    _drop(destination / "green.tf", _GREEN_WAITS, "", times=1)
    return destination


def _drop(file: Path, pattern: re.Pattern[str], replacement: str, *, times: int) -> None:
    text, found = pattern.subn(replacement, file.read_text())
    if found != times:
        raise ValueError(f"{file.name} has {found} of the {times} places that make the order")
    file.write_text(text)
