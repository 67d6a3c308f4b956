"""``Idempotency-Key``: a POST that a pipeline sends again, because it never saw the answer, is not done again."""

import re
from collections.abc import Callable
from typing import Annotated

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from ninja import Header

from releases.api.auth import ApiRequest
from releases.models import KeptAnswer
from releases.services import kept_answers

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
_KEY = r"^[!-~]{1,100}$"
_MEANING = "A name for this very request, such as the job's id. Sent again with it, the request is done once."

NeededKey = Annotated[str, Header(alias=HEADER, pattern=_KEY, description=_MEANING)]
Key = Annotated[str | None, Header(alias=HEADER, pattern=_KEY, description=_MEANING)]


def once(request: ApiRequest, act: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Carry a request out, or give the answer that its key has already.

    One without a key is carried out, and so is one with an impossible key: the operation says what is wrong with it.
    """
    key = request.headers.get(HEADER, "")
    if request.method != "POST" or not re.match(_KEY, key):
        return act()
    kept = kept_answers.begin(request.caller.token, key, _fingerprint(request))
    if kept.status is not None:
        return _again(kept)
    try:
        response = act()
    except BaseException:
        kept_answers.forget(kept)
        raise
    _note(kept, response)
    return response


def _note(kept: KeptAnswer, response: HttpResponseBase) -> None:
    if not isinstance(response, HttpResponse) or response.status_code >= 300:
        return kept_answers.forget(kept)
    location = response.headers.get("Location", "")
    return kept_answers.keep(
        kept, status=response.status_code, body=response.content.decode(), location=location
    )


def _again(kept: KeptAnswer) -> HttpResponse:
    headers = {REPLAYED: "true", **({"Location": kept.location} if kept.location else {})}
    return HttpResponse(kept.body, status=kept.status, content_type="application/json", headers=headers)


def _fingerprint(request: ApiRequest) -> str:
    whole = b"\0".join((request.get_full_path().encode(), request.body))
    return salted_hmac("api.idempotency", whole, algorithm="sha256").hexdigest()
