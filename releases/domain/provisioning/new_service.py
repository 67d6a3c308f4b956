"""What a new service is called and where it is: what can't be had is refused before anything of it exists."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from releases.domain.provisioning.settings_words import shown
from releases.domain.traffic import TAG

LONGEST_NAME, LONGEST_FAMILY, LONGEST_ENVIRONMENT = 40, 26, 20
LONGEST_ARN = 200
RESERVED_NAMES = frozenset({"new"})
"""Names that are addresses of pages."""

# Functions, roles and target groups take all of these; capitals some of them take for the same name.
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,3}(-[a-z]{2,12}){1,3}-[0-9]{1,2}")
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html, listener/app
_LISTENER = re.compile(
    r"arn:aws[a-z-]*:elasticloadbalancing:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12})"
    r":listener/app/[A-Za-z0-9-]{1,32}/[0-9a-f]{1,32}/[0-9a-f]{1,32}"
)
# https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_CreateRepository.html, repositoryName
_REPOSITORY = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr(-fips)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
    r"/[a-z0-9]+((\.|_|__|-+|/)[a-z0-9]+)*"
)
_LONGEST_REPOSITORY = 256
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}):role/[A-Za-z0-9_+=,.@/-]+")
_POLICY = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>[0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+")


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What is said about a service once and stays; ``tag`` is of the image that both colours run first.

    Without a ``role_arn`` a role is made, which may have a permissions boundary.
    """

    name: str
    family: str
    environment: str
    region: str
    account_id: str
    listener_arn: str
    repository_uri: str
    tag: str
    role_arn: str = ""
    role_permissions_boundary: str = ""


def problems(wanted: Identity) -> dict[str, str]:
    """What is wrong with a new service's identity, by the name of the field; empty where nothing is."""
    found: dict[str, str] = {}
    for field, problem in _problems(wanted):
        found.setdefault(field, problem)
    return found


def place_problems(wanted: Identity) -> dict[str, str]:
    """Of these, what is wrong with where its listener is: as much as has to be right before one can look at it."""
    places = {"account_id", "region", "listener_arn"}
    return {field: problem for field, problem in problems(wanted).items() if field in places}


def _problems(wanted: Identity) -> Iterator[tuple[str, str]]:
    yield from _names(wanted)
    if not _ACCOUNT.fullmatch(wanted.account_id):
        yield "account_id", "An account's number has twelve digits."
    if not _REGION.fullmatch(wanted.region):
        yield "region", "Write a region's name, such as eu-central-1."
    yield from _listener(wanted)
    yield from _image(wanted)
    yield from _roles(wanted)


def _names(wanted: Identity) -> Iterator[tuple[str, str]]:
    longest = {"name": LONGEST_NAME, "family": LONGEST_FAMILY, "environment": LONGEST_ENVIRONMENT}
    for field, most in longest.items():
        text = getattr(wanted, field)
        if len(text) > most or not _NAME.fullmatch(text):
            yield (
                field,
                f"1 to {most} small letters, digits and hyphens, a letter or digit at both ends: for example shop-api.",
            )
    if wanted.name in RESERVED_NAMES:
        yield "name", f"“{wanted.name}” is the address of a page: choose another name."
    if wanted.family.startswith("internal-"):
        yield "family", "No target group's name may begin with internal-: choose another one."


def _listener(wanted: Identity) -> Iterator[tuple[str, str]]:
    arn = _LISTENER.fullmatch(wanted.listener_arn)
    if arn is None:
        yield (
            "listener_arn",
            f"“{shown(wanted.listener_arn)}” is no listener of an Application Load Balancer: "
            "its ARN is like arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/….",
        )
    else:
        yield from _elsewhere("listener_arn", "The listener", arn, wanted)


def _image(wanted: Identity) -> Iterator[tuple[str, str]]:
    repository = _REPOSITORY.fullmatch(wanted.repository_uri)
    if repository is None or len(wanted.repository_uri) > _LONGEST_REPOSITORY:
        yield (
            "repository_uri",
            f"“{shown(wanted.repository_uri)}” is no repository of ECR: "
            "it is like 123456789012.dkr.ecr.eu-central-1.amazonaws.com/shop, without a tag.",
        )
    else:
        yield from _elsewhere("repository_uri", "The repository", repository, wanted)
    if not re.fullmatch(TAG, wanted.tag):
        yield "tag", f"“{shown(wanted.tag)}” is no tag of an image."


def _elsewhere(field: str, what: str, found: re.Match[str], wanted: Identity) -> Iterator[tuple[str, str]]:
    if found["account"] != wanted.account_id:
        yield (
            field,
            f"{what} is in account {found['account']}, and the service in {shown(wanted.account_id)}.",
        )
    elif found["region"] != wanted.region:
        yield field, f"{what} is in {found['region']}, and the service in {shown(wanted.region)}."


def _roles(wanted: Identity) -> Iterator[tuple[str, str]]:
    role, boundary = wanted.role_arn, wanted.role_permissions_boundary
    if role:
        yield from _arn("role_arn", role, _ROLE, "role", {wanted.account_id})
    if boundary:
        yield from _arn("role_permissions_boundary", boundary, _POLICY, "policy", {wanted.account_id, "aws"})
    if role and boundary:
        yield (
            "role_permissions_boundary",
            "It is for the role that is made here, and you give another one: leave one of them out.",
        )


def _arn(
    field: str, arn: str, shape: re.Pattern[str], what: str, accounts: set[str]
) -> Iterator[tuple[str, str]]:
    found = shape.fullmatch(arn)
    if found is None or len(arn) > LONGEST_ARN or found["account"] not in accounts:
        yield (
            field,
            f"“{shown(arn)}” is no {what} of the service's account: "
            f"its ARN is like arn:aws:iam::123456789012:{what}/name, in at most {LONGEST_ARN} characters.",
        )
