"""Each variable that Terraform is given, with whatever somebody writes: refused in words, or that text and no more.

``WAYS`` has a row for each place of text in each variable, with the way by which people's text gets there. What is set
at a set-up is put into the service's row, as though nobody had looked at it. A variable without a row fails.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import hcl2
import pytest
from django.conf import settings as django_settings
from django.db import transaction

from releases.domain.access.decisions import Permission
from releases.domain.any_weight import parse_share
from releases.domain.canary import CanaryHeader
from releases.domain.errors import DomainError
from releases.domain.provisioning.execution_role import RoleRights
from releases.domain.provisioning.settings import from_columns
from releases.domain.traffic import Color, Version
from releases.models import Release
from releases.permissions import grant
from releases.services import canary_header
from releases.services.execution import storage
from releases.services.execution.workspaces import MODULE, workspace
from releases.services.provisioning import settings_runs
from releases.services.provisioning.settings_columns import recorded_settings
from releases.services.tests.test_hostile_values import CREDENTIALS, HOSTILE, wanted
from terraform_runner import working_dir
from terraform_runner.executor import Workspace

# Nothing at all is what every field means by nothing; the rest is found wherever it goes.
TEXTS = [
    *filter(None, HOSTILE),
    "${path.root}",
    "/${terraform.workspace}",
    "%{for x in y}z%{endfor}",
    "../../etc/x\ny",
]


class RefusedByForm(DomainError):
    """A form's error, in its words."""


def nothing(text: str) -> bool:
    """What takes none of these texts."""
    return False


def anything(text: str) -> bool:
    """What nobody has looked at."""
    return True


def letters(text: str) -> bool:
    """What is a word, of whatever alphabet: a tag may be."""
    return text.isalpha() and len(text) < 200


def value(text: str) -> bool:
    """What an environment takes: lines too, but no other control character, and not the 4 KB that are Lambda's most."""
    return len(text) < 4_000 and not any(one < " " and one != "\n" for one in text)


def secret(text: str) -> bool:
    """Likewise, and long enough to be masked."""
    return value(text) and len(text) >= 8


def argument(text: str) -> bool:
    """What is given to a program, or names a folder: one line."""
    return len(text) < 1_000 and not any(one < " " for one in text)


@dataclass(frozen=True)
class Way:
    """A place in a variable: ``enter`` brings text there and gives the workspace, or raises what refuses it.

    ``takes`` says of a hostile text whether it may arrive there at all.
    """

    variable: str
    place: str
    enter: Callable[[Any, str], Workspace]
    takes: Callable[[str], bool] = nothing

    def __str__(self) -> str:
        return f"{self.variable} {self.place}".strip()


def made(life: Any, **changes: Any) -> Workspace:
    """The workspace of the service, with changes of its row that nobody has checked."""
    life.service.refresh_from_db()
    for name, value in changes.items():
        setattr(life.service, name, value)
    state = life.service.state
    if release := Release.objects.first():
        version = Version(image=release.image, configuration=release.configuration)
        state = state.with_version(Color.BLUE, version).with_version(Color.GREEN, version)
        state = state.with_canary(True, release.canary_addresses)
    kept_in = storage.state(life.service.pk, run_id=uuid4())
    wanted_settings = None
    if step := life.service.steps.filter(transition="settings").first():
        wanted_settings = from_columns(step.settings_after)
    return workspace(
        life.service, state, credentials=CREDENTIALS, kept_in=kept_in, settings_after=wanted_settings
    )


def by_request(field: str) -> Callable[[Any, str], Workspace]:
    def enter(life: Any, text: str) -> Workspace:
        life.request("v2", configuration=wanted(field, text))
        return made(life)

    return enter


def by_tag(life: Any, text: str) -> Workspace:
    life.request(text)
    return made(life)


def by_canary(life: Any, text: str) -> Workspace:
    life.request("v2", canary_addresses=[text])
    return made(life)


def by_share(life: Any, text: str) -> Workspace:
    return made(life, green_weight=parse_share(text))


def by_settings(**field: Callable[[str], Any]) -> Callable[[Any, str], Workspace]:
    """What the form of the settings makes of a text goes to the service that asks for them."""
    [(name, value)] = field.items()

    def enter(life: Any, text: str) -> Workspace:
        settings = replace(recorded_settings(life.service), **{name: value(text)})
        settings_runs.request_settings(
            service_id=life.service.pk, user=life.operator, wanted=settings, reason="x"
        )
        return made(life)

    return enter


def by_header(place: str) -> Callable[[Any, str], Workspace]:
    def enter(life: Any, text: str) -> Workspace:
        header = CanaryHeader(**{"name": "X-Canary", "value": "a" * 16, place: text})
        value = canary_header.encrypt(life.service.pk, header.value)
        return made(life, canary_header_name=header.name, canary_header_value=value)

    return enter


def by_row(field: str) -> Callable[[Any, str], Workspace]:
    return lambda life, text: made(life, **{field: text})


def by_kind(field: str, kind: Callable[[str], Any]) -> Callable[[Any, str], Workspace]:
    def enter(life: Any, text: str) -> Workspace:
        try:
            return made(life, **{field: kind(text)})
        except (KeyError, ValueError) as error:
            raise RefusedByForm("kind", str(error)) from error

    return enter


FREE = {"value": value, "secret": secret} | dict.fromkeys(("command", "entry point", "directory"), argument)
OTHER = ("name", "subnet", "security group", "architecture", "tracing", "memory", "setting", "kept")
# What is no number is refused by the form: see the tests of its page.
NUMBERS = ("priority", "canary_slots", "log_retention_days", "stickiness_seconds", "provisioned_concurrency")
WAYS = [
    *[
        Way(variable, place, by_request(place), takes=FREE.get(place, nothing))
        for variable in ("blue_config", "green_config")
        for place in (*FREE, *OTHER)
    ],
    Way("blue_image", "tag", by_tag),
    Way("green_image", "tag", by_tag),
    Way("canary_source_ips", "", by_canary),
    Way("green_weight", "", by_share),
    Way("hostnames", "", by_settings(hostnames=lambda text: (text,))),
    Way("paths", "", by_settings(paths=lambda text: (text,))),
    Way("paths", "after a slash", by_settings(paths=lambda text: (f"/{text}",))),
    Way("tags", "name", by_settings(tags=lambda text: {text: "x"}), takes=letters),
    Way("tags", "value", by_settings(tags=lambda text: {"team": text}), takes=letters),
    *[Way(number, "", by_kind(number, int)) for number in NUMBERS],
    Way("canary_header", "name", by_header("name")),
    Way("canary_header", "value", by_header("value")),
    Way("active_color", "", by_kind("active_color", Color)),
    Way("activate_canary", "", by_kind("activate_canary", {"True": True, "False": False}.__getitem__)),
    Way("role_rights", "", by_kind("role_rights", RoleRights)),
    Way("name", "", by_row("name"), takes=anything),
    Way("family", "", by_row("family"), takes=anything),
    Way("listener_arn", "", by_row("listener_arn"), takes=anything),
    Way("role_arn", "", by_row("role_arn"), takes=anything),
    Way("role_permissions_boundary", "", by_row("role_permissions_boundary"), takes=anything),
]
NEVER_GIVEN = {"load_balancer_arn", "load_balancer_name", "load_balancer_tags", "listener_port", "names"}
"""The module's, for those who use it alone."""


@pytest.fixture
def managed(life, monkeypatch):
    """The life of a service whose operator also changes its settings, alone on its listener."""
    monkeypatch.setattr(settings_runs, "_refuse_taken_priorities", lambda *_: None)
    grant(life.operator, life.service, Permission.MANAGE)
    return life


def texts_in(value: object) -> Iterator[str]:
    """All strings of a JSON value, names among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from texts_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_in(item)


def files_of(given: Workspace, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The root module and the variables, as they are read back from the two files that Terraform is given."""
    directory = working_dir.make(folder, uuid4())
    working_dir.render(directory, root=given.root, variables=given.variables, modules={})
    files = {path.name: json.loads(path.read_text()) for path in directory.root.iterdir()}
    assert len(files) == 2
    return files["main.tf.json"], files["service.auto.tfvars.json"]


def test_every_variable_that_the_module_has_is_in_the_table():
    declared: set[str] = set()
    for path in (django_settings.BASE_DIR / "infra" / "modules" / MODULE).glob("*.tf"):
        for block in hcl2.loads(path.read_text()).get("variable", []):
            declared |= {name.strip('"') for name in block}
    assert {way.variable for way in WAYS} == declared - NEVER_GIVEN


def test_every_variable_that_a_service_can_give_is_in_the_table(life):
    value = canary_header.encrypt(life.service.pk, "a" * 16)
    given = made(
        life,
        canary_header_name="X-Canary",
        canary_header_value=value,
        log_retention_days=30,
        role_arn="arn:aws:iam::123456789012:role/shop",
        role_permissions_boundary="arn:aws:iam::123456789012:policy/bound",
    )
    assert {way.variable for way in WAYS} == set(given.variables)


@pytest.mark.parametrize("way", WAYS, ids=str)
def test_what_is_written_is_refused_in_words_or_arrives_as_it_is_and_nowhere_else(managed, way, tmp_path):
    harmless = made(managed).root
    for text in TEXTS:
        with taken_back():
            if way.takes(text):
                arrives(way, text, way.enter(managed, text), harmless, tmp_path)
            else:
                refused(way, text, managed)


@contextmanager
def taken_back() -> Iterator[None]:
    """What is done here leaves nothing in the database."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def refused(way: Way, text: str, life: Any) -> None:
    with pytest.raises(DomainError) as refusal:
        way.enter(life, text)
    assert refusal.value.message, text[:40]


def arrives(way: Way, text: str, given: Workspace, harmless: Mapping[str, Any], folder: Path) -> None:
    """In the variable's file, as it is; the root module only has one variable more where it was not given before."""
    root, variables = files_of(given, folder)
    assert variables == given.variables
    assert {name for name, value in variables.items() if has(value, text)} == reached(way), text[:40]
    assert not has(root, text)
    new = set(variables) - set(harmless["variable"])
    assert {name for name in root if root[name] != harmless[name]} <= (
        {"variable", "module"} if new else set()
    )


def reached(way: Way) -> set[str]:
    """The variables that the text shall be in: both colours run the version here."""
    return {"blue_config", "green_config"} if way.variable.endswith("_config") else {way.variable}


def has(value: object, text: str) -> bool:
    """Whether this very text is one of the value's; a directory begins with a slash of its own."""
    return bool({text, f"/{text}"} & set(texts_in(value)))
