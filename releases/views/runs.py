"""The log of a run."""

from collections.abc import Iterator
from itertools import chain
from uuid import UUID

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from aws.errors import AwsError
from releases.services.execution import storage
from releases.views.lookups import find_run, find_service, number_in
from releases.views.pages import service_context
from releases.views.shown.words import step_title
from terraform_runner import selectors as runs

# A browser stays quick with so many lines; more are on further pages, and all of them in the download.
LINES_PER_PAGE = 5000


@require_safe
def run_log(request: HttpRequest, name: str, run_id: UUID) -> HttpResponse:
    """A page of a run's log; "#L120" leads to a line of it."""
    service = find_service(request, name)
    step, run = find_run(service, run_id)
    first = number_in(request.GET.get("from", "")) or 0
    lines = runs.list_lines(run.pk, after=first, limit=LINES_PER_PAGE)
    context = service_context(request, service) | {
        "run": run,
        "step": step,
        "title": step_title(step),
        "lines": lines,
        "first_line": first,
        "earlier": max(0, first - LINES_PER_PAGE),
        "next_line": first + len(lines),
        "is_full": len(lines) == LINES_PER_PAGE,
    }
    return render(request, "releases/run_log.html", context)


@require_safe
def run_download(request: HttpRequest, name: str, run_id: UUID) -> StreamingHttpResponse:
    """All of a run's log, as text: what was kept of it; while the run goes on, what there is so far."""
    _, run = find_run(find_service(request, name), run_id)
    return StreamingHttpResponse(
        _whole_log(run.pk),
        content_type="text/plain; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{run.operation}-{run.pk}.log"'},
    )


def _whole_log(run_id: UUID) -> Iterator[bytes] | Iterator[str]:
    try:
        kept = storage.read_log(run_id)
    except (AwsError, OSError) as error:
        note = f"(The whole log cannot be read now: {error} These are the lines that the page has.)\n"
        return chain([note], _lines_of_the_page(run_id))
    return _lines_of_the_page(run_id) if kept is None else kept


def _lines_of_the_page(run_id: UUID) -> Iterator[str]:
    first = 0
    while lines := runs.list_lines(run_id, after=first, limit=LINES_PER_PAGE):
        yield "".join(f"{line}\n" for _, line in lines)
        first += len(lines)
