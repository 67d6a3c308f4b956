"""Puts the report over a period together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from releases.domain.access.access_history import Could, Fact, facts_at, who_could_approve
from releases.domain.reports.period_report import Figures, Period, figures
from releases.selectors import access as access_selectors
from releases.selectors import reports as report_selectors
from releases.selectors.reports import Broken, Decided, Rollback

MOST_ROWS = 200


@dataclass(frozen=True, kw_only=True)
class PeriodReport:
    """``services`` are the names of those it is about; ``access`` is who could approve at the end of ``access_day``.

    Of rollbacks and broken glasses only the newest are told one by one; whether these are all is said.
    """

    begins: datetime
    ends: datetime
    services: Sequence[str]
    figures: Figures
    rollbacks: Sequence[Rollback]
    rollbacks_are_all: bool
    broken_glasses: Sequence[Broken]
    broken_glasses_are_all: bool
    people: Sequence[Decided]
    access_day: date
    access: Sequence[Could]

    @property
    def is_empty(self) -> bool:
        """Whether nothing came of any release, nor began."""
        told = self.figures
        return not (told.requested or told.deployed or told.changed or told.rollbacks or self.people)

    @property
    def refusals(self) -> int:
        """How often anybody was refused something."""
        return sum(person.refused for person in self.people)


def period_report(
    services: Mapping[str, str],
    environments: Mapping[str, str],
    period: Period,
    *,
    access_day: date,
    access_before: datetime,
) -> PeriodReport:
    """The report about services, whose names and environments are given by their ids; nine queries.

    The names stand in place of the ids in what it tells.
    """
    ids = list(services)
    rollbacks = report_selectors.rollbacks(ids, period, limit=MOST_ROWS + 1)
    glasses = report_selectors.broken_glasses(ids, period, limit=MOST_ROWS + 1)
    return PeriodReport(
        begins=period.begins,
        ends=period.ends,
        services=sorted(services.values()),
        figures=figures(
            report_selectors.release_times(ids, period), report_selectors.approval_waits(ids, period), period
        ),
        rollbacks=[one._replace(service=services[one.service]) for one in rollbacks[:MOST_ROWS]],
        rollbacks_are_all=len(rollbacks) <= MOST_ROWS,
        broken_glasses=[one._replace(service=services[one.service]) for one in glasses[:MOST_ROWS]],
        broken_glasses_are_all=len(glasses) <= MOST_ROWS,
        people=report_selectors.decisions(ids, period),
        access_day=access_day,
        access=[
            could
            for could in who_could_approve(_facts_before(access_before))
            if _is_about(could, services, environments)
        ],
    )


def _facts_before(moment: datetime) -> set[Fact]:
    return facts_at(moment, access_selectors.access_told(), access_selectors.present_access())


def _is_about(could: Could, services: Mapping[str, str], environments: Mapping[str, str]) -> bool:
    if could.service:
        return could.service in services.values()
    return not could.environment or could.environment in environments.values()
