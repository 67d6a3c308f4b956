"""Whoever follows links, or a scanner that opens those of a mail, with a session: nothing is changed (FAULTS P16)."""

from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from releases.tests.test_odd_texts import client
from releases.tests.test_pages_access import TABLE, addresses, program, rollback, sent, token

__all__ = ["addresses", "client", "program", "rollback", "sent", "token"]
# Whoever takes a report or a record along as a file is in the trail with it.
RECORDED = {"report-file", "record-file"}
LOOKED_AT = [row[0] for row in TABLE if row[1] == "get" and row[-1] != 405 and row[0] not in RECORDED]


def everything() -> dict[str, list[dict[str, Any]]]:
    """All that is kept of services, runs, people and the trail."""
    models = [
        model
        for app in ("releases", "terraform_runner", "audit", "auth")
        for model in apps.get_app_config(app).get_models()
    ]
    return {model.__name__: list(model._default_manager.order_by("pk").values()) for model in models}


@pytest.mark.parametrize("method", ["get", "head"])
def test_no_page_changes_anything_by_being_looked_at(aws, client: Client, addresses, method):
    before = everything()
    for name in LOOKED_AT:
        getattr(client, method)(addresses[name])
        assert everything() == before, name


@pytest.mark.parametrize("method", ["get", "head"])
def test_an_address_at_which_something_is_done_does_nothing_by_being_opened(
    aws, client: Client, addresses, method
):
    before, acts = everything(), [row[0] for row in TABLE if row[1] == "get" and row[-1] == 405]
    assert len(acts) > 20
    assert {getattr(client, method)(addresses[name]).status_code for name in acts} == {405}
    assert everything() == before
