"""The change record of a release: to read, to print, and as a file."""

import json

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_GET, require_safe

from audit.spreadsheets import csv_lines
from releases.domain.reports.change_record import ChangeRecord
from releases.domain.reports.documents import as_document, as_rows
from releases.domain.reports.traffic_picture import picture
from releases.pdf import make_pdf
from releases.services.reports.exports import note_record
from releases.views.lookups import find_release, find_service, signed_in
from releases.views.pages import service_context
from releases.views.shown.change_record import change_record

_TYPES = {"pdf": "application/pdf", "json": "application/json", "csv": "text/csv; charset=utf-8"}


@require_safe
def release_record(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """The page."""
    service = find_service(request, name)
    release = find_release(service, number)
    record = change_record(service, release)
    context = {"release": release, "record": record, **_drawn(record)}
    return render(request, "releases/release_record.html", service_context(request, service) | context)


@require_GET
def record_file(request: HttpRequest, name: str, number: int, form: str) -> HttpResponse:
    """The record as a file of this form; that it was taken is an event."""
    if form not in _TYPES:
        raise Http404
    service = find_service(request, name)
    release = find_release(service, number)
    record = change_record(service, release)
    content = {"pdf": _pdf, "json": _json, "csv": _csv}[form](record)
    note_record(release, user=signed_in(request), form=form)
    file_name = f"{service.name}-{release}-change-record.{form}"
    return HttpResponse(
        content,
        content_type=_TYPES[form],
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )


def _drawn(record: ChangeRecord) -> dict[str, object]:
    until = record.ended_at or record.made_at
    return {"picture": picture(record.traffic, until), "words": record.traffic_in_words}


def _pdf(record: ChangeRecord) -> bytes:
    drawn = render_to_string("releases/traffic_picture.svg", _drawn(record))
    return make_pdf("change_record", as_document(record), picture=drawn, made_at=record.made_at)


def _json(record: ChangeRecord) -> str:
    return json.dumps(as_document(record), ensure_ascii=False, indent=2) + "\n"


def _csv(record: ChangeRecord) -> str:
    return "".join(csv_lines(as_rows(as_document(record))))
