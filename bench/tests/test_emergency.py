from dataclasses import replace

import pytest

from bench.emergency import Button
from bench.errors import CannotMeasure
from bench.tests.conftest import PASSWORD
from releases import dispatch
from releases.domain.traffic import Color
from releases.models import EmergencyRollback, Step
from releases.permissions import NotAllowed
from releases.services.rollback import emergency, fresh_looks, safe_traffic
from releases.services.rollback.safe_traffic import SafeTraffic

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def button(demo, balancer, live_server, settings, monkeypatch) -> Button:
    """At the open page, whose look at the functions is left out."""
    settings.DEMO_PASSWORD = PASSWORD
    monkeypatch.setattr(fresh_looks, "want", lambda service: None)
    monkeypatch.setattr(dispatch, "send_run", lambda run_id, **_: None)
    return Button(replace(demo, address=live_server.url))


def test_press_brings_back_whom_the_hand_sent_away(button, demo, balancer):
    assert button.press() > 0

    assert balancer.weights[demo.service.traffic_rule_arn] == SafeTraffic.of(demo.service, Color.BLUE).weights


def test_press_while_a_rollback_goes_on_joins_it(button):
    button.press()
    button.press()

    assert EmergencyRollback.objects.count() == 1


def test_button_is_quiet_again_when_terraform_has_given_up(button):
    button.press()
    Step.objects.filter(rollback__isnull=False).update(status="failed")

    button.wait_for_terraform()


def test_press_that_is_refused_gives_no_figure(button, monkeypatch):
    def refuse(**_: object) -> None:
        raise NotAllowed("person:no", "You may not.")

    monkeypatch.setattr(emergency, "roll_back", refuse)

    with pytest.raises(CannotMeasure, match=r"The button answered 403, and the weights are .*50.*50"):
        button.press()


def test_press_that_moves_nobody_gives_no_figure(button, balancer, monkeypatch):
    monkeypatch.setattr(safe_traffic, "bring_back", lambda wanted: "AWS is away")

    with pytest.raises(CannotMeasure, match=r"The button answered 302, and the weights are .*50.*50"):
        button.press()
