"""A new service that somebody asks for: whether there is room for it, who may do what on it, a plan with its gate."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from aws import listeners as aws_listeners
from aws.errors import AwsError
from aws.listeners import Listener
from releases import permissions, selectors
from releases.domain.access.decisions import Permission, Refused
from releases.domain.access.roles import Role
from releases.domain.provisioning import new_service, priorities, settings_rules
from releases.domain.provisioning.new_service import Identity
from releases.domain.traffic import Transition
from releases.models import Service
from releases.permissions import NotAllowed, holders
from releases.services import rollout
from releases.services.access.rights import Holder
from releases.services.access.roles import Place, record_given
from releases.services.errors import FieldsInvalid
from releases.services.execution.accounts import access
from releases.services.lifecycle import person
from releases.services.provisioning import listeners
from releases.services.provisioning.listeners import ListenerPicture
from releases.services.provisioning.managed import begin_step
from releases.services.provisioning.setup import NewService, prepare, record_service

_OWN_ROLES = (Role.MANAGER, Role.OPERATOR)


@dataclass(frozen=True, kw_only=True)
class Rights:
    """Who has which role on a new service: everybody those that were given on ``as_on``.

    Without one, ``approvers`` approve, and who asks for the service manages and operates it. Roles in its environment
    hold as well.
    """

    as_on: Service | None = None
    approvers: tuple[User, ...] = ()


def look_at(place: Identity) -> ListenerPicture:
    """The listener that a new service wants, read as its account allows. Raises ``FieldsInvalid``."""
    _refuse(new_service.place_problems(place))
    with _said_at("listener_arn"):
        return listeners.read_picture(place, place.listener_arn)


def find_listeners(place: Identity) -> list[Listener]:
    """The listeners that a new service could have in this account and region. Raises ``FieldsInvalid``."""
    problems = new_service.place_problems(place)
    _refuse({field: problem for field, problem in problems.items() if field != "listener_arn"})
    with _said_at("listener_arn"):
        return aws_listeners.list_listeners(access(place))


def request_set_up(
    *,
    user: User,
    new: NewService,
    priority: int | None,
    rights: Rights,
    reason: str,
    picture: ListenerPicture | None = None,
) -> Service:
    """Record a new service and ask for its set-up, whose plan somebody else approves.

    The priority is that of its traffic rule; None: the lowest for which there is room. ``picture`` is what was just
    read of its listener; None: it is read now. Raises ``NotAllowed``, ``FieldsInvalid``, ``InvalidCanary``,
    ``InvalidConfiguration``.
    """
    _refuse_unless_permitted(user, rights)
    _refuse_impossible(new)
    picture = picture or look_at(new)
    _refuse_full(picture)
    with _said_at("tag"):
        prepared = prepare(new)
    try:
        with transaction.atomic():
            listeners.reserve(new.listener_arn)
            picture = listeners.renewed(picture, new.listener_arn)
            _refuse_full(picture)
            placed = replace(prepared.new, priority=_priority(picture, new, priority))
            service = record_service(replace(prepared, new=placed), actor=person(user), reason=reason)
            _give_roles(service, user, rights)
            begin_step(service, Transition.SET_UP, user=user, reason=reason)
            rollout.advance(service, actor=person(user))
    except IntegrityError:
        # Somebody took the name or the family between the question and the answer.
        _refuse(_taken_names(new))
        raise
    return service


def _refuse_full(picture: ListenerPicture) -> None:
    if picture.room.is_full:
        _refuse({"listener_arn": f"There is no room: {picture.room}. Use another load balancer."})


def _priority(picture: ListenerPicture, new: NewService, wanted: int | None) -> int:
    """Under the listener's reservation: nobody else is given a priority there meanwhile."""
    has_header = new.canary_header is not None
    try:
        priority = picture.derive(new.settings, has_header=has_header) if wanted is None else wanted
        priorities.check(
            priority,
            picture.rules,
            slots=new.canary_slots,
            has_header=has_header,
            takes_all=new.settings.takes_all,
        )
    except priorities.NoPriority as error:
        raise _invalid({"priority": error.message}) from error
    return priority


def _give_roles(service: Service, user: User, wanted: Rights) -> None:
    why = f"As on {wanted.as_on.name}." if wanted.as_on else "Set up the service."
    for holder, role in _wanted_roles(user, wanted):
        record_given(role, holder, Place(service=service), actor=person(user), given_by=user, reason=why)
    _refuse_without_second(service, user, wanted)


def _wanted_roles(user: User, wanted: Rights) -> Iterator[tuple[Holder, Role]]:
    if wanted.as_on is None:
        yield from ((user, role) for role in _OWN_ROLES)
        yield from ((approver, Role.APPROVER) for approver in wanted.approvers)
    else:
        yield user, Role.VIEWER
        # A program is on one service alone.
        people = wanted.as_on.role_grants.exclude(user__service_account__isnull=False)
        for grant in people.select_related("user", "group"):
            yield grant.holder, Role(grant.role)


def _refuse_without_second(service: Service, user: User, rights: Rights) -> None:
    """Nobody approves what they asked for themselves: without a second person the set-up could never go on."""
    approving = {*holders(service, Permission.APPROVE)} & {*holders(service, Permission.VIEW)}
    if approving - {user}:
        return
    if rights.as_on is not None:
        _refuse({"as_on": f"Nobody but you may approve on {rights.as_on.name}: a second person has to."})
    _refuse({"approvers": "Name at least one other active person: nobody approves their own set-up."})


def _refuse_unless_permitted(user: User, rights: Rights) -> None:
    """What is given away on the new service is what one manages on the other."""
    may = permissions.may_set_up_services(user)
    if isinstance(may, Refused):
        raise NotAllowed(may.code, may.reason)
    managed = permissions.services_with(user, Permission.MANAGE)
    if rights.as_on is not None and not managed.filter(pk=rights.as_on.pk).exists():
        raise NotAllowed("person:no-permission", f"You do not manage {rights.as_on.name}.")


def _refuse_impossible(new: NewService) -> None:
    has_header = new.canary_header is not None
    found = {**settings_rules.problems(new.settings, has_header=has_header), **new_service.problems(new)}
    _refuse(found or _taken_names(new))


def _taken_names(new: NewService) -> dict[str, str]:
    found: dict[str, str] = {}
    holder = Service.objects.exclude(selectors.CALLED_OFF).filter(name=new.name).first()
    if holder is not None:
        kept = ", which was removed; its history keeps the name" if holder.removed_at else ""
        found["name"] = f"There is a service {new.name} already{kept}. Choose another name."
    same = selectors.services_of_family(new.family, account_id=new.account_id, region=new.region)
    if other := same.exclude(name=new.name).first():
        found["family"] = f"{other.name} has this family in {new.region}: its target groups are named so."
    return found


@contextmanager
def _said_at(field: str) -> Iterator[None]:
    try:
        yield
    except AwsError as error:
        at = "account_id" if error.code == "aws:account-unknown" else field
        raise _invalid({at: error.message}) from error


def _refuse(found: dict[str, str]) -> None:
    if found:
        raise _invalid(found)


def _invalid(found: dict[str, str]) -> FieldsInvalid:
    return FieldsInvalid("set-up:invalid", found)
