"""What the tests of pages share: people, a service with a release, and an AWS that answers without a network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from aws import credentials, functions, images, load_balancer
from aws.errors import AwsError
from aws.function_configuration import FunctionConfiguration
from aws.functions import FunctionReality
from aws.images import Image
from aws.load_balancer import Rule
from releases.domain.traffic import NOBODY
from releases.models import Release, Service, Step
from releases.tests import factories

DOWN = AwsError("aws:unreachable", "AWS did not answer. Try again.")
USUAL = FunctionConfiguration(
    memory_size=128,
    timeout=30,
    environment={},
    architectures=("x86_64",),
    ephemeral_storage=512,
    subnet_ids=frozenset(),
    security_group_ids=frozenset(),
    tracing_mode="PassThrough",
    command=(),
    entry_point=(),
    working_directory="",
)


@dataclass
class FakeAws:
    """The rules, functions and images of all services, and whether AWS answers at all."""

    weights: dict[str, Mapping[str, int]] = field(default_factory=dict)
    sources: dict[str, frozenset[str]] = field(default_factory=dict)
    tags: list[str] = field(default_factory=lambda: ["yellow", "green", "blue"])
    is_down: bool = False

    def answer(self) -> None:
        """Fail where AWS does not answer."""
        if self.is_down:
            raise DOWN

    def set_weights(self, access: object, rule_arn: str, weights: Mapping[str, int]) -> None:
        """ModifyRule."""
        self.answer()
        self.weights[rule_arn] = dict(weights)

    def read_rules(self, access: object, arns: list[str]) -> dict[str, Rule]:
        """DescribeRules."""
        self.answer()
        return {arn: self._rule(arn) for arn in arns}

    def read_function(self, access: object, name: str) -> FunctionReality:
        """GetFunction, of a function that is ready."""
        self.answer()
        return FunctionReality(
            name=name,
            latest_digest="sha256:1",
            newest_version="1",
            alias_version="1",
            alias_digest="sha256:1",
            state="Active",
            update_status="Successful",
            latest_state="Active",
            last_update_status="Successful",
            latest_configuration=USUAL,
            alias_configuration=USUAL,
            reserved_concurrency=-1,
        )

    def list_images(self, access: object, repository_uri: str) -> list[Image]:
        """DescribeImages, newest first."""
        self.answer()
        return [self._image(tag) for tag in self.tags]

    def resolve_image(self, access: object, reference: str) -> Image:
        """DescribeImages of one."""
        self.answer()
        tag = reference.rpartition(":")[2]
        if tag not in self.tags:
            raise AwsError("aws:image-missing", f"There is no image {tag}.")
        return self._image(tag)

    def _rule(self, arn: str) -> Rule:
        return Rule(
            arn=arn,
            priority=200,
            weights=self.weights.get(arn, {}),
            stickiness_seconds=0,
            source_ips=self.sources.get(arn, frozenset({NOBODY})),
            hostnames=frozenset(),
            paths=frozenset({"/*"}),
            headers={},
            other_conditions=frozenset(),
        )

    @staticmethod
    def _image(tag: str) -> Image:
        reference = factories.image_of(tag)
        return Image(
            tag=tag,
            digest=reference.partition("@")[2],
            pushed_at=datetime(2026, 1, 2, tzinfo=UTC),
            reference=reference,
        )


def text_of(response: Any) -> str:
    """A page with each space, of whatever kind and length, as one: how its source is broken into lines says nothing."""
    return " ".join(response.content.decode().split())


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    """An AWS without a network."""
    fake = FakeAws()
    monkeypatch.setattr(load_balancer, "set_weights", fake.set_weights)
    monkeypatch.setattr(load_balancer, "read_rules", fake.read_rules)
    monkeypatch.setattr(functions, "read_function", fake.read_function)
    monkeypatch.setattr(credentials, "for_run", lambda *_, **__: fake.answer())
    monkeypatch.setattr(images, "list_images", fake.list_images)
    monkeypatch.setattr(images, "resolve_image", fake.resolve_image)
    return fake


@dataclass(frozen=True)
class Scene:
    """A service of which a release waits at its canary, and the three people of the demo."""

    service: Service
    requester: User
    manager: User
    operator: User
    release: Release
    canary: Step

    def step(self, share: int) -> Step:
        """The shift to a share."""
        return self.release.steps.get(transition="shift", candidate_share=share)


@pytest.fixture
def service(db: None) -> Service:
    """A service that is set up, and at rest."""
    return factories.ServiceFactory.create(name="catalog")


@pytest.fixture
def scene(service: Service) -> Scene:
    """The new version is in place; the canary's plan waits for approval and for its start."""
    requester, manager = factories.requester(service), factories.manager(service)
    operator = factories.operator(service)
    release = factories.release_with_steps(service, requester)
    factories.put_in_place(service, release)
    canary = factories.waiting_step(release.steps.get(transition="canary"))
    return Scene(service, requester, manager, operator, release, canary)


@pytest.fixture
def as_user() -> Callable[[User], Client]:
    """A browser in which somebody is signed in."""

    def sign_in(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return sign_in
