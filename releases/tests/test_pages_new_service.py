"""Setting up a service on its page: who sees it, what is offered, a look at the listener, and what is asked for."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from aws import listeners as aws_listeners
from aws.accounts import Account
from aws.errors import AwsError
from aws.listeners import Listener, ListenerRule
from releases.domain.access.roles import Role
from releases.domain.tests.test_new_service import HOSTILE
from releases.forms.new_service import NewServiceForm, Offered
from releases.models import Service, ServiceAccount, Step
from releases.permissions import grant_set_up
from releases.tests import factories
from releases.tests.conftest import text_of

ADDRESS = "/services/new/"
LISTENER = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/demo-alb/1/2"
IAM = "arn:aws:iam::123456789012"
FOUND = Listener(
    arn=LISTENER,
    load_balancer_arn="arn:loadbalancer/app/demo-alb/1",
    load_balancer_name="demo-alb",
    port=443,
    protocol="HTTPS",
)


@pytest.fixture(autouse=True)
def rules(aws, monkeypatch) -> list[ListenerRule]:
    """What others have on the listener."""
    found = [ListenerRule(arn="arn:1", priority=300, asks_for="host-header a.b", takes_all=False)]
    monkeypatch.setattr(aws_listeners, "read_listener", lambda *_: FOUND)
    monkeypatch.setattr(aws_listeners, "list_rules", lambda *_: found)
    monkeypatch.setattr(aws_listeners, "list_listeners", lambda *_: [FOUND])
    monkeypatch.setattr(aws_listeners, "count_target_groups", lambda *_: 86)
    return found


@pytest.fixture
def ida(service) -> User:
    """May set up services, and manages the one that there is."""
    user, approver = (
        factories.UserFactory.create(username="ida"),
        factories.UserFactory.create(username="manager"),
    )
    grant_set_up(user)
    factories.give(user, service, Role.MANAGER)
    factories.give(approver, service, Role.APPROVER)
    return user


@pytest.fixture
def client(ida, as_user):
    return as_user(ida)


@pytest.fixture
def first(db, as_user):
    """The browser of who sets up the first service of an installation; mona is there too."""
    user = factories.UserFactory.create(username="ida")
    grant_set_up(user)
    factories.UserFactory.create(username="mona")
    return as_user(user)


def typed(**changes: Any) -> dict[str, Any]:
    given = {
        "name": "cart",
        "service_environment": "staging",
        "account_id": "123456789012",
        "region": "eu-central-1",
        "listener_arn": LISTENER,
        "repository_uri": factories.REPOSITORY,
        "tag": "blue",
        "hostnames": "cart.example.com",
        "as_on": "catalog",
        "reason": "We sell carts",
        "canary_slots": "1",
        "stickiness_seconds": "0",
        "provisioned_concurrency": "0",
        "weights": "10, 50",
        "bake_seconds": "60",
        "settle_seconds": "1",
        "rollback_window_seconds": "60",
        "rotation": "swap",
        "role_rights": "least",
        "memory_size": "512",
        "environment": "LEVEL=info",
    }
    return {**given, **changes}


def test_who_may_not_is_told_and_sees_the_button_with_its_reason(scene, as_user):
    client = as_user(scene.manager)
    response = client.get(ADDRESS)
    assert response.status_code == 403
    assert "You may not set up services: an administrator gives this right." in text_of(response)
    assert client.post(ADDRESS, typed()).status_code == 403
    assert 'disabled aria-describedby="why-set-up"' in text_of(client.get("/"))


def test_the_list_leads_there(client):
    assert 'id="set-up" href="/services/new/"' in text_of(client.get("/"))


def test_an_empty_list_leads_to_the_first_one(first):
    assert 'id="set-up-first" href="/services/new/"' in text_of(first.get("/"))


def test_what_is_asked_for_is_a_set_up_that_its_service_shows_and_somebody_else_approves(client, as_user):
    response = client.post(ADDRESS, typed())
    assert (response.status_code, response.url) == (302, "/services/cart/")
    service = Service.objects.get(name="cart")
    assert (service.family, service.environment, service.priority) == ("cart", "staging", 2)
    assert (service.hostnames, service.weights, service.rotation) == (["cart.example.com"], [10, 50], "swap")
    assert (
        service.blue_configuration
        == service.green_configuration
        == {
            "memory_size": 512,
            "environment": {"LEVEL": "info"},
        }
    )
    text = text_of(client.get("/services/cart/"))
    assert "Asked for by ida" in text
    assert "“We sell carts”" in text
    assert "<dt>Priority</dt> <dd> 2 </dd>" in text
    assert f"<dt>Image</dt> <dd> {factories.REPOSITORY}:blue </dd>" in text
    assert text.count("<dt>Canary header</dt> <dd> none </dd>") == 1
    assert 'id="cancel"' in text
    factories.waiting_step(Step.objects.get(service=service))
    inbox = text_of(as_user(User.objects.get(username="manager")).get("/inbox/"))
    assert "cart" in inbox
    assert "Asked for by ida: “We sell carts”" in inbox


def test_a_program_is_not_named_as_an_approver(first):
    program = factories.UserFactory.create(username="ci")
    ServiceAccount.objects.create(user=program, service=factories.ServiceFactory.create(), made_by=program)
    answer = first.post(ADDRESS, typed(as_on="", approvers="ci"))
    assert answer.status_code == 422
    assert "There is no active person “ci”." in text_of(answer)


def test_the_first_service_of_all_names_who_approves_and_the_next_one_does_as_it(first):
    refused = first.post(ADDRESS, typed(approvers="mona\nnobody"))
    assert refused.status_code == 422
    assert "There is no active person “nobody”." in text_of(refused)
    alone = first.post(ADDRESS, typed(approvers="ida"))
    assert "nobody approves their own set-up" in text_of(alone)
    assert first.post(ADDRESS, typed(approvers=" mona \n")).status_code == 302
    assert first.post(ADDRESS, typed(name="till", as_on="cart")).status_code == 302


@pytest.mark.parametrize("name", ["nothing", "hidden"])
def test_one_starts_only_from_a_service_that_one_may_view(client, name):
    factories.ServiceFactory.create(name="hidden")
    assert client.get(f"{ADDRESS}?like={name}").status_code == 404
    assert ">hidden" not in text_of(client.get(ADDRESS))


def test_what_another_service_has_is_filled_in_and_its_listener_shown(client, service):
    Service.objects.filter(pk=service.pk).update(rotation="swap", weights=[5, 50], environment="staging")
    text = text_of(client.get(f"{ADDRESS}?like=catalog"))
    for value in (LISTENER, factories.REPOSITORY, "123456789012", "eu-central-1", "staging", "5, 50"):
        assert f'value="{value}"' in text
    assert '<option value="swap" selected>' in text
    assert '<option value="catalog" selected>' in text
    assert 'name="name" value' not in text
    assert "demo-alb, HTTPS 443: <strong>43 of 50 services on this load balancer</strong>" in text


def test_a_look_at_the_listener_says_what_is_taken_and_judges_nothing_yet(client, service):
    Service.objects.filter(pk=service.pk).update(priority=200)
    response = client.post(
        ADDRESS, typed(look="", name="Not/yet", hostnames="<b>", environment="not a variable")
    )
    text = text_of(response)
    assert response.status_code == 200
    assert "<td>300</td> <td>a rule that asks for host-header a.b</td>" in text
    assert "<td>200</td> <td>a rule of catalog; it takes every request</td>" in text
    assert 'value="Not/yet"' in text
    assert "&lt;b&gt;</textarea>" in text
    assert 'value="512"' in text
    assert "field-error" not in text
    assert not Service.objects.filter(name="cart").exists()


def test_without_a_listener_those_of_the_region_are_offered_and_one_is_taken(client):
    text = text_of(client.post(ADDRESS, typed(look="", listener_arn="")))
    assert f'name="look" value="{LISTENER}"' in text
    taken = text_of(client.post(ADDRESS, typed(look=LISTENER, listener_arn="")))
    assert f'name="listener_arn" value="{LISTENER}"' in taken
    assert "43 of 50 services" in taken


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"listener_arn": "arn:nothing"}, "is no listener of an Application Load Balancer"),
        ({"account_id": "210987654321"}, "The listener is in account 123456789012"),
        ({"listener_arn": "", "region": "nowhere"}, "Write a region"),
    ],
)
def test_a_look_at_nothing_says_what_is_wrong(client, changes, said):
    assert said in text_of(client.post(ADDRESS, typed(look="", **changes)))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("aws:listener-missing", "AWS does not have it"),
        ("aws:refused", "AWS does not allow Bluegreen to find the listener"),
    ],
)
@pytest.mark.parametrize("look", [{"look": ""}, {}])
def test_a_listener_that_can_not_be_read_is_said_in_words(client, monkeypatch, code, message, look):
    def refuse(*_: object) -> None:
        raise AwsError(code, message)

    monkeypatch.setattr(aws_listeners, "read_listener", refuse)
    text = text_of(client.post(ADDRESS, typed(**look)))
    assert text.count(message) == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "new"}, "is the address of a page"),
        ({"name": "catalog"}, "There is a service catalog already"),
        ({"family": "f" * 27}, "at most 26"),
        ({"priority": "300"}, "300 is a rule that asks for host-header a.b"),
        ({"priority": "1"}, "from 2 to 50000"),
        ({"tag": "v9"}, "There is no image v9."),
        ({"tag": "v9\n"}, "Nothing was recorded"),
        ({"canary_addresses": "0.0.0.0/0"}, "is everyone"),
        ({"canary_addresses": "10.0.0.1/8"}, "neither one address nor a whole network"),
        ({"canary_addresses": "203.0.113.1, 203.0.113.2, 203.0.113.3, 203.0.113.4"}, "room for 3"),
        ({"canary_header_name": "Host", "canary_header_value": "v" * 16}, "none that others set"),
        ({"canary_header_name": "X-Try"}, "is a secret of 16 to 128"),
        ({"canary_header_value": "v" * 16}, "write one of your own"),
        ({"weights": "50, 10"}, "Each share must be higher"),
        ({"weights": "101"}, "share"),
        ({"rotation": "jump"}, "not one of the available choices"),
        ({"memory_size": "1"}, "from 128 to 10240"),
        ({"as_on": ""}, "This field is required"),
        ({"as_on": "hidden"}, "not one of the available choices"),
        ({"reason": ""}, "This field is required"),
        ({"role_arn": f"{IAM}:role/x", "role_permissions_boundary": f"{IAM}:policy/y"}, "leave one of them out"),
    ],
)  # fmt: skip
def test_what_can_not_be_had_is_said_and_what_was_typed_stays(client, changes, said):
    response = client.post(ADDRESS, typed(**{"reason": "Keep <this>", **changes}))
    text = text_of(response)
    assert response.status_code == 422
    assert said in text
    assert "What you typed is still here, but for secrets." in text
    assert "Keep &lt;this&gt;" in text or changes.get("reason") == ""
    assert not Service.objects.filter(name="cart").exists()


@pytest.mark.parametrize("changes", [{"reason": ""}, {"priority": "300"}, {"tag": "v9"}, {}])
def test_the_listener_is_read_once_whatever_comes_of_it(client, monkeypatch, changes):
    read: list[object] = []

    def counted(*given: object) -> Listener:
        read.append(given)
        return FOUND

    monkeypatch.setattr(aws_listeners, "read_listener", counted)
    client.post(ADDRESS, typed(**changes))
    assert len(read) == 1


def test_a_wrong_name_is_said_once_though_the_family_is_the_same(client):
    response = client.post(ADDRESS, typed(name="Cart"))
    assert list(response.context["form"].errors) == ["name"]
    long = client.post(ADDRESS, typed(name="c" * 27))
    assert list(long.context["form"].errors) == ["family"]
    both = client.post(ADDRESS, typed(name="Cart", family="Cart"))
    assert list(both.context["form"].errors) == ["name", "family"]


def test_a_group_is_open_where_something_in_it_is_wrong(client):
    text = text_of(client.post(ADDRESS, typed(priority="300")))
    assert '<details class="more" id="rules" open>' in text
    assert '<details class="more" id="canary" >' in text


def test_no_secret_comes_back(client):
    secrets = {
        "canary_header_name": "X-Try",
        "canary_header_value": "hush-hush-hush-hush",
        "secrets": "KEY=hush-hush",
    }
    for changes in ({"name": "new"}, {"look": ""}):
        assert "hush-hush" not in text_of(client.post(ADDRESS, typed(**secrets, **changes)))
    assert client.post(ADDRESS, typed(**secrets)).status_code == 302
    assert "hush-hush" not in text_of(client.get("/services/cart/"))
    assert "hush-hush" not in str(Service.objects.filter(name="cart").values())


FORM = NewServiceForm(offered=Offered(accounts=(), managed=()))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_in_all_fields_is_refused_and_only_text(client, text):
    response = client.post(ADDRESS, typed(**dict.fromkeys(FORM.fields, text)))
    assert response.status_code == (400 if "\0" in text else 422)
    assert b"<script>alert" not in response.content


@pytest.mark.parametrize("field", [*FORM.fields, "as_on", "look"])
def test_a_hostile_text_is_refused_or_kept_as_the_text_that_it_is(client, field):
    response = client.post(ADDRESS, typed(**{field: '<script>alert("${x}")</script>\u202e'}))
    assert response.status_code == (
        200 if field == "look" else 302 if field in {"reason", "approvers"} else 422
    )
    assert b"<script>alert" not in response.content


def test_configured_accounts_are_what_there_is_to_choose_from(client, settings):
    settings.AWS_ACCOUNTS = {
        number: Account(account_id=number) for number in ("123456789012", "210987654321")
    }
    text = text_of(client.get(ADDRESS))
    assert '<select name="account_id"' in text
    assert '<option value="210987654321">' in text
    refused = client.post(ADDRESS, typed(account_id="333333333333"))
    assert "not one of the available choices" in text_of(refused)


def test_a_service_that_one_only_sees_gives_no_rights(client):
    other = factories.ServiceFactory.create(name="seen")
    factories.give(User.objects.get(username="ida"), other, Role.VIEWER)
    text = text_of(client.get(f"{ADDRESS}?like=seen"))
    assert text.count('<option value="seen"') == 1


def test_a_set_up_that_is_called_off_is_a_removed_service(client):
    client.post(ADDRESS, typed())
    step = Step.objects.get(service__name="cart")
    assert client.post(f"/services/cart/changes/{step.pk}/cancel/").status_code == 302
    assert "This service was removed." in text_of(client.get("/services/cart/"))
    assert client.post(ADDRESS, typed()).status_code == 302
    assert "This service was removed." in text_of(client.get("/services/cart_1/"))
