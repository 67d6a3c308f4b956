"""Figures with their goals: what is written to ``bench.json``, and the table that people see."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Literal, Self

# By name, in the order in which they are measured: the function that does it, imported where Django is set up.
MEASURED_BY = {
    "sandbox": "bench.sandbox.measure",
    "transition": "bench.transition.measure",
    "emergency": "bench.emergency.measure",
    "emergency-p99": "bench.emergency.measure_p99",
    "approval": "bench.approval.measure",
    "audit-verify": "bench.trail.measure_verification",
    "audit-search": "bench.trail_search.measure",
    "report": "bench.reports.measure",
    "audit-record": "bench.trail.measure_recording",
    # The last, since it leaves other versions on both colours.
    "load": "bench.load.measure",
}
DIGITS = 4


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A bound for a figure's value, or for its ratio to the plain way."""

    on: Literal["value", "ratio"]
    at_most: float | None = None
    at_least: float | None = None

    def holds(self, number: float) -> bool:
        """Whether the number is within the bound."""
        too_much = self.at_most is not None and number > self.at_most
        too_little = self.at_least is not None and number < self.at_least
        return not (too_much or too_little)

    def __str__(self) -> str:
        bound = f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"
        return f"{self.on} {bound}"


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One measured number. ``baseline`` is the plain way's, in the same unit; ``samples`` is how many of each."""

    name: str
    value: float
    unit: str
    samples: int
    goal: Goal
    baseline: float | None = None

    @classmethod
    def of_pairs(cls, name: str, measured: Sequence[float], plain: Sequence[float], *, goal: Goal) -> Self:
        """The medians of seconds that were taken in turn."""
        return cls(
            name=name,
            value=median(measured),
            unit="s",
            samples=len(measured),
            goal=goal,
            baseline=median(plain),
        )

    @property
    def ratio(self) -> float | None:
        """The value as a multiple of the baseline."""
        return self.value / self.baseline if self.baseline else None

    @property
    def meets_goal(self) -> bool:
        """Whether the goal holds. A goal on a ratio that there is none of does not."""
        number = self.ratio if self.goal.on == "ratio" else self.value
        return number is not None and self.goal.holds(number)

    def as_json(self) -> dict[str, Any]:
        """The object that stands for it in ``bench.json``."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "baseline": _rounded(self.baseline),
            "ratio": _rounded(self.ratio),
            "samples": self.samples,
            "goal": {name: value for name, value in asdict(self.goal).items() if value is not None},
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """The inverse of :meth:`as_json`."""
        fields = {name: value for name, value in document.items() if name not in {"ratio", "goal"}}
        return cls(**fields, goal=Goal(**document["goal"]))


def percentile(samples: Sequence[float], percent: int) -> float:
    """The smallest sample that at least so many percent of all samples do not exceed (nearest rank)."""
    rank = max(1, math.ceil(len(samples) * percent / 100))
    return sorted(samples)[rank - 1]


def write_figures(path: Path, figures: Sequence[Figure]) -> None:
    """Write ``bench.json``."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(json.dumps([figure.as_json() for figure in figures], indent=2) + "\n")


def read_figures(path: Path) -> list[Figure]:
    """Read what :func:`write_figures` wrote."""
    return [Figure.from_json(document) for document in json.loads(path.read_text())]


def table(figures: Sequence[Figure]) -> str:
    """The figures, one in a line, with their goals and whether they hold."""
    rows = [("figure", "value", "plain way", "ratio", "samples", "goal", ""), *map(_row, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(figure: Figure) -> tuple[str, ...]:
    return (
        figure.name,
        _shown(figure.value, figure.unit),
        "-" if figure.baseline is None else _shown(figure.baseline, figure.unit),
        "-" if figure.ratio is None else f"{figure.ratio:.3g}",
        str(figure.samples),
        str(figure.goal),
        "holds" if figure.meets_goal else "MISSED",
    )


def _shown(number: float, unit: str) -> str:
    return f"{number:,.0f} {unit}" if number >= 100 else f"{number:.3g} {unit}"


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, DIGITS)
