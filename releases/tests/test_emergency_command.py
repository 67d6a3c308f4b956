"""``manage.py emergency_rollback``: the button of the command line, with the database and without."""

import json
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError

from audit.models import AuditEvent
from releases import tasks
from releases.models import EmergencyRollback, Press, Service
from releases.services.rollback import kept_presses, offline, watchman
from releases.services.rollback.safe_traffic import SafeTraffic

SECONDS = 0.6


@pytest.fixture(autouse=True)
def _alone(settings, tmp_path, aws, service):
    settings.DATA_DIR = tmp_path
    Service.objects.update(green_weight=25, activate_canary=True)
    split = {service.blue_target_group_arn: 75, service.green_target_group_arn: 25}
    aws.weights = dict.fromkeys(service.rule_arns.values(), split)


@pytest.fixture
def back(service) -> dict[str, dict[str, int]]:
    """The weights of all rules with everybody on blue."""
    return dict.fromkeys(service.rule_arns.values(), SafeTraffic.of(service).weights)


@pytest.fixture
def file(settings, service):
    """The file that is kept up to date."""
    tasks.write_offline_file()
    return settings.DATA_DIR / "emergency" / "services.json"


@pytest.mark.django_db(transaction=True)
def test_it_brings_the_traffic_back_and_is_in_the_trail(aws, back, capsys):
    call_command("emergency_rollback", "catalog", seconds=SECONDS)
    assert aws.weights == back
    assert "All traffic is on blue, read back from the rules." in capsys.readouterr().out
    rollback = EmergencyRollback.objects.get()
    assert (rollback.pressed_by, rollback.traffic_back_at is None) == (None, False)
    event = AuditEvent.objects.get(action="rollback.pressed")
    assert (event.via, event.actor_name) == ("command", Press.objects.get().name)
    assert "@" in event.actor_name


@pytest.mark.django_db(transaction=True)
def test_it_fails_where_the_traffic_is_not_back_in_the_end(aws):
    aws.is_down = True
    with pytest.raises(CommandError, match="NOT known to be back: AWS did not answer"):
        call_command("emergency_rollback", "catalog", seconds=SECONDS)


@pytest.mark.django_db
def test_nothing_to_roll_back_and_an_unknown_service_are_said(aws, back):
    Service.objects.update(green_weight=0, activate_canary=False)
    aws.weights = back
    with pytest.raises(CommandError, match="Everyone is on blue already"):
        call_command("emergency_rollback", "catalog", seconds=0)
    with pytest.raises(CommandError, match="There is no service “other”"):
        call_command("emergency_rollback", "other", seconds=0)


@pytest.mark.django_db
def test_without_a_database_it_says_how_to_go_on(monkeypatch):
    def gone(**_):
        raise OperationalError("no server")

    monkeypatch.setattr(Service.objects, "filter", gone)
    with pytest.raises(CommandError, match="Use --offline FILE"):
        call_command("emergency_rollback", "catalog", seconds=0)


@pytest.mark.django_db
def test_offline_it_needs_nothing_but_the_file(file, aws, back, capsys, django_db_blocker):
    with django_db_blocker.block():
        call_command("emergency_rollback", "catalog", offline=file, seconds=SECONDS)
    assert aws.weights == back
    assert "All traffic is on blue" in capsys.readouterr().out
    assert not EmergencyRollback.objects.exists()
    [kept] = kept_presses.kept()
    assert watchman.record(kept)
    assert EmergencyRollback.objects.get().pk == kept.id
    assert AuditEvent.objects.get(action="rollback.pressed").via == "command"


@pytest.mark.django_db
def test_offline_what_is_moved_while_it_watches_is_set_again(file, aws, back, service, capsys, monkeypatch):
    set_weights, times = aws.set_weights, []

    def moved_once(*given):
        times.append(given)
        set_weights(*given)
        if len(times) == len(back):
            aws.weights = {**aws.weights, service.traffic_rule_arn: {"elsewhere": 100}}

    monkeypatch.setattr("aws.load_balancer.set_weights", moved_once)
    call_command("emergency_rollback", "catalog", offline=file, seconds=1.2)
    assert aws.weights == back
    assert "set again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{}", "is not in"),
        ("nonsense", "is not the file"),
        ("[]", "is not the file"),
    ],
)
def test_a_file_that_is_of_no_use_is_said(tmp_path, content, said):
    file = tmp_path / "x.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(CommandError, match=said):
        call_command("emergency_rollback", "catalog", offline=file, seconds=0)


@pytest.mark.django_db
def test_the_file_follows_the_records_and_holds_no_service_that_is_gone(file, service):
    assert not offline.write()
    Service.objects.update(safe_color="green")
    assert offline.write()
    assert json.loads(file.read_text())["catalog"]["traffic"]["safe_color"] == "green"
    Service.objects.update(removed_at="2026-01-01T00:00:00Z")
    assert offline.write()
    assert json.loads(file.read_text()) == {}


def test_a_press_survives_its_way_through_the_file(settings, service):
    kept = offline.pressing_from(json.dumps(offline._document()), "catalog", name="me@here")
    kept_presses.keep(kept)
    assert kept_presses.find(kept.id) == kept
    kept_presses.forget(kept)
    assert kept_presses.find(kept.id) is None
    assert kept_presses.find(uuid4()) is None
