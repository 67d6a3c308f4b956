"""Judging the image of a release, and letting it be requested again: each is one call of a service."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from releases.services.versions import image_marks
from releases.views.acts import carry_out
from releases.views.lookups import find_release, find_service, signed_in

MOST_LETTERS = 2000


@require_POST
def release_mark_image(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Mark its image as bad."""
    return _on_image(request, name, number, image_marks.judge, "Marked: nobody can request this image.")


@require_POST
def release_lift_mark(request: HttpRequest, name: str, number: int) -> HttpResponse:
    """Let its image be requested again."""
    return _on_image(request, name, number, image_marks.lift, "Lifted: this image can be requested again.")


def _on_image(
    request: HttpRequest, name: str, number: int, act: Callable[..., None], done: str
) -> HttpResponse:
    service = find_service(request, name)
    release, reason = find_release(service, number), request.POST.get("reason", "")[:MOST_LETTERS]
    bound = partial(act, release_id=release.pk, user=signed_in(request), reason=reason)
    return carry_out(request, service, release, bound, done)
