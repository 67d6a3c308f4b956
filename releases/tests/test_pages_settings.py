"""The settings of a service: asked for, decided, called off, tried again; and its removal."""

from datetime import timedelta
from typing import Any

import pytest
from django.forms import CheckboxInput, RadioSelect
from django.utils import timezone

from aws import listeners as aws_listeners
from aws import metrics
from aws.listeners import Listener
from releases.domain.access.decisions import Permission
from releases.forms.settings import DefaultsForm, RemovalForm, SettingsForm
from releases.models import Policy, Service, Step
from releases.tests import factories
from releases.tests.conftest import text_of

ADDRESS = "/services/catalog/settings/"
TRAIL = "/audit/"
SECRET = "abcdefgh_12345678"


@pytest.fixture(autouse=True)
def listener(aws, monkeypatch) -> None:
    """A listener with no rules of others, whose load balancer has counted seven requests."""
    found = Listener(
        arn="arn:listener",
        load_balancer_arn="arn:loadbalancer/app/demo-alb/1",
        load_balancer_name="demo-alb",
        port=80,
        protocol="HTTP",
    )
    monkeypatch.setattr(aws_listeners, "read_listener", lambda *_: found)
    monkeypatch.setattr(aws_listeners, "list_rules", lambda *_: [])
    monkeypatch.setattr(aws_listeners, "count_target_groups", lambda *_: 2)
    monkeypatch.setattr(metrics, "count_requests", lambda *_, **__: 7)


@pytest.fixture
def keeper(service):
    return factories.person("keeper", service, *set(Permission) - {Permission.APPROVE})


@pytest.fixture
def client(keeper, as_user):
    return as_user(keeper)


def typed(**changes: Any) -> dict[str, Any]:
    given = {
        "hostnames": "shop.example.com\n\n  www.example.com ",
        "paths": "",
        "priority": "200",
        "canary_slots": "1",
        "tags": "team = pay",
        "log_retention_days": "30",
        "stickiness_seconds": "0",
        "provisioned_concurrency": "0",
        "canary_header_name": "",
        "canary_header_value": "",
        "reason": "A new host",
    }
    return {**given, **changes}


def own_step(service: Service, **columns: Any) -> Step:
    given = {
        "service": service,
        "transition": "settings",
        "candidate_share": 0,
        "gate": True,
        "reason": "A new host",
        "started_at": timezone.now(),
        "settings_before": {"hostnames": []},
        "settings_after": {"hostnames": ["shop.example.com"]},
    }
    step: Step = Step.objects.create(**{**given, **columns})
    return step


def waiting(service: Service, **columns: Any) -> Step:
    return factories.waiting_step(own_step(service, **columns))


def shown(step: Step, **changes: str) -> dict[str, str]:
    run = step.plan_run
    assert run is not None
    return {"sha256": run.plan_sha256, "changes_digest": run.changes_digest, "comment": "", **changes}


def test_the_page_shows_what_is_recorded(client, service):
    Service.objects.filter(pk=service.pk).update(hostnames=["shop.example.com"], tags={"team": "pay"})
    text = text_of(client.get(ADDRESS))
    assert "shop.example.com</textarea>" in text
    assert "team=pay</textarea>" in text


@pytest.mark.parametrize(
    "field",
    ["priority", "canary_slots", "log_retention_days", "stickiness_seconds", "provisioned_concurrency"],
)
def test_what_is_no_number_is_refused_and_kept_as_it_was_typed(client, field):
    for text in (
        "-1",
        "10.5",
        "1e2",
        "0x10",
        "9" * 400,
        "10; DROP",
        "${var.priority}",
        '"}',
        "🙂",
        "\u202e3",
    ):
        response = client.post(ADDRESS, typed(**{field: text}))
        assert response.status_code == 422, text
        assert response.context["form"].errors.keys() == {field}
        assert response.context["form"][field].value() == text
    assert not Step.objects.exists()


def test_what_is_asked_for_is_a_step_that_its_service_shows(client, service, keeper):
    response = client.post(ADDRESS, typed())
    assert (response.status_code, response.url) == (302, "/services/catalog/")
    step = Step.objects.get(service=service, transition="settings")
    assert step.settings_after["hostnames"] == ["shop.example.com", "www.example.com"]
    assert (step.settings_after["tags"], step.requested_by) == ({"team": "pay"}, keeper)
    text = text_of(client.get("/services/catalog/"))
    assert "Asked for by keeper" in text
    assert "“A new host”" in text
    assert "<code>shop.example.com, www.example.com</code>" in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hostnames": "${x}"}, "is no host"),
        ({"hostnames": "a\nb\nc\nd"}, "At most 3 hosts"),
        ({"tags": "team"}, "Write each tag as name=value"),
        ({"tags": "a=1\na=2"}, "Each name of a tag once"),
        ({"tags": "<b>=x"}, "is no tag"),
        ({"priority": "50001"}, "from 1 to 50000"),
        ({"priority": "1"}, "from 2 to 50000"),
        ({"canary_slots": "99"}, "from 1 to 10"),
        ({"log_retention_days": "2"}, "not one of the available choices"),
        ({"canary_header_name": "X-Canary"}, "16 to 128 letters, digits and _.~+/=-"),
        ({"canary_header_name": "X-Canary", "canary_header_value": "x" * 129}, "at most 128 characters"),
        ({"canary_header_name": "Cookie", "canary_header_value": SECRET}, "none that others set"),
        ({"canary_header_value": SECRET}, "write one of your own, such as X-Canary"),
        ({"reason": ""}, "This field is required"),
    ],
)
def test_what_can_not_be_had_is_said_and_what_was_typed_stays(client, service, changes, said):
    response = client.post(ADDRESS, typed(**{"reason": "Keep <this>", **changes}))
    text = text_of(response)
    assert response.status_code == 422
    assert said in text
    assert "Nothing was recorded. What you typed is still here." in text
    assert "Keep &lt;this&gt;" in text or changes.get("reason") == ""
    assert not Step.objects.filter(transition="settings").exists()


def test_a_header_is_asked_for_and_its_value_is_on_no_page(client, service):
    sent = typed(hostnames="", canary_header_name="X-Canary", canary_header_value=SECRET)
    assert client.post(ADDRESS, sent).status_code == 302
    step = Step.objects.get(service=service, transition="settings")
    stored = step.settings_after["canary_header_value"]
    pages = [text_of(client.get(address)) for address in ("/services/catalog/", ADDRESS, TRAIL)]
    assert not any(secret in page for secret in (SECRET, stored) for page in pages)
    assert "<code>X-Canary</code>" in pages[0]
    assert "<code>(secret)</code>" in pages[0]
    assert 'value="X-Canary"' in pages[1]


def test_a_value_that_was_typed_is_not_sent_back(client):
    sent = typed(canary_header_name="X-Canary", canary_header_value=SECRET, priority="0")
    response = client.post(ADDRESS, sent)
    assert response.status_code == 422
    assert SECRET not in text_of(response)


def test_an_aws_that_does_not_answer_is_said(client, monkeypatch, aws):
    def refuse(*_: object) -> None:
        aws.is_down = True
        aws.answer()

    monkeypatch.setattr(aws_listeners, "read_listener", refuse)
    response = client.post(ADDRESS, typed(priority="300"))
    assert response.status_code == 422
    assert "AWS did not answer" in text_of(response)


def test_what_is_not_possible_now_is_a_disabled_button_with_its_reason(client, scene):
    text = text_of(client.get(ADDRESS))
    assert 'id="ask" type="submit" disabled aria-describedby="why-ask"' in text
    assert "A release is open: it has to end first." in text


def test_who_may_not_sees_the_settings_and_why_not(scene, as_user):
    text = text_of(as_user(scene.operator).get(ADDRESS))
    assert "You may not change this service&#x27;s settings, or remove it." in text
    assert as_user(scene.operator).post(ADDRESS, typed()).status_code == 403


def usual(**changes: Any) -> dict[str, Any]:
    given = {
        "weights": "5, 50",
        "canary": "on",
        "canary_addresses": "203.0.113.7, 2001:db8::7",
        "gates": ["shift-50"],
        "automatic": ["rotation"],
        "bake-canary": "600",
        "bake_seconds": "60",
        "rotation": "swap",
        "settle_seconds": "2",
        "rollback_window_seconds": "60",
    }
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def test_the_defaults_change_at_once_and_are_shown(client, service):
    assert client.post(f"{ADDRESS}defaults/", usual()).status_code == 302
    service.refresh_from_db()
    assert (service.weights, service.bake_seconds, service.settle_seconds) == ([5, 50], 60, 2)
    assert (service.rotation, service.bakes, service.extra_gates) == ("swap", {"canary": 600}, ["shift-50"])
    text = text_of(client.get(ADDRESS))
    assert 'value="203.0.113.7/32, 2001:db8::7/128"' in text
    assert 'value="swap" id="id_rotation_1" required checked' in text.replace('class="form-control" ', "")
    assert 'value="shift-50" checked' in text
    assert 'name="bake-canary" value="600"' in text


def test_the_canary_may_be_left_out(client, service):
    sent = usual(canary=None, canary_addresses="", **{"bake-canary": ""})
    assert client.post(f"{ADDRESS}defaults/", sent).status_code == 302
    service.refresh_from_db()
    assert (service.canary_first, service.canary_addresses) == (False, [])


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"weights": "50, 5"}, "weights", "Each share must be higher"),
        ({"gates": ["shift-10"]}, "weights", "no step that could have this gate: shift-10"),
        ({"bake-canary": "soon"}, "bake_seconds", "A bake time is a whole number"),
        ({"canary_addresses": "0.0.0.0/0"}, "canary_addresses", "is everyone"),
        ({"canary_addresses": ""}, "canary_addresses", "The canary would send nobody"),
        ({"canary_addresses": "10.0.0.1/8"}, "canary_addresses", "write 10.0.0.0/8 for the network"),
        ({"rotation": "turn"}, "rotation", "is not one of the available choices"),
        ({"rotation": None}, "rotation", "This field is required"),
        ({"settle_seconds": "0"}, "settle_seconds", "from 1 to 3600"),
    ],
)
def test_wrong_defaults_are_said_at_their_field_and_kept(client, service, changes, field, said):
    response = client.post(f"{ADDRESS}defaults/", usual(rollback_window_seconds="77", **changes))
    assert response.status_code == 422
    assert any(said in error for error in response.context["defaults"].errors[field])
    text = text_of(response)
    assert said in text.replace("&#x27;", "'")
    assert 'value="77"' in text
    service.refresh_from_db()
    assert service.settle_seconds == 1


def test_how_room_is_made_does_not_change_under_an_open_release(client, scene):
    assert "A release is open, which rotates as it began" in text_of(client.get(ADDRESS))
    response = client.post(f"{ADDRESS}defaults/", usual())
    assert (response.status_code, list(response.context["defaults"].errors)) == (422, ["rotation"])


def test_the_steps_of_other_shares_are_shown_from_rest_wherever_the_service_is(client, service):
    Service.objects.filter(pk=service.pk).update(green_weight=50)
    text = text_of(client.get(f"{ADDRESS}steps/", {"weights": "33", "canary": "on", "gates": "shift-33"}))
    assert 'value="shift-33" checked' in text
    assert "The new version is put in place" in text
    assert "roll back" not in text


def removal(**changes: str) -> dict[str, str]:
    return {
        "typed_name": "catalog",
        "removal_reason": "Nobody needs it",
        "gives_up_requests": "yes",
        **changes,
    }


def test_the_removal_is_asked_for_with_the_typed_name_and_a_reason(client, service):
    assert client.post(f"{ADDRESS}removal/", removal()).status_code == 302
    step = Step.objects.get(service=service, transition="remove")
    assert (step.gives_up_requests, step.gate, step.reason) == (True, True, "Nobody needs it")
    assert "Its requests are given up knowingly" in text_of(client.get("/services/catalog/"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"typed_name": "catalogue"}, "name exactly: catalog"),
        ({"removal_reason": " "}, "a removal needs a reason"),
        ({"gives_up_requests": "no"}, "7 requests have reached it in the last 24 hours. Wait"),
        ({"gives_up_requests": "perhaps"}, "not one of the available choices"),
    ],
)
def test_a_removal_that_lacks_something_is_refused(client, service, changes, said):
    response = client.post(f"{ADDRESS}removal/", removal(**changes))
    assert response.status_code == 422
    assert said in text_of(response)
    assert not Step.objects.filter(transition="remove").exists()


def test_how_much_it_is_used_is_said_before(client):
    assert "7 requests have reached it in the last 24 hours." in text_of(client.get(ADDRESS))


def test_a_plan_that_waits_is_decided_on_the_service_s_page(scene_at_rest, as_user):
    _, manager, step = scene_at_rest
    page = as_user(manager)
    assert 'id="approve"' in text_of(page.get("/services/catalog/"))
    response = page.post(f"/services/catalog/changes/{step.pk}/approve/", shown(step))
    step.refresh_from_db()
    assert (response.status_code, step.status) == (302, "applying")


@pytest.fixture
def scene_at_rest(service, keeper):
    return service, factories.manager(service), waiting(service, requested_by=keeper)


def test_it_is_in_the_inbox_of_who_may_approve_and_not_of_who_asked(scene_at_rest, as_user, keeper):
    _, manager, _ = scene_at_rest
    text = text_of(as_user(manager).get("/inbox/"))
    assert "Asked for by keeper: “A new host”" in text
    assert "Nothing waits for you" in text_of(as_user(keeper).get("/inbox/"))


def test_the_form_is_the_same_here_and_in_the_inbox_and_keeps_what_was_typed(scene_at_rest, as_user):
    _, manager, step = scene_at_rest
    browser, inbox = as_user(manager), f"/inbox/{step.pk}/"
    for page, act in (("/services/catalog/", f"/services/catalog/changes/{step.pk}/"), (inbox, inbox)):
        text = text_of(browser.get(page))
        assert f'action="{act}approve/"' in text
        assert f'formaction="{act}reject/"' in text
        assert f"Approve plan {shown(step)['sha256'][:4]}: it is applied at once" in text
        refused = browser.post(f"{act}approve/", shown(step, sha256="0" * 64, comment="I looked"))
        assert refused.status_code == 409
        assert ">I looked</textarea>" in text_of(refused)


def test_who_fills_no_place_may_still_reject_a_change(scene_at_rest, as_user):
    service, manager, _ = scene_at_rest
    content = {"gates": {"settings": {"need": "as_planned", "slots": ["SRE"]}}}
    Policy.objects.create(service=service, content=content)
    text = text_of(as_user(manager).get("/services/catalog/"))
    assert "What is missing is an approval by somebody of SRE" in text
    assert 'id="reject"' in text
    assert 'id="approve"' not in text


def test_a_rejection_needs_a_comment_and_ends_it(scene_at_rest, as_user):
    _, manager, step = scene_at_rest
    address = f"/services/catalog/changes/{step.pk}/reject/"
    assert as_user(manager).post(address, shown(step)).status_code == 409
    assert as_user(manager).post(address, shown(step, comment="No")).status_code == 302
    step.refresh_from_db()
    assert step.status == "rejected"
    assert 'id="change"' not in text_of(as_user(manager).get("/services/catalog/"))


def test_a_plan_that_was_not_shown_is_not_decided_on(scene_at_rest, as_user):
    _, manager, step = scene_at_rest
    address = f"/services/catalog/changes/{step.pk}/approve/"
    assert as_user(manager).post(address, {}).status_code == 409
    other = as_user(manager).post(address, shown(step, sha256="0" * 64))
    assert "The plan is another one by now" in text_of(other)


def test_who_asked_for_it_calls_it_off_once(scene_at_rest, client):
    _, _, step = scene_at_rest
    address = f"/services/catalog/changes/{step.pk}/cancel/"
    assert client.post(address).status_code == 302
    step.refresh_from_db()
    assert step.status == "abandoned"
    again = client.post(address)
    assert again.status_code == 409
    assert "This is over" in text_of(again)


def test_what_failed_is_tried_again_from_the_page(client, service):
    step = own_step(service, status="failed", problem="AccessDenied")
    text = text_of(client.get("/services/catalog/"))
    assert "AccessDenied" in text
    assert 'id="retry"' in text
    assert client.post(f"/services/catalog/changes/{step.pk}/retry/").status_code == 302
    step.refresh_from_db()
    assert step.status == "planning"


def test_a_form_begins_with_what_failed(client, service):
    own_step(service, status="failed")
    assert "shop.example.com</textarea>" in text_of(client.get(ADDRESS))


def test_a_removed_service_is_only_listed_on_demand_and_says_what_it_is(client, service):
    Service.objects.filter(pk=service.pk).update(removed_at=timezone.now() - timedelta(days=1))
    assert "catalog" not in text_of(client.get("/"))
    assert "catalog" in text_of(client.get("/?removed=on"))
    text = text_of(client.get("/services/catalog/"))
    assert "This service was removed." in text
    assert 'disabled aria-describedby="why-request"' in text


@pytest.mark.parametrize("kind", [SettingsForm, DefaultsForm, RemovalForm])
def test_every_field_looks_like_those_of_the_other_pages(kind):
    looks = {
        name: field.widget.attrs.get("class", "")
        for name, field in kind().fields.items()
        if not isinstance(field.widget, RadioSelect | CheckboxInput)
    }
    assert set(looks.values()) <= {"form-control", "form-select"}
