from dataclasses import replace

import pytest

from releases.domain.provisioning.new_service import Identity, place_problems, problems

LISTENER = (
    "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/web-alb/50dc6c495c0c9188/f2f7dc8efc5"
)
REPOSITORY = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/shop"
ROLE = "arn:aws:iam::123456789012:role/service/shop"
BOUNDARY = "arn:aws:iam::123456789012:policy/bluegreen-boundary"
GOOD = Identity(
    name="shop-api",
    family="shop",
    environment="production",
    region="eu-central-1",
    account_id="123456789012",
    listener_arn=LISTENER,
    repository_uri=REPOSITORY,
    tag="v1",
)
FIELDS = tuple(vars(GOOD))
HOSTILE = [
    '${file("/etc/passwd")}',
    "%{ if true }x%{ endif }",
    '"}\nresource "null_resource" "x" {}\n',
    "$(id); rm -rf /",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe\u200b",
    "\u0440\u0430yments",
    "🙂",
    "a\x00b",
    "a\x1b[31mb\r",
    "../../etc",
    "x" * 10_000,
]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"role_arn": ROLE},
        {"role_permissions_boundary": BOUNDARY},
        {"role_permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess"},
        {"name": "a", "family": "9", "environment": "e-2"},
        {"region": "us-gov-west-1", "listener_arn": LISTENER.replace("eu-central-1", "us-gov-west-1"),
         "repository_uri": REPOSITORY.replace("eu-central-1", "us-gov-west-1")},
    ],
)  # fmt: skip
def test_what_aws_and_the_module_take_is_taken(changes):
    assert problems(replace(GOOD, **changes)) == {}


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("is_after", [False, True], ids=["alone", "after what is good"])
def test_a_hostile_text_is_refused_in_every_field_with_a_short_visible_reason(field, text, is_after):
    wanted = replace(GOOD, **{field: getattr(GOOD, field) * is_after + text})
    found = problems(wanted)
    assert field in found
    assert len(found[field]) < 300
    assert found[field].isprintable()


@pytest.mark.parametrize("field", FIELDS)
def test_a_line_s_end_is_no_part_of_anything(field):
    good = replace(GOOD, role_permissions_boundary=BOUNDARY) if "boundary" in field else GOOD
    good = replace(good, role_arn=ROLE) if field == "role_arn" else good
    assert field in problems(replace(good, **{field: f"{getattr(good, field)}\n"}))


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"name": "new"}, "name", "“new” is the address of a page"),
        ({"name": "Shop"}, "name", "1 to 40 small letters"),
        ({"name": "-shop"}, "name", "1 to 40 small letters"),
        ({"name": "shop-"}, "name", "1 to 40 small letters"),
        ({"name": "s" * 41}, "name", "1 to 40 small letters"),
        ({"name": ""}, "name", "1 to 40 small letters"),
        ({"family": "f" * 27}, "family", "1 to 26 small letters"),
        ({"family": "internal-shop"}, "family", "internal-"),
        ({"environment": "e" * 21}, "environment", "1 to 20 small letters"),
        ({"listener_arn": LISTENER.replace("123456789012", "210987654321")}, "listener_arn",
         "The listener is in account 210987654321, and the service in 123456789012."),
        ({"listener_arn": LISTENER.replace("eu-central-1", "eu-west-1")}, "listener_arn",
         "The listener is in eu-west-1, and the service in eu-central-1."),
        ({"listener_arn": LISTENER.replace("/app/", "/net/")}, "listener_arn", "is no listener of an Application"),
        ({"listener_arn": LISTENER.replace(":listener/", ":listener-rule/")}, "listener_arn", "is no listener"),
        ({"repository_uri": REPOSITORY.replace("123456789012", "210987654321")}, "repository_uri",
         "The repository is in account 210987654321"),
        ({"repository_uri": REPOSITORY.replace("eu-central-1", "eu-west-1")}, "repository_uri",
         "The repository is in eu-west-1"),
        ({"repository_uri": f"{REPOSITORY}:v1"}, "repository_uri", "without a tag"),
        ({"repository_uri": "docker.io/library/nginx"}, "repository_uri", "is no repository of ECR"),
        ({"tag": "v1@sha256:" + "0" * 64}, "tag", "is no tag of an image"),
        ({"role_arn": ROLE.replace("123456789012", "210987654321")}, "role_arn", "is no role of the service's account"),
        ({"role_arn": BOUNDARY}, "role_arn", "is no role"),
        ({"role_arn": f"{ROLE}{'x' * 200}"}, "role_arn", "at most 200 characters"),
        ({"role_permissions_boundary": ROLE}, "role_permissions_boundary", "is no policy"),
        ({"role_arn": ROLE, "role_permissions_boundary": BOUNDARY}, "role_permissions_boundary",
         "leave one of them out"),
    ],
)  # fmt: skip
def test_what_can_not_be_had_is_said_at_its_field_alone(changes, field, said):
    found = problems(replace(GOOD, **changes))
    assert list(found) == [field]
    assert said in found[field]


def test_one_may_look_at_a_listener_before_the_rest_is_said():
    nothing = replace(GOOD, name="", family="", environment="", repository_uri="", tag="")
    assert place_problems(nothing) == {}
    assert list(place_problems(replace(nothing, region=""))) == ["region", "listener_arn"]
