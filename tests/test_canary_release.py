"""A canary over several rules, by a header, by IPv6, and sticky users, with the real Terraform and load balancer."""

from collections.abc import Iterator

import pytest
import requests

from audit.events import Actor
from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from releases import selectors
from releases.domain.canary import CanaryHeader
from releases.domain.lifecycle import ReleaseStatus
from releases.domain.traffic import Transition
from releases.models import Step
from releases.services import rollout
from releases.services.lifecycle import locked
from releases.services.provisioning import setup
from releases.services.requests import ReleaseRequest, request_release
from releases.services.rollback import emergency
from releases.tests.factories import ReleaseFactory, StepFactory
from terraform_runner.models import LogChunk, Run
from tests.life import Life, new_service, use_sandbox

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]

HEADER = CanaryHeader(name="X-Canary", value="who_knows_this_is_a_tester")
# More than one rule takes: the last one is in the second slot.
ADDRESSES = ["127.0.0.9", "203.0.113.7", "198.51.100.0/24", "2001:db8::9"]
STICKY_SECONDS = 600


@pytest.fixture(autouse=True)
def at_the_sandbox(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> None:
    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")


def set_up(sandbox: SandboxInfo, name: str, priority: int) -> Life:
    new = new_service(
        sandbox,
        name,
        priority=priority,
        settle_seconds=0,
        bake_seconds=0,
        canary_addresses=ADDRESSES,
        canary_slots=2,
        canary_header=HEADER,
        stickiness_seconds=STICKY_SECONDS,
    )
    life = Life(sandbox, setup.create_service(new, actor=Actor(id="", name="tests", via="command")))
    life.work()
    assert [step.problem for step in Step.objects.all()] == [""]
    life.service.refresh_from_db()
    return life


class Client:
    """Somebody who asks for the service, at one of the load balancer's ports, and keeps cookies."""

    def __init__(self, life: Life, url: str, **headers: str) -> None:
        self._url = url
        self._session = requests.Session()
        self._session.headers.update({"Host": life.service.hostnames[0], **headers})

    def color(self) -> str:
        """The colour of the function that answers."""
        answer = self._session.get(self._url, timeout=10)
        assert answer.status_code == 200
        return str(answer.json()["color"])

    def colors(self, times: int) -> set[str]:
        return {self.color() for _ in range(times)}


def all_testers(life: Life) -> Iterator[Client]:
    """By an address of the first slot, by one of the second, and by the header from anywhere."""
    yield Client(life, life.sandbox.you_url)
    yield Client(life, life.sandbox.ipv6_url)
    yield Client(life, life.sandbox.everyone_url, **{"x-canary": HEADER.value})


def answering_testers(life: Life) -> list[set[str]]:
    return [tester.colors(5) for tester in all_testers(life)]


def answering_others(life: Life) -> set[str]:
    wrong = {"X-Canary": HEADER.value[:-1]}
    return Client(life, life.sandbox.everyone_url).colors(20) | Client(
        life, life.sandbox.everyone_url, **wrong
    ).colors(20)


def assert_nothing_tells_the_header(life: Life) -> None:
    told = [
        *LogChunk.objects.values_list("lines", flat=True),
        *Run.objects.values_list("changes", "error_message", "outputs"),
        *Step.objects.values_list("problem", flat=True),
    ]
    assert HEADER.value not in str(told)
    assert "X-Canary" in str(told)


def test_testers_are_known_by_any_slot_or_by_the_header_and_are_back_at_once(sandbox):
    life = set_up(sandbox, "canaries", 28_020)
    assert len(life.service.more_canary_rule_arns) == 2
    # What a rotation would have put in place: here both colours have the same version from the start.
    release = ReleaseFactory.create(
        service=life.service, image=life.service.green_image, tag="blue", requested_by=life.rita
    )
    StepFactory.create(release=release, transition=Transition.CANARY.value, gate=True)
    StepFactory.create(release=release, transition=Transition.PROMOTE.value, candidate_share=100, position=1)
    assert answering_testers(life) == [{"blue"}] * 3

    with locked(life.service.pk) as service:
        rollout.advance(service)
    life.go_on()
    life.service.refresh_from_db()
    assert life.service.active_canary_addresses[3] == "2001:db8::9/128"
    assert answering_testers(life) == [{"green"}] * 3
    assert answering_others(life) == {"blue"}

    rollback = emergency.roll_back(service_id=life.service.pk, user=life.otto)
    assert rollback.problem == ""
    assert answering_testers(life) == [{"blue"}] * 3
    assert_nothing_tells_the_header(life)


def test_sticky_users_are_brought_back_and_stay_when_terraform_has_converged(sandbox):
    life = set_up(sandbox, "sticky", 28_030)
    wanted = ReleaseRequest(tag="green", weights=[50], reason="")
    release = request_release(service_id=life.service.pk, user=life.rita, wanted=wanted)
    life.go_on()
    life.go_on()
    assert answering_testers(life) == [{"green"}] * 3
    life.go_on()
    users = [Client(life, life.sandbox.everyone_url) for _ in range(24)]
    first = [user.color() for user in users]
    assert set(first) == {"blue", "green"}
    assert [user.colors(5) for user in users] == [{color} for color in first]
    assert answering_testers(life) == [{"green"}] * 3

    emergency.roll_back(service_id=life.service.pk, user=life.otto)
    assert {user.color() for user in users} == {"blue"}
    assert answering_testers(life) == [{"blue"}] * 3

    life.work()
    assert [step.problem for step in selectors.unfinished_steps(life.service)] == []
    release.refresh_from_db()
    assert release.status == ReleaseStatus.ROLLED_BACK
    assert {user.color() for user in users} == {"blue"}
    assert answering_testers(life) == [{"blue"}] * 3
    assert_nothing_tells_the_header(life)
