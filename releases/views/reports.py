"""The report over a period and services, and as a file; of those whose trail one may see: it is made from that."""

import json
from datetime import date, timedelta
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_safe

from audit.spreadsheets import csv_lines
from releases.domain.access.decisions import Permission
from releases.domain.reports.documents import as_document, as_rows
from releases.forms.reports import ReportForm
from releases.permissions import services_with
from releases.services.reports.exports import note_report
from releases.services.reports.period_reports import PeriodReport, period_report
from releases.views.lookups import signed_in

_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


@require_safe
def report(request: HttpRequest) -> HttpResponse:
    """The page; all that it is about is in the address."""
    form, found = _asked(request)
    context = {
        "form": form,
        "report": found,
        "may_see": form.has_services,
        "query": urlencode(form.asked, doseq=True),
        "periods": _periods(form),
        "place": "reports",
    }
    return render(request, "releases/reports.html", context, status=200 if found else 422)


@require_GET
def report_file(request: HttpRequest, form: str) -> HttpResponse:
    """The report as a file of this form; that it was taken is an event."""
    if form not in _TYPES:
        raise Http404
    asked, found = _asked(request)
    if found is None:
        return HttpResponse(asked.errors.as_text(), status=422, content_type="text/plain; charset=utf-8")
    document = as_document(found)
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    content = text if form == "json" else "".join(csv_lines(as_rows(document)))
    note_report(asked.asked, user=signed_in(request), form=form)
    file_name = f"report-{found.begins:%Y-%m-%d}-{asked.last_day:%Y-%m-%d}.{form}"
    return HttpResponse(
        content,
        content_type=_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _asked(request: HttpRequest) -> tuple[ReportForm, PeriodReport | None]:
    """The form, and the report that it asks for; none where it is filled in wrongly."""
    may_see = services_with(signed_in(request), Permission.AUDIT)
    seen = list(may_see.values_list("pk", "name", "environment"))
    form = ReportForm(request.GET, services={name: environment for _, name, environment in seen})
    if not form.is_valid():
        return form, None
    names = set(form.chosen)
    chosen = [(str(pk), name, environment) for pk, name, environment in seen if name in names]
    return form, period_report(
        {pk: name for pk, name, _ in chosen},
        {pk: environment for pk, _, environment in chosen},
        form.period,
        access_day=form.access_day,
        access_before=form.access_before,
    )


def _periods(form: ReportForm) -> list[dict[str, object]]:
    """One press for what people ask most."""
    today = timezone.now().date()
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    periods = [
        ("Last 7 days", today - timedelta(days=6), today),
        ("Last 30 days", today - timedelta(days=29), today),
        ("Last 90 days", today - timedelta(days=89), today),
        ("This month", month, today),
        ("Last month", before, month - timedelta(days=1)),
        ("Last 365 days", today - timedelta(days=364), today),
    ]
    shown = (form.first_day, form.last_day) if form.is_valid() else None
    return [
        {"name": name, "query": _with(form, since, until), "is_chosen": (since, until) == shown}
        for name, since, until in periods
    ]


def _with(form: ReportForm, since: date, until: date) -> str:
    return urlencode(form.asked | {"since": str(since), "until": str(until)}, doseq=True)
