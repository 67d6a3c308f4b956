"""How one gets into the API, and what there is; who gets what from it is in test_pages_access.py."""

from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from audit.models import AuditEvent
from releases.api.urls import api, urlpatterns
from releases.tests import factories
from releases.tests.api import ADDRESS, call, problem, secret_of


def operations() -> dict[str, tuple[str, str]]:
    """The method and the address of each operation, as the API's own description has them."""
    return {
        operation["operationId"]: (method.upper(), path)
        for path, methods in api.get_openapi_schema(path_prefix="")["paths"].items()
        for method, operation in methods.items()
    }


def address_of(scene: Any, path: str) -> str:
    return path.format(name=scene.service.name, number=scene.release.number, step_id=scene.canary.pk)


def test_every_address_of_the_api_is_one_of_an_operation():
    mounted = [getattr(one, "namespace", None) for one in get_resolver().url_patterns]
    assert mounted.count("api") == 1
    names = {pattern.name for pattern in urlpatterns}
    assert names == set(operations()) | {"openapi-json", "api-root", "nothing-here"}


@pytest.mark.parametrize("operation", sorted(operations()))
def test_a_session_is_no_way_in_and_neither_is_the_address(scene, operation):
    method, path = operations()[operation]
    client = Client()
    client.force_login(scene.manager)
    address = f"{ADDRESS}{address_of(scene, path)}?access_token={secret_of(scene.manager)}"
    answer = client.generic(method, address)
    assert problem(answer, 401)["code"] == "token:none"
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "path",
    ["/services/other/releases/{number}", "/services/catalog/releases/999{number}", "/services/no-such"],
)
def test_what_is_elsewhere_is_not_found_here(scene, path):
    factories.ServiceFactory.create(name="other")
    secret = secret_of(scene.manager)
    assert problem(call(secret, "GET", address_of(scene, path)), 404)["code"] == "request:not-found"
    is_there = "other" in path
    assert AuditEvent.objects.filter(action="access.refused").count() == is_there


@pytest.mark.parametrize("path", ["/", "/services/", "/no/such", "/services/catalog/"])
def test_an_address_that_is_none_answers_with_a_problem_too(scene, path):
    problem(call(secret_of(scene.manager), "GET", path), 404)


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_refused_and_the_possible_ones_are_named(scene, method):
    answer = call(secret_of(scene.manager), method, "/services")
    assert answer.status_code == 405
    assert answer["Allow"] == "GET"


def test_anybody_may_read_the_description_which_has_each_operation(db):
    document = call(None, "GET", "/openapi.json").json()
    assert document["paths"].keys() == {ADDRESS + path for _, path in operations().values()}
    schemes = document["components"]["securitySchemes"]
    assert schemes == {"BearerToken": {"type": "http", "scheme": "bearer"}}
    for methods in document["paths"].values():
        for operation in methods.values():
            assert operation["security"] == [{"BearerToken": []}]
            assert operation["summary"]


def test_a_token_that_asks_too_often_waits_but_for_the_button(aws, scene, settings):
    settings.API_REQUESTS_PER_MINUTE = 0
    secret = secret_of(scene.manager)
    answer = call(secret, "GET", "/services")
    assert problem(answer, 429)["code"] == "token:too-many"
    assert 0 < int(answer["Retry-After"]) <= 60
    assert call(secret, "POST", "/services/catalog/rollback").status_code == 200


def test_each_token_has_a_count_of_its_own(scene, settings):
    settings.API_REQUESTS_PER_MINUTE = 2
    first, second = secret_of(scene.manager), secret_of(scene.manager)
    assert [call(secret, "GET", "/services").status_code for secret in (first, first, second)] == [200] * 3
