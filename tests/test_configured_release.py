"""A release that changes the configuration only, with the real Terraform: the colour with the users is never touched.

The variables are as hostile as they get: what would be code in a ``.tf`` file has to arrive at Lambda as it was typed.
"""

import json
from typing import Any

import pytest

from audit.events import Actor
from audit.models import AuditEvent
from conftest import TerraformCli
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import ALIAS, client
from releases import selectors
from releases.models import Release, Service, Step
from releases.services import requests
from releases.services.execution import storage
from releases.services.provisioning import setup
from releases.services.requests import ReleaseRequest
from releases.services.rollback import emergency
from releases.services.versions.configurations import WantedConfiguration
from terraform_runner.models import LogChunk, Run
from tests.life import Life, new_service, use_sandbox

pytestmark = [pytest.mark.terraform, pytest.mark.long, pytest.mark.django_db(transaction=True)]

SECRET = 'correct horse ${file("/etc/passwd")} "battery"'
BEFORE = {
    "LEVEL": "info",
    "TEMPLATE": '${file("/etc/passwd")}%{ if true }x%{ endif }$${x}',
    "QUOTES": '"\\"\n}\nresource "null_resource" "x" {}\n',
    "WORDS": "é 🙂 \u202eevil =cmd|' /C calc'!A0",
}
SETTINGS: dict[str, Any] = {
    "memory_size": 256,
    "image_config": {
        "command": ["${path.root}", '--x="$(id)"'],
        "entry_point": ["/bin/\u202ehs", "%{ if true }x%{ endif }", "=cmd|' /C calc'!A0", "🙂"],
        "working_directory": "/${terraform.workspace}",
    },
}
# The oddest that each of these takes.
HOSTS = ["*.{name}.example.com", "{name}?.example.com"]
PATHS = ["/$x/~a@b:c+d&e.f_g-*?"]
TAGS = {"größe של ключ": "a/b=c @d +e: -f_g.h"}


class ConfiguredLife(Life):
    """One service, whose releases change a variable."""

    def release(self, level: str) -> Release:
        """The same image, and the same configuration but for one variable."""
        wanted = WantedConfiguration(
            settings={**SETTINGS, "environment": {**BEFORE, "LEVEL": level}}, kept=frozenset({"PASSWORD"})
        )
        return requests.request_release(
            service_id=self.service.pk,
            user=self.rita,
            wanted=ReleaseRequest(
                tag="blue", weights=[25], canary=False, configuration=wanted, reason='${file("/etc/passwd")}'
            ),
        )

    def at_aws(self, color: str) -> dict[str, Any]:
        """A colour's function, all its versions and its alias, as Lambda tells them."""
        functions, name = client(self.sandbox, "lambda"), f"{self.service.name}-{color}"
        versions = functions.list_versions_by_function(FunctionName=name)["Versions"]
        alias = functions.get_alias(FunctionName=name, Name=ALIAS)
        function = functions.get_function(FunctionName=name)
        for answer in (alias, function):
            del answer["ResponseMetadata"]
        return {"function": function, "versions": versions, "alias": alias}

    def settings(self) -> dict[str, Any]:
        """What the traffic rule asks for and the tags, as AWS tells them."""
        balancer, functions = client(self.sandbox, "elbv2"), client(self.sandbox, "lambda")
        rule = balancer.describe_rules(RuleArns=[self.service.traffic_rule_arn])["Rules"][0]
        asked = {one["Field"]: self._values(one) for one in rule["Conditions"]}
        tags = functions.get_function(FunctionName=self.service.blue_function_name)["Tags"]
        return {**asked, "tags": tags}

    @staticmethod
    def _values(condition: dict[str, Any]) -> set[str]:
        """A condition has them in a part of its own kind."""
        (part,) = (value for name, value in condition.items() if name.endswith("Config"))
        return set(part["Values"])

    def environment(self, color: str) -> dict[str, str]:
        """What the version that a colour serves was really given."""
        found = client(self.sandbox, "lambda").get_function(
            FunctionName=f"{self.service.name}-{color}", Qualifier=ALIAS
        )
        variables: dict[str, str] = found["Configuration"]["Environment"]["Variables"]
        return variables


def hosts_of(name: str) -> list[str]:
    return [host.format(name=name) for host in HOSTS]


def set_up(sandbox: SandboxInfo, name: str, priority: int) -> ConfiguredLife:
    new = new_service(
        sandbox,
        name,
        priority=priority,
        hostnames=hosts_of(name),
        settle_seconds=0,
        bake_seconds=0,
        configuration=WantedConfiguration(
            settings={**SETTINGS, "environment": BEFORE}, secrets={"PASSWORD": SECRET}
        ),
    )
    made = setup.create_service(new, actor=Actor(id="", name="tests", via="command"))
    Service.objects.filter(pk=made.pk).update(paths=PATHS, tags=TAGS)
    life = ConfiguredLife(sandbox, made)
    life.work()
    life.service.refresh_from_db()
    assert [step.problem for step in Step.objects.all()] == [""]
    return life


@pytest.fixture(autouse=True)
def at_the_sandbox(sandbox: SandboxInfo, terraform_cli: TerraformCli, settings, tmp_path) -> None:
    use_sandbox(sandbox, terraform_cli, settings, tmp_path / "data")


def everything_stored() -> str:
    """All that the database and the kept plans' JSON have, which people may see."""
    kept = [
        storage.plan_store().read_json(run.document_sha256) for run in Run.objects.exclude(document_sha256="")
    ]
    rows = [
        *LogChunk.objects.values_list("lines", flat=True),
        *Run.objects.values_list("changes", "error_message", "outputs"),
        *AuditEvent.objects.values_list("before", "after", "reason", "subject"),
        *Step.objects.values_list("state_before", "state_after", "problem"),
        *Release.objects.values_list("configuration", "from_configuration"),
    ]
    return json.dumps([kept, rows], ensure_ascii=False)


def assert_nothing_tells_the_secret() -> None:
    stored = everything_stored()
    assert "correct horse" not in stored
    assert "LEVEL" in stored


def test_a_changed_variable_is_put_in_place_as_it_was_typed_and_the_users_colour_is_not_touched(sandbox):
    life = set_up(sandbox, "configured", 28_000)
    before = life.at_aws("blue")
    assert life.environment("blue") == {**BEFORE, "PASSWORD": SECRET}
    assert life.settings() == {
        "host-header": set(hosts_of("configured")),
        "path-pattern": set(PATHS),
        "tags": TAGS,
    }

    life.release("debug")
    life.go_on()

    assert life.environment("green") == {**BEFORE, "LEVEL": "debug", "PASSWORD": SECRET}
    green = life.at_aws("green")["function"]["Configuration"]
    assert green["ImageConfigResponse"]["ImageConfig"] == {
        "Command": SETTINGS["image_config"]["command"],
        "EntryPoint": SETTINGS["image_config"]["entry_point"],
        "WorkingDirectory": SETTINGS["image_config"]["working_directory"],
    }
    assert (green["MemorySize"], life.at_aws("green")["alias"]["FunctionVersion"]) == (256, "2")
    assert life.at_aws("blue") == before
    assert_nothing_tells_the_secret()


def test_a_changed_variable_is_rolled_back_at_25_and_the_users_colour_is_never_touched(sandbox):
    life = set_up(sandbox, "taken-back", 28_010)
    before = life.at_aws("blue")
    release = life.release("debug")
    life.go_on()
    life.go_on()
    life.service.refresh_from_db()
    assert life.service.state.candidate_share == 25
    assert life.at_aws("blue") == before

    emergency.roll_back(service_id=life.service.pk, user=life.otto)
    life.work()

    life.service.refresh_from_db()
    release.refresh_from_db()
    assert (life.service.state.candidate_share, release.status) == (0, "rolled_back")
    assert not selectors.unfinished_steps(life.service)
    assert life.at_aws("blue") == before
    assert life.environment("green")["LEVEL"] == "debug"
    assert life.service.green_configuration == release.configuration
    assert_nothing_tells_the_secret()
