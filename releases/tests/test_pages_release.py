"""One release: what its page says, and the acts on its steps."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from aws.errors import AwsError
from releases.models import Approval, Release, Service, Step
from releases.services.execution import storage
from releases.tests import factories
from releases.tests.conftest import text_of
from terraform_runner.models import LogChunk


@pytest.fixture
def address(scene) -> str:
    return f"/services/catalog/releases/{scene.release.number}/"


@pytest.fixture
def shown(scene) -> dict[str, str]:
    run = scene.canary.plan_run
    return {"sha256": run.plan_sha256, "changes_digest": run.changes_digest}


def act(scene, name: str) -> str:
    return f"/services/catalog/steps/{scene.canary.pk}/{name}/"


def test_the_plan_is_told_in_a_sentence_with_risk_counts_and_changes(scene, address, as_user):
    page = text_of(as_user(scene.requester).get(address))
    assert "Sends only 127.0.0.9/32 to green · green" in page
    assert "needs a look" in page
    assert "0 to create, 1 to change, 0 to replace, 0 to delete" in page
    assert "condition[0].source_ip[0].values[0]" in page
    assert scene.canary.plan_run.plan_sha256[:4] in page


def test_a_tag_that_leads_to_another_image_now_is_said_while_the_release_is_open(scene, address, as_user):
    client = as_user(scene.manager)
    assert "leads to another image" not in text_of(client.get(address))
    Release.objects.update(tag_moved_to="sha256:" + "0" * 64)
    page = text_of(client.get(address))
    assert "The tag green leads to another image now (<code>000000000000</code>)" in page
    assert f"(<code>{scene.release.digest[7:19]}</code>)" in page
    Release.objects.update(status="promoted")
    assert "leads to another image" not in text_of(client.get(address))


def test_secret_and_unknown_values_are_named_but_not_shown(scene, address, as_user):
    attributes = [
        {"path": "a", "before": "old", "after": "geheim", "unknown": False, "sensitive": True},
        {"path": "b", "before": True, "after": None, "unknown": True, "sensitive": False},
    ]
    run = scene.canary.plan_run
    run.changes = [{**factories.CHANGE, "attributes": attributes}]
    run.save()
    page = text_of(as_user(scene.requester).get(address))
    assert "geheim" not in page
    assert "(hidden)" in page
    assert "known after the apply" in page


def test_the_six_variables_have_the_changed_line_marked(scene, address, as_user):
    page = text_of(as_user(scene.requester).get(f"{address}?tab=variables"))
    assert page.count("line-changed") == 1
    assert '<span class="line line-changed">activate_canary = true</span>' in page


def test_the_variables_can_be_downloaded_as_tfvars(scene, as_user):
    response = as_user(scene.requester).get(f"/services/catalog/steps/{scene.canary.pk}/variables.tfvars")
    assert response["Content-Disposition"].endswith('.tfvars"')
    assert "activate_canary = true" in text_of(response)


def test_a_step_without_a_plan_downloads_the_variables_of_now(scene, as_user):
    response = as_user(scene.requester).get(f"/services/catalog/steps/{scene.step(50).pk}/variables.tfvars")
    assert "green_weight = 0" in text_of(response)


def test_the_raw_tab_has_what_terraform_printed_escaped(scene, address, as_user):
    LogChunk.objects.create(run=scene.canary.plan_run, first_line=1, lines=["<script>"])
    page = text_of(as_user(scene.requester).get(f"{address}?tab=raw"))
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in page
    assert "&lt;script&gt;" in page


def test_the_staircase_groups_the_rotation_and_says_where_gates_are(service, as_user):
    Service.objects.update(green_weight=100)
    service.refresh_from_db()
    requester = factories.requester(service)
    release = factories.release_with_steps(service, requester, tag="yellow")
    Step.objects.filter(transition="rotate_stable").update(status="done")
    Step.objects.filter(transition="rotate_traffic").update(status="applying")
    response = as_user(requester).get(f"/services/catalog/releases/{release.number}/")
    stairs = response.context["stairs"]
    assert [stair.title for stair in stairs] == [
        "Rotate",
        "Canary",
        "10 %",
        "25 %",
        "50 %",
        "75 %",
        "Promote",
    ]
    assert stairs[0].status.word == "applying 2/3"
    assert [stair.gate for stair in stairs] == [False, True, False, False, False, False, True]
    assert "users to the copy" in text_of(response)


def test_any_step_can_be_looked_at_by_its_number(scene, address, as_user):
    response = as_user(scene.operator).get(f"{address}?step=4")
    assert response.context["step"] == scene.step(25)
    assert "is not the step that can be started or decided on now" in text_of(response)


@pytest.mark.parametrize(
    ("status", "columns", "word"),
    [
        ("pending", {}, "Next"),
        ("planning", {}, "Planning"),
        ("waiting", {}, "Waiting for approval"),
        ("waiting", {"gate": False}, "Waiting for the start"),
        ("waiting", {"gate": False, "started_at": timezone.now()}, "Going on"),
        ("applying", {}, "Applying"),
        ("baking", {"bake_until": timezone.now() + timedelta(minutes=4)}, "Baking"),
        ("failed", {"problem": "AccessDenied"}, "Failed"),
        ("rejected", {}, "Rejected"),
    ],
)
def test_the_headline_says_where_an_open_release_stands(scene, address, as_user, status, columns, word):
    Step.objects.filter(pk=scene.canary.pk).update(status=status, **columns)
    response = as_user(scene.operator).get(address)
    assert response.context["headline"].word == word
    assert word in text_of(response)


@pytest.mark.parametrize(
    ("status", "word"), [("promoted", "Promoted"), ("rolled_back", "Rolled back"), ("rejected", "Rejected")]
)
def test_an_ended_release_says_how_and_offers_no_act(scene, address, as_user, status, word):
    Release.objects.update(status=status, ended_at=timezone.now())
    Step.objects.filter(pk=scene.canary.pk).update(status="abandoned")
    response = as_user(scene.operator).get(address)
    assert response.context["headline"].word == word
    assert "This release has ended: there is nothing to decide." in text_of(response)


def test_a_failed_step_says_its_problem_and_what_is_live_before_anything_else(scene, address, as_user):
    Step.objects.filter(pk=scene.canary.pk).update(status="failed", problem="AccessDenied: <ModifyRule>")
    page = text_of(as_user(scene.manager).get(address))
    assert page.index("AccessDenied: &lt;ModifyRule&gt;") < page.index('class="stairs"')
    assert "Live now: blue 100 %, green 0 %" in page


def test_a_step_in_which_nothing_changes_says_so(scene, address, as_user):
    run = scene.canary.plan_run
    run.changes = []
    run.save()
    assert "Nothing is to be changed" in text_of(as_user(scene.requester).get(address))


@pytest.mark.parametrize(
    ("remote", "said"), [("127.0.0.1", "not in the canary"), ("127.0.0.9", "in the canary"), ("", "not in")]
)
def test_the_canary_step_says_whether_one_is_in_it(scene, address, as_user, remote, said):
    page = text_of(as_user(scene.requester).get(address, REMOTE_ADDR=remote))
    assert f"<strong>{said}" in page


def test_the_canary_s_curl_line_asks_the_sandbox_from_the_canary_s_address(
    scene, address, as_user, settings, tmp_path
):
    names = (
        "endpoint_url region account_id access_key_id secret_access_key load_balancer_name load_balancer_arn"
    )
    info: dict[str, Any] = dict.fromkeys([*names.split(), "listener_arn", "vpc_id", "repository_uri"], "")
    info |= {
        "images": {},
        "url": "http://127.0.0.1:81",
        "everyone_url": "",
        "you_url": "",
        "ipv6_url": "",
        "pid": 1,
    }
    settings.SANDBOX_FILE = str(tmp_path / "sandbox.json")
    (tmp_path / "sandbox.json").write_text(json.dumps(info))
    page = text_of(as_user(scene.requester).get(address))
    assert "curl --interface 127.0.0.9 http://127.0.0.1:81" in page
    assert 'href="http://127.0.0.1:81/-/sandbox/"' in page


def test_without_a_sandbox_the_curl_line_names_the_service_s_host(
    scene, address, as_user, settings, tmp_path
):
    settings.SANDBOX_FILE = str(tmp_path / "not-there-yet.json")
    Service.objects.update(hostnames=["catalog.example.com"])
    page = text_of(as_user(scene.requester).get(address))
    assert "curl https://catalog.example.com/" in page


def test_the_approve_button_says_consequence_and_digest_and_carries_what_was_shown(
    scene, address, shown, as_user
):
    page = text_of(as_user(scene.manager).get(address))
    assert f"Approve plan {shown['sha256'][:4]}: sends the canary to green" in page
    assert f'name="sha256" value="{shown["sha256"]}"' in page
    assert f'name="changes_digest" value="{shown["changes_digest"]}"' in page


def test_an_approval_is_recorded_with_its_comment_and_shown(scene, address, shown, as_user):
    client = as_user(scene.manager)
    response = client.post(act(scene, "approve"), {**shown, "comment": "saw <it>"}, follow=True)
    approval = Approval.objects.get()
    assert response.redirect_chain == [(address, 302)]
    assert (approval.decided_by, approval.comment) == (scene.manager, "saw <it>")
    assert "saw &lt;it&gt;" in text_of(response)
    assert "approved the plan" in text_of(response)


def test_an_approval_of_another_plan_is_refused_and_its_comment_kept(scene, shown, as_user):
    stale = {**shown, "sha256": factories.digest("an older plan"), "comment": "looks good"}
    response = as_user(scene.manager).post(act(scene, "approve"), stale)
    page = text_of(response)
    assert response.status_code == 409
    assert "Nothing was recorded." in page
    assert "The plan is another one by now" in page
    assert "looks good</textarea>" in page
    assert not Approval.objects.exists()


@pytest.mark.parametrize("missing", ["sha256", "changes_digest"])
def test_a_decision_that_names_no_plan_is_refused(scene, shown, as_user, missing):
    del shown[missing]
    response = as_user(scene.manager).post(act(scene, "approve"), shown)
    assert response.status_code == 409
    assert "did not say which plan it showed" in text_of(response)


def test_a_comment_that_is_too_long_is_refused_in_words(scene, shown, as_user):
    response = as_user(scene.manager).post(act(scene, "approve"), {**shown, "comment": "x" * 2001})
    assert response.status_code == 409
    assert "at most 2000 characters" in text_of(response)


def test_a_second_approval_is_refused_in_words(scene, shown, as_user):
    factories.approve(scene.canary, scene.manager)
    response = as_user(scene.manager).post(act(scene, "approve"), shown)
    assert response.status_code == 409
    assert "manager approved it on" in text_of(response)
    assert "Nothing is left to decide." in text_of(response)


def test_nobody_approves_their_own_release_by_a_form_made_by_hand(scene, shown, as_user):
    Release.objects.update(requested_by=scene.manager)
    response = as_user(scene.manager).post(act(scene, "approve"), shown)
    page = text_of(response)
    assert response.status_code == 403
    assert "somebody else has to decide" in page
    assert "Back to the services" in page
    assert not Approval.objects.exists()


def test_a_rejection_without_a_comment_is_refused(scene, shown, as_user):
    response = as_user(scene.manager).post(act(scene, "reject"), {**shown, "comment": " "})
    assert response.status_code == 409
    assert "a rejection needs a comment" in text_of(response)
    scene.canary.refresh_from_db()
    assert scene.canary.status == "waiting"


def test_a_rejection_ends_a_release_that_nobody_was_sent_to(scene, shown, as_user):
    sent = {**shown, "comment": "The tests are red."}
    response = as_user(scene.manager).post(act(scene, "reject"), sent, follow=True)
    scene.release.refresh_from_db()
    assert scene.release.status == "rejected"
    assert "The tests are red." in text_of(response)


def test_a_start_is_recorded_and_then_no_longer_offered(scene, address, as_user):
    client = as_user(scene.operator)
    assert b"Start the canary: sends the canary to green" in client.get(address).content
    client.post(act(scene, "start"))
    scene.canary.refresh_from_db()
    assert scene.canary.started_by == scene.operator
    assert b"It is started already." in client.get(address).content


def test_a_step_that_is_not_due_cannot_be_started(scene, as_user):
    response = as_user(scene.operator).post(f"/services/catalog/steps/{scene.step(50).pk}/start/")
    assert response.status_code == 409
    assert "This is not the step that can be started now" in text_of(response)


def test_the_end_of_the_log_is_shown_and_the_stream_goes_on_from_there(scene, address, as_user):
    run = scene.canary.plan_run
    LogChunk.objects.create(run=run, first_line=1, lines=[f"line {n}" for n in range(300)])
    run.ended_at = None
    run.save()
    response = as_user(scene.requester).get(address)
    page = text_of(response)
    assert f'data-log="/runs/{run.pk}/events/" data-after="301"' in page
    assert "line 299" in page
    assert "line 99<" not in page


def test_an_ended_run_has_no_stream(scene, address, as_user):
    assert "data-log" not in text_of(as_user(scene.requester).get(address))


def test_a_run_s_log_has_an_anchor_at_each_line(scene, as_user):
    LogChunk.objects.create(run=scene.canary.plan_run, first_line=1, lines=["<b>"])
    page = text_of(as_user(scene.requester).get(f"/services/catalog/runs/{scene.canary.plan_run_id}/"))
    assert 'id="L2"' in page
    assert "&lt;b&gt;" in page


def test_a_long_log_comes_in_pages_and_whole_as_a_download(scene, as_user):
    run = scene.canary.plan_run
    LogChunk.objects.create(run=run, first_line=1, lines=[f"line {n}" for n in range(5001)])
    client = as_user(scene.requester)
    first = client.get(f"/services/catalog/runs/{run.pk}/")
    second = client.get(f"/services/catalog/runs/{run.pk}/?from={first.context['next_line']}")
    download = client.get(f"/services/catalog/runs/{run.pk}/log.txt")
    assert first.context["is_full"]
    assert [text for _, text in second.context["lines"]] == ["line 4999", "line 5000"]
    assert b"".join(download.streaming_content).count(b"\n") == 5002


def test_the_download_is_all_that_was_kept_of_an_ended_run(scene, as_user, settings, tmp_path):
    settings.DATA_DIR = tmp_path
    run = scene.canary.plan_run
    log = storage.whole_log(run.pk)
    log.write(["all", "of it"])
    log.close()

    download = as_user(scene.requester).get(f"/services/catalog/runs/{run.pk}/log.txt")

    assert b"".join(download.streaming_content) == b"all\nof it\n"


def test_a_store_that_does_not_answer_leaves_the_lines_of_the_page(scene, as_user, monkeypatch):
    def fail(_):
        raise AwsError("aws:unreachable", "AWS did not answer.")

    monkeypatch.setattr(storage, "read_log", fail)
    run = scene.canary.plan_run
    LogChunk.objects.create(run=run, first_line=1, lines=["of the page"])

    download = as_user(scene.requester).get(f"/services/catalog/runs/{run.pk}/log.txt")

    first, *rest = b"".join(download.streaming_content).decode().splitlines()
    assert first.startswith("(The whole log cannot be read now: AWS did not answer.")
    assert "of the page" in rest


def test_who_may_approve_is_said_at_a_gate_alone(scene, as_user):
    browser, address = as_user(scene.operator), f"/services/catalog/releases/{scene.release.number}/"
    at_the_gate = text_of(browser.get(address))
    assert "Nobody has decided yet." in at_the_gate
    assert "May approve here: manager" in at_the_gate
    without = text_of(browser.get(f"{address}?step={scene.step(50).position + 1}"))
    assert "Nobody has decided yet." not in without
    assert "May approve here" not in without


def test_what_was_decided_is_told_beside_every_step(scene, as_user):
    factories.approve(scene.canary, scene.manager, comment="go")
    address = f"/services/catalog/releases/{scene.release.number}/"
    page = text_of(as_user(scene.operator).get(f"{address}?step={scene.step(50).position + 1}"))
    assert "approved Canary" in page
    assert "May approve here" not in page


def test_a_release_that_ended_undecided_waits_for_nobody(scene, address, as_user):
    Release.objects.update(status="cancelled")
    page = text_of(as_user(scene.operator).get(address))
    assert "Nobody has decided yet." not in page
    assert "May approve here" not in page
