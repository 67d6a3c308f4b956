"""What a plan takes over that is there already is said to those who approve it."""

import pytest

from releases.tests import factories

pytestmark = pytest.mark.django_db

NAME = "/aws/lambda/shop-blue"
LOG_GROUP = {
    "address": "module.service.aws_cloudwatch_log_group.blue[0]",
    "type": "aws_cloudwatch_log_group",
    "name": "blue",
    "action_reason": None,
    "importing": NAME,
}
RETENTION = {
    "path": "retention_in_days",
    "before": 0,
    "after": 30,
    "unknown": False,
    "sensitive": False,
}


def page_of(client, scene) -> str:
    address = f"/services/{scene.service.name}/releases/{scene.release.number}/"
    return client.get(address).content.decode()


@pytest.mark.parametrize(
    ("actions", "attributes", "action", "counts"),
    [
        (["update"], [RETENTION], "change", "1 to change, 0 to replace, 0 to delete, 1 to take over"),
        (["no-op"], [], "take over", "0 to change, 0 to replace, 0 to delete, 1 to take over"),
    ],
)
def test_what_is_taken_over_is_said(scene, as_user, actions, attributes, action, counts):
    run = scene.canary.plan_run
    run.changes = [{**LOG_GROUP, "actions": actions, "attributes": attributes}]
    run.save(update_fields=["changes"])
    page = page_of(as_user(scene.manager), scene)
    assert counts in page
    assert f"<strong>{action}</strong> <code>{LOG_GROUP['address']}</code>" in page
    assert "it is there already, and is managed from now on" in page


def test_of_nothing_that_is_taken_over_nothing_is_said(scene, as_user):
    assert factories.CHANGE.get("importing") is None
    page = page_of(as_user(scene.manager), scene)
    assert "0 to delete" in page
    assert "take over" not in page
