import json
import re

from hypothesis import given
from hypothesis import strategies as st

from terraform_runner.domain.plan import changes_digest, parse_plan
from terraform_runner.domain.plan_document import mask_document
from terraform_runner.domain.redaction import Redactor
from terraform_runner.tests.support import plan_document, real_plan, resource_change

SECRET = "correct-horse-battery"


def masked(document, *secrets):
    return mask_document(document, Redactor(secrets))


def test_real_plan_without_secrets_keeps_its_meaning():
    document = real_plan("rotate_candidate_first")

    assert parse_plan(masked(document)) == parse_plan(document)


def test_sensitive_value_is_masked_wherever_the_plan_has_it():
    change = {"before": {"a": [SECRET]}, "before_sensitive": {"a": [True]}, "after": {"a": SECRET}}
    change |= {"after_sensitive": {"a": True}}
    document = plan_document(
        resource_change(**change),
        resource_drift=[resource_change(**change)],
        output_changes={
            "o": {"actions": ["create"], "before": None, "after": SECRET, "after_sensitive": True}
        },
        variables={"v": {"value": SECRET}},
        planned_values={"outputs": {"o": {"value": SECRET}}},
        prior_state={"values": {"outputs": {"o": {"value": SECRET}}}},
        configuration={"root_module": {"variables": {"v": {"default": SECRET, "sensitive": True}}}},
    )

    assert SECRET not in json.dumps(masked(document))


def test_changed_secret_is_still_seen_as_a_change():
    marks = {"before_sensitive": {"a": True, "b": True}, "after_sensitive": {"a": True, "b": True}}
    document = plan_document(
        resource_change(before={"a": "1", "b": "2"}, after={"a": "1", "b": "3"}, **marks)
    )

    (change,) = parse_plan(masked(document)).changes

    assert change.before == {"a": "(sensitive value 1)", "b": "(sensitive value 2)"}
    assert change.after == {"a": "(sensitive value 1)", "b": "(sensitive value 3)"}


def test_whole_value_that_is_sensitive_is_masked_whole():
    document = plan_document(resource_change(before={"a": {"x": [SECRET]}}, before_sensitive={"a": True}))

    (change,) = parse_plan(masked(document)).changes

    assert change.before == {"a": "(sensitive value 1)"}


def test_secret_is_masked_where_terraform_lost_its_mark():
    values = {"input": SECRET, "output": SECRET}
    document = plan_document(resource_change(after=values, after_sensitive={"input": True}))

    (change,) = parse_plan(masked(document)).changes

    assert change.after == {"input": "(sensitive value 1)", "output": "(sensitive value 1)"}


def test_absent_value_stays_absent():
    document = plan_document(resource_change(before=None, before_sensitive=True))

    (change,) = parse_plan(masked(document)).changes

    assert change.before is None


def test_given_secret_is_masked_inside_values_that_are_not_marked():
    document = plan_document(resource_change(after={"environment": [{"URL": f"x:{SECRET}@y"}]}))

    (change,) = parse_plan(masked(document, SECRET)).changes

    assert change.after == {"environment": [{"URL": "x:(sensitive value 1)@y"}]}


def test_unknown_content_is_noted_without_being_kept():
    resource = resource_change(novelty=SECRET) | {"surprise": SECRET}
    document = plan_document(resource, action_invocations=[SECRET])

    kept = masked(document)

    assert SECRET not in json.dumps(kept)
    assert parse_plan(kept).unexpected == parse_plan(document).unexpected


def test_digest_of_the_unmasked_plan_sees_a_changed_secret():
    def with_secret(secret: str) -> str:
        marks = {"before_sensitive": {"a": True}, "after_sensitive": {"a": True}}
        return changes_digest(parse_plan(plan_document(resource_change(after={"a": secret}, **marks))))

    assert with_secret("one secret") != with_secret("another one")


SECRETS = st.text("abcdefgh", min_size=8, max_size=12).map(lambda text: f"S{text}S")
MARKED = st.recursive(
    st.tuples(SECRETS, st.just(True)),
    lambda inner: (
        st.lists(inner, max_size=3).map(
            lambda items: ([value for value, _ in items], [mark for _, mark in items])
        )
        | st.dictionaries(st.text("xyz", min_size=1), inner, max_size=3).map(
            lambda items: (
                {key: value for key, (value, _) in items.items()},
                {key: mark for key, (_, mark) in items.items()},
            )
        )
    ),
)


@given(before=MARKED, after=MARKED, outside=st.booleans())
def test_no_marked_value_stays_however_deep_it_is(before, after, outside):
    change = {
        "before": before[0],
        "before_sensitive": before[1],
        "after": after[0],
        "after_sensitive": after[1],
    }
    # The same values once more where nothing marks them.
    more = {"relevant": before[0], "checks": [{"status": json.dumps(after[0])}]} if outside else {}

    kept = json.dumps(masked(plan_document(resource_change(**change), **more)))

    assert not re.search("S[a-h]{8,}S", kept)


def test_short_secret_is_masked_in_an_environment_and_nowhere_else():
    before = {"version": "1", "environment": [{"variables": {"PIN": "1", "LEVEL": "info"}}]}
    after = {"version": "1", "environment": [{"variables": {"PIN": "2", "LEVEL": "info"}}]}
    document = plan_document(resource_change(before=before, after=after))

    (change,) = parse_plan(masked(document, "1", "2")).changes

    assert change.before is not None
    assert change.after is not None
    assert change.before["version"] == "1"
    assert change.before["environment"] == [{"variables": {"PIN": "(sensitive value 1)", "LEVEL": "info"}}]
    assert change.after["environment"] == [{"variables": {"PIN": "(sensitive value 2)", "LEVEL": "info"}}]
