"""What the load calls a wrong answer: told of a made-up life of ten seconds, without anybody who asks."""

import pytest

from infra.sandbox.info import SandboxInfo
from tests.clients import EVERYONE, Client
from tests.load import Answer, Load, Phase
from tests.readings import Led, Reading, Target

OLD, NEW, BOTH = frozenset({"old"}), frozenset({"new"}), frozenset({"old", "new"})


def life(sandbox: SandboxInfo, client: Client, *, meant: frozenset[str] = BOTH) -> Load:
    """Users are split for five seconds, and kept by a cookie; then all are on the old version."""
    load = Load(sandbox, Target(rule_arns=[], functions={}))
    load.phases.append(Phase(began=float("-inf"), digests={EVERYONE: meant}))
    for moment in (tenth / 10 for tenth in range(100)):
        led = Led(digests=BOTH, is_sticky=True) if moment < 5 else Led(digests=OLD, is_sticky=False)
        load.readings.append(Reading(began=moment, ended=moment + 0.01, led={client.name: led}))
    return load


def somebody(people: int = 0) -> Client:
    return Client(name="somebody", audience=EVERYONE, url="", address="127.0.1.1", people=people)


def answer(
    client: Client, moment: float, digest: str, *, took: float = 0.01, status: int = 200, person: int = 0
) -> Answer:
    return Answer(
        client=client, person=person, sent=moment, received=moment + took, status=status, digest=digest
    )


def reasons(load: Load, *answers: Answer) -> list[str]:
    load.answers.extend(answers)
    return [wrong.rpartition(": ")[2] for wrong in load.wrong_answers()]


@pytest.mark.parametrize(
    ("moment", "digest", "status", "reason"),
    [
        (3, "old", 200, []),
        (3, "new", 200, []),
        (3, "", 502, ["failed"]),
        (3, "third", 200, ["no rule led there"]),
        (5.05, "new", 200, []),
        (5.2, "new", 200, ["no rule led there"]),
        (9.99, "old", 200, []),
    ],
)
def test_an_answer_is_wrong_that_failed_or_that_no_rule_led_to(sandbox, moment, digest, status, reason):
    client = somebody()
    assert reasons(life(sandbox, client), answer(client, moment, digest, status=status)) == reason


def test_an_answer_may_be_of_any_time_between_its_sending_and_its_receipt(sandbox):
    client = somebody()
    assert reasons(life(sandbox, client), answer(client, 4.8, "new", took=2)) == []


def test_an_answer_is_wrong_that_the_rules_led_to_though_nobody_was_meant_to_be(sandbox):
    client = somebody()
    load = life(sandbox, client, meant=OLD)
    assert reasons(load, answer(client, 3, "new")) == ["nobody was meant to be led there"]


def test_without_cookies_everybody_changes_versions_while_users_are_split(sandbox):
    client = somebody()
    assert reasons(life(sandbox, client), answer(client, 3, "new"), answer(client, 3.5, "old")) == []


def test_with_cookies_nobody_leaves_a_version_while_users_are_split(sandbox):
    client = somebody(people=2)
    answers = [answer(client, 3, "new"), answer(client, 3.2, "old", person=1), answer(client, 3.5, "old")]
    assert reasons(life(sandbox, client), *answers) == ["the cookie was to keep it at new"]


def test_with_cookies_everybody_is_back_when_users_are(sandbox):
    client = somebody(people=2)
    load = life(sandbox, client)
    assert reasons(load, answer(client, 4.8, "new"), answer(client, 5.05, "old")) == []
    assert (load.last_from("new"), load.met_by("somebody")) == (4.81, {"old", "new"})
