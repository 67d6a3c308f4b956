"""What may be sent: JSON that is small, flat enough and means one thing only."""

import json
from typing import Any

from django.http import HttpRequest

from releases.api.problems import ApiProblem, Problem

MOST_BYTES = 64 * 1024
DEEPEST = 10
JSON = "application/json"


def read_document(request: HttpRequest) -> Any:  # noqa: ANN401 - any JSON
    """The JSON in a request's body; None where there is none. Raises ``ApiProblem``."""
    if "Transfer-Encoding" in request.headers:
        raise _problem(411, "request:no-length", "Send the body's length: Content-Length.")
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > MOST_BYTES:
        raise _problem(413, "request:too-large", f"The body may have {MOST_BYTES} bytes at most.")
    body = request.body
    if not body:
        return None
    if request.content_type != JSON:
        raise _problem(415, "request:content-type", f"Send the body as {JSON}.")
    document = _parse(body)
    _check(document)
    return document


def _parse(body: bytes) -> Any:  # noqa: ANN401 - any JSON
    try:
        return json.loads(body.decode(), object_pairs_hook=_object, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise _invalid(f"This is no JSON: {error}" if str(error) else "This is no JSON.") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is there twice")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _check(document: Any) -> None:  # noqa: ANN401 - any JSON
    """Refuse what is nested without end, and text that the database cannot hold; level by level, without recursion."""
    level = [document]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise _invalid(f"It is nested more than {DEEPEST} deep.")


def _inside(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        if "\0" in value or not _is_whole(value):
            raise _invalid("A text has NUL or half a character in it.")
        return []
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _invalid(message: str) -> ApiProblem:
    problem = Problem(
        status=400, code="request:json", detail=message, errors=[{"field": "body", "message": message}]
    )
    return ApiProblem(problem)


def _problem(status: int, code: str, detail: str) -> ApiProblem:
    errors = [{"field": "body", "message": detail}]
    return ApiProblem(Problem(status=status, code=code, detail=detail, errors=errors))
