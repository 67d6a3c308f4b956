"""The commands that ``make run`` gives: the demo, and taking up what a dead process left."""

import os
import socket
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.models import AuditEvent
from infra.sandbox.info import write_info
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role, permissions_of
from releases.domain.canary import CanaryHeader, header_of
from releases.domain.lifecycle import StepStatus
from releases.management.commands.demo import NAME, PEOPLE
from releases.models import Service, Step
from releases.permissions import as_person, may_set_up_services
from releases.services import canary_header
from releases.services.access import rights
from releases.services.execution import storage
from releases.services.provisioning.settings_columns import recorded_settings
from releases.tests.factories import ServiceFactory, UserFactory
from terraform_runner import claims
from terraform_runner.models import Run
from terraform_runner.selectors import last_state

pytestmark = pytest.mark.django_db


@pytest.fixture
def demo(sandbox, settings, tmp_path):
    """The command, with a sandbox and a password as ``make run`` gives them."""
    write_info(tmp_path / "sandbox.json", sandbox)
    settings.SANDBOX_FILE = str(tmp_path / "sandbox.json")
    settings.DEMO_PASSWORD = "as printed"
    settings.AWS_ENDPOINT_URL = sandbox.endpoint_url
    settings.AWS_ACCESS_KEY_ID = sandbox.access_key_id
    settings.AWS_SECRET_ACCESS_KEY = sandbox.secret_access_key
    return lambda: call_command("demo")


def test_the_demo_begins_with_one_service_on_the_blue_image(demo, sandbox):
    demo()
    service = Service.objects.get()
    assert (service.name, service.family) == (NAME, "nginx-svc")
    assert service.blue_image == service.green_image == sandbox.images["blue"]
    assert service.listener_arn == sandbox.listener_arn
    assert Step.objects.get().status == StepStatus.PLANNING


def test_its_people_sign_in_with_the_printed_password_and_have_the_roles_of_their_names(demo):
    demo()
    service = Service.objects.get()
    for name, role in PEOPLE.items():
        user = User.objects.get(username=name)
        assert user.check_password("as printed")
        assert not user.is_superuser
        assert as_person(user, service).permissions == permissions_of([role])


def test_but_for_the_administrator_nobody_in_the_demo_may_do_everything(demo):
    """Requesting, approving and operating take three people."""
    for role in set(PEOPLE.values()) - {Role.ADMIN}:
        assert not {Permission.APPROVE, Permission.OPERATE} <= permissions_of([role])


def test_in_the_demo_the_operator_alone_may_set_up_services(demo):
    demo()
    may = {name: bool(may_set_up_services(User.objects.get(username=name))) for name in PEOPLE}
    assert [name for name, answer in may.items() if answer] == ["operator"]


def test_a_second_start_leaves_what_is_there(demo):
    demo()
    User.objects.filter(username="manager").update(password="changed since")
    demo()
    assert (Service.objects.count(), Run.objects.count(), User.objects.count()) == (1, 1, len(PEOPLE))
    assert User.objects.get(username="manager").password == "changed since"


def test_rights_that_were_taken_away_are_not_given_back_by_a_start(demo):
    demo()
    manager = User.objects.get(username="manager")
    manager.role_grants.all().delete()
    rights.bring_in_step(Service.objects.all(), manager)
    demo()
    assert as_person(manager, Service.objects.get()).permissions == frozenset()


def test_a_set_up_that_failed_is_begun_anew_by_the_next_start(demo):
    demo()
    Step.objects.update(status=StepStatus.FAILED)
    demo()
    statuses = Step.objects.order_by("created_at").values_list("status", flat=True)
    assert list(statuses) == [StepStatus.ABANDONED, StepStatus.PLANNING]


def test_what_a_setting_says_differs_in_the_demos_service(demo, settings):
    settings.DEMO_SERVICE = {"rotation": "swap", "bake_seconds": 30}
    demo()
    service = Service.objects.get()
    assert (service.rotation, service.bake_seconds, service.settle_seconds) == ("swap", 30, 1)


def test_the_demos_service_has_a_header_and_a_configuration_by_their_parts(demo, settings):
    header = {"name": "X-Canary", "value": "who_knows_this_is_a_tester"}
    settings.DEMO_SERVICE = {"canary_header": header, "configuration": {"settings": {"memory_size": 256}}}
    demo()
    service = Service.objects.get()
    recorded = recorded_settings(service)
    revealed = canary_header.reveal(service.pk, recorded)
    assert header_of(recorded, revealed) == CanaryHeader(**header)
    assert service.blue_configuration["memory_size"] == 256


@pytest.mark.parametrize(
    "given",
    [
        ["rotation"],
        {"rotations": "swap"},
        {"canary_header": "X-Canary"},
        {"canary_header": {"name": "X-Canary", "value": "short"}},
    ],
)
def test_a_demo_service_that_cannot_be_is_refused_in_words(demo, settings, given):
    settings.DEMO_SERVICE = given
    with pytest.raises(CommandError, match="BLUEGREEN_DEMO_SERVICE"):
        demo()
    assert not Service.objects.exists()


@pytest.mark.parametrize("missing", ["SANDBOX_FILE", "DEMO_PASSWORD"])
def test_without_sandbox_or_password_there_is_no_demo(demo, settings, missing):
    setattr(settings, missing, "")
    with pytest.raises(CommandError, match="make run"):
        demo()
    assert not Service.objects.exists()


def test_recover_says_which_runs_were_lost_and_has_them_planned_again(demo, capsys):
    demo()
    lost = Run.objects.get()
    claims.claim(lost.pk, worker=f"{socket.gethostname()}/{os.getpid()}/1.00")
    call_command("recover")
    assert str(lost.pk) in capsys.readouterr().out
    assert Step.objects.get().plan_run != lost
    call_command("recover")
    assert capsys.readouterr().out == ""


def test_storage_that_is_well_is_named(settings, tmp_path, capsys):
    settings.DATA_DIR = tmp_path
    call_command("check_storage")
    assert capsys.readouterr().out == f"States, plans and logs are kept in {tmp_path}: all is well.\n"


def test_storage_that_is_not_well_fails_with_what_to_do(monkeypatch):
    monkeypatch.setattr(storage, "check", lambda: ("s3://b", ["It keeps no versions. Run: aws …"]))
    with pytest.raises(CommandError, match="Run: aws"):
        call_command("check_storage")


def test_storage_that_cannot_be_reached_fails_in_words(settings, tmp_path):
    settings.DATA_DIR = tmp_path / "file"
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CommandError, match="file"):
        call_command("check_storage")


def test_a_state_that_could_not_be_written_is_printed_to_whoever_has_the_keys(settings, tmp_path, capsys):
    settings.DATA_DIR = tmp_path
    run = uuid4()
    storage.unsaved_states().put(str(run), b'{"serial": 7}')

    call_command("unsaved_state", str(run))

    assert capsys.readouterr().out == '{"serial": 7}'


def test_a_run_that_left_no_state_is_said_to_have_left_none(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    with pytest.raises(CommandError, match="has left no state on this machine"):
        call_command("unsaved_state", str(uuid4()))


def test_a_state_that_was_changed_meanwhile_is_not_printed(settings, tmp_path, capsys):
    settings.DATA_DIR = tmp_path
    run = uuid4()
    storage.unsaved_states().put(str(run), b"{}")
    (tmp_path / "unsaved-states" / str(run)).write_text("{}")

    with pytest.raises(CommandError, match="was changed or cut off"):
        call_command("unsaved_state", str(run))
    assert capsys.readouterr().out == ""


def test_a_state_is_accepted_with_a_reason_that_is_in_the_trail(capsys):
    service = ServiceFactory.create(name="shop")
    Run.objects.create(
        workspace=str(service.pk), operation="plan", status="succeeded", state_lineage="one", state_serial=7
    )

    call_command("accept_state", "shop", "restored from the backup of Monday")

    assert last_state(str(service.pk)) is None
    event = AuditEvent.objects.get(action="service.state-accepted")
    assert (event.before, event.reason) == (
        {"lineage": "one", "serial": 7},
        "restored from the backup of Monday",
    )
    assert "Plan the step again" in capsys.readouterr().out


def test_a_state_of_a_service_that_is_not_there_is_not_accepted():
    with pytest.raises(CommandError, match="There is no service “shop”"):
        call_command("accept_state", "shop", "why")


def test_a_person_is_added_once_without_a_password_and_given_the_right_to_set_up(db):
    call_command("add_person", "ida")
    ida = User.objects.get()
    assert (ida.has_usable_password(), bool(may_set_up_services(ida))) == (False, False)
    User.objects.update(password="set since")
    call_command("add_person", "ida", "--may-set-up")
    ida = User.objects.get()
    assert (ida.password, bool(may_set_up_services(ida))) == ("set since", True)
    told = AuditEvent.objects.order_by("pk").values_list("action", "subject__person", "after__may_set_up")
    assert list(told) == [("person.added", "ida", None), ("person.changed", "ida", True)]


def test_a_person_is_put_into_groups_and_the_trail_tells_of_it(db):
    call_command("add_person", "ida", "--group", "SREs", "--group", "Pay")
    call_command("add_person", "ida", "--group", "SREs")
    assert set(User.objects.get().groups.values_list("name", flat=True)) == {"SREs", "Pay"}
    told = AuditEvent.objects.filter(action="group.member-added").order_by("pk")
    assert list(told.values_list("before__groups", "after__groups")) == [
        ([], ["SREs"]),
        (["SREs"], ["Pay", "SREs"]),
    ]
    assert AuditEvent.objects.filter(action="group.made").count() == 2


def test_who_has_no_password_sets_one_by_the_link_that_the_command_prints(db, capsys, client):
    call_command("add_person", "ida")
    address = urlsplit(capsys.readouterr().out.split()[-1]).path
    page = client.get(address, follow=True)
    typed = {"new_password1": "horse battery 7", "new_password2": "horse battery 7"}
    assert client.post(page.request["PATH_INFO"], typed).status_code == 302
    signed_in = client.post("/login/", {"username": "ida", "password": "horse battery 7"})
    assert signed_in.status_code == 302
    assert AuditEvent.objects.get(action="person.password-set").actor_name == "ida"
    call_command("add_person", "ida")
    assert capsys.readouterr().out == ""


def test_a_password_is_ended_for_a_link_to_another_one(db, capsys, client):
    user = UserFactory.create(username="ida")
    call_command("add_person", "ida", "--new-password")
    address = urlsplit(capsys.readouterr().out.split()[-1]).path
    assert client.get(address, follow=True).context["validlink"]
    user.refresh_from_db()
    assert not user.has_usable_password()
    assert AuditEvent.objects.get().action == "person.password-ended"


@pytest.mark.parametrize("command", ["createsuperuser", "changepassword"])
def test_what_django_would_change_without_an_event_is_refused_and_leads_to_what_has_one(db, command):
    with pytest.raises(CommandError, match="add_person NAME"):
        call_command(command, "ida")
    assert not User.objects.exists()


@pytest.mark.parametrize("name", ["<b>", "a b", "x" * 151, ""])
def test_what_is_no_user_name_is_refused(db, name):
    with pytest.raises(CommandError, match="cannot be added"):
        call_command("add_person", name)
    assert not User.objects.exists()
