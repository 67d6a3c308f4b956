"""The running load balancer: who is answered by what, and the errors that ALB would give."""

import time
from collections import Counter
from collections.abc import Mapping
from itertools import count
from typing import Any

import pytest
import requests
from botocore.exceptions import ClientError
from urllib3 import HTTPConnectionPool

from infra.sandbox.demo import REPOSITORY, image_manifest
from infra.sandbox.info import SandboxInfo
from infra.sandbox.testing import running_sandbox
from infra.sandbox.tests.service import ALIAS, Service, client, make_service, permit

_numbers = count(1)


@pytest.fixture
def priority() -> int:
    """A priority with free ones before it."""
    return 10_000 + 10 * next(_numbers)


@pytest.fixture
def service(sandbox: SandboxInfo, priority: int) -> Service:
    return make_service(sandbox, f"service-{priority}", priority=priority)


@pytest.fixture
def bare_service(sandbox: SandboxInfo, priority: int) -> Service:
    return make_service(sandbox, f"service-{priority}", priority=priority, permissions=False)


def add_rule(service: Service, priority: int, *conditions: dict[str, Any], color: str = "green") -> str:
    """Add a rule that sends the service's host, under more conditions, to one colour."""
    host = {"Field": "host-header", "Values": [service.host]}
    rule = client(service.info, "elbv2").create_rule(
        ListenerArn=service.info.listener_arn,
        Priority=priority,
        Conditions=[host, *conditions],
        Actions=[{"Type": "forward", "TargetGroupArn": service.groups[color]}],
    )
    return str(rule["Rules"][0]["RuleArn"])


def from_address(*cidrs: str) -> dict[str, Any]:
    return {"Field": "source-ip", "SourceIpConfig": {"Values": list(cidrs)}}


def colors(
    service: Service, url: str | None = None, *, number: int = 20, headers: Mapping[str, str] = {}
) -> set[str]:
    return {service.get(url, headers=headers).json()["color"] for _ in range(number)}


def test_answer_names_image_function_and_version(service):
    response = service.get()
    image = service.info.images["blue"]
    digest = image.partition("@")[2]
    assert response.json() == {
        "version": image,
        "digest": digest,
        "tag": "blue",
        "color": "blue",
        "function": service.functions["blue"],
        "function_version": "1",
    }
    assert (response.headers["X-Version-Digest"], response.headers["X-Color"]) == (digest, "blue")


def test_invoke_by_the_api_answers_like_a_request(service):
    invoked = client(service.info, "lambda").invoke(FunctionName=service.functions["blue"], Qualifier=ALIAS)
    assert invoked["Payload"].read() == service.get().content
    assert (invoked["StatusCode"], invoked["ExecutedVersion"]) == (200, "1")


def test_weights_are_followed_as_soon_as_they_are_set(service):
    for weights, expected in [
        ({"blue": 100, "green": 0}, {"blue"}),
        ({"blue": 0, "green": 100}, {"green"}),
        ({"blue": 1, "green": 1}, {"blue", "green"}),
    ]:
        service.set_weights(**weights)
        # With equal weights a colour is missing from 50 answers once in 2**49 runs.
        assert colors(service, number=50) == expected


def test_alias_decides_which_version_answers(service):
    functions, name = client(service.info, "lambda"), service.functions["blue"]
    functions.update_function_code(FunctionName=name, ImageUri=service.info.images["yellow"], Publish=True)
    assert service.get().json()["version"] == service.info.images["blue"]
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion="2")
    assert service.get().json()["version"] == service.info.images["yellow"]


def test_tag_in_the_answer_is_the_one_that_the_image_has_now(service):
    client(service.info, "ecr").put_image(
        repositoryName=REPOSITORY, imageTag="yellow-too", imageManifest=image_manifest("yellow")
    )
    functions, name = client(service.info, "lambda"), service.functions["blue"]
    functions.update_function_code(
        FunctionName=name, ImageUri=f"{service.info.repository_uri}:yellow-too", Publish=True
    )
    functions.update_alias(FunctionName=name, Name=ALIAS, FunctionVersion="2")
    answer = service.get().json()
    assert answer["version"].endswith(":yellow-too")
    assert answer["tag"] in {"yellow", "yellow-too"}


def test_lower_number_comes_first(service, priority):
    add_rule(service, priority + 1)
    assert colors(service) == {"blue"}
    first = add_rule(service, priority - 1)
    assert colors(service) == {"green"}
    client(service.info, "elbv2").delete_rule(RuleArn=first)
    assert colors(service) == {"blue"}


def test_only_you_come_from_the_canary_address(service, priority):
    add_rule(service, priority - 1, from_address("127.0.0.9/32"))
    info = service.info
    assert colors(service, info.you_url) == {"green"}
    assert colors(service, info.everyone_url) == {"blue"}
    assert colors(service, info.url) == {"blue"}


def test_everyone_comes_from_changing_addresses(service, priority):
    add_rule(service, priority - 1, from_address("127.0.1.0/25"))
    assert colors(service, service.info.everyone_url, number=254) == {"blue", "green"}
    add_rule(service, priority - 2, from_address("127.0.1.0/24"))
    assert colors(service, service.info.everyone_url, number=254) == {"green"}


def test_forwarded_header_counts_nowhere(service, priority):
    add_rule(service, priority - 1, from_address("127.0.0.9/32"))
    for url in (service.info.url, service.info.everyone_url):
        assert colors(service, url, headers={"x-forwarded-for": "127.0.0.9"}) == {"blue"}


def test_own_port_takes_the_address_that_connects(service, priority):
    add_rule(service, priority - 1, from_address("127.0.0.1/32"))
    assert colors(service, service.info.url) == {"green"}
    assert colors(service, service.info.everyone_url) == {"blue"}


def test_address_that_is_no_cidr_block_is_refused(service, priority):
    with pytest.raises(ClientError, match=r"'127\.0\.0' is not a valid CIDR block"):
        add_rule(service, priority - 1, from_address("127.0.0"))
    assert colors(service) == {"blue"}


def test_path_is_a_condition(service, priority):
    add_rule(service, priority - 1, {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/new/*"]}})
    address = service.info.url
    headers = {"host": service.host}
    assert requests.get(f"{address}/new/a?b=c", headers=headers, timeout=10).json()["color"] == "green"
    assert requests.get(f"{address}/old?/new/", headers=headers, timeout=10).json()["color"] == "blue"


def test_rule_with_a_condition_that_is_not_known_matches_nobody(service, priority):
    add_rule(
        service,
        priority - 1,
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
    )
    assert colors(service) == {"blue"}


def test_only_a_request_with_the_header_s_value_is_sent_elsewhere(service, priority):
    header = {
        "Field": "http-header",
        "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["secret"]},
    }
    add_rule(service, priority - 1, header)
    assert colors(service, headers={"x-canary": "secret"}) == {"green"}
    assert colors(service, headers={"x-canary": "guess"}) == colors(service) == {"blue"}


def test_header_and_an_address_that_nobody_has_match_nobody(service, priority):
    header = {
        "Field": "http-header",
        "HttpHeaderConfig": {"HttpHeaderName": "X-Canary", "Values": ["secret"]},
    }
    add_rule(service, priority - 1, header, from_address("192.0.2.1/32"))
    assert colors(service, headers={"x-canary": "secret"}) == {"blue"}


def test_path_of_another_host_does_not_match(service, priority):
    add_rule(service, priority - 1, {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/new/*"]}})
    answer = requests.get(f"{service.info.url}/new/a", headers={"host": "other.example.com"}, timeout=10)
    assert answer.status_code == 404


def test_address_may_be_of_ipv6(service, priority):
    add_rule(service, priority - 1, from_address("2001:db8::/64", "203.0.113.7/32"))
    assert colors(service, service.info.ipv6_url) == {"green"}
    assert colors(service, service.info.you_url) == {"blue"}


def test_client_with_a_cookie_stays_until_the_rule_is_sticky_no_more(service):
    service.set_weights(blue=0, green=100, sticky_seconds=60)
    held = {"cookie": service.get().headers["set-cookie"].partition(";")[0]}
    service.set_weights(blue=100, green=0, sticky_seconds=60)
    assert colors(service, headers=held) == {"green"}
    assert colors(service) == {"blue"}
    service.set_weights(blue=100, green=0)
    assert colors(service, headers=held) == {"blue"}
    assert "set-cookie" not in service.get(headers=held).headers


def test_cookie_holds_a_client_for_the_rule_s_seconds_only(service):
    service.set_weights(blue=0, green=100, sticky_seconds=1)
    held = {"cookie": service.get().headers["set-cookie"].partition(";")[0]}
    service.set_weights(blue=100, green=0, sticky_seconds=1)
    time.sleep(1.1)
    assert colors(service, headers=held) == {"blue"}


@pytest.mark.process
def test_load_balancer_with_the_tag_is_played_while_it_has_it(tmp_path):
    with running_sandbox(tmp_path) as info:
        balancing = client(info, "elbv2")
        subnets = [one["SubnetId"] for one in client(info, "ec2").describe_subnets()["Subnets"]][:2]
        made = balancing.create_load_balancer(
            Name="tagged", Subnets=subnets, Tags=[{"Key": "sandbox", "Value": "played"}]
        )["LoadBalancers"][0]["LoadBalancerArn"]
        assert requests.get(info.url, timeout=10).text == "No rule matches."
        certificate = client(info, "acm").request_certificate(DomainName="example.com")["CertificateArn"]
        fixed = {"StatusCode": "404", "ContentType": "text/plain", "MessageBody": "Mine."}
        balancing.create_listener(
            LoadBalancerArn=made,
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": fixed}],
        )
        assert requests.get(info.url, timeout=10).text == "Mine."
        balancing.remove_tags(ResourceArns=[made], TagKeys=["sandbox"])
        assert requests.get(info.url, timeout=10).text == "No rule matches."


def test_default_action_answers_404_where_no_rule_matches(sandbox):
    response = requests.get(sandbox.url, headers={"host": "nobody.example.com"}, timeout=10)
    assert (response.status_code, response.text) == (404, "No rule matches.")


def test_no_target_is_a_503(service):
    client(service.info, "elbv2").deregister_targets(
        TargetGroupArn=service.groups["blue"], Targets=[{"Id": service.targets["blue"]}]
    )
    assert service.get().status_code == 503


def test_no_permission_is_a_502(bare_service):
    assert bare_service.get().status_code == 502
    permit(bare_service.info, bare_service.functions["blue"], bare_service.groups["blue"])
    assert bare_service.get().status_code == 200


def test_permission_for_another_group_is_a_502(bare_service):
    permit(bare_service.info, bare_service.functions["blue"], bare_service.groups["green"])
    assert bare_service.get().status_code == 502


def test_permission_for_a_version_is_none_for_the_alias(bare_service):
    permit(bare_service.info, bare_service.functions["blue"], bare_service.groups["blue"], qualifier="1")
    assert bare_service.get().status_code == 502


def test_removed_permission_is_a_502(service):
    name = service.functions["blue"]
    client(service.info, "lambda").remove_permission(
        FunctionName=name, StatementId=f"AllowALB-{name}", Qualifier=ALIAS
    )
    assert service.get().status_code == 502


def test_missing_function_is_a_502(service):
    client(service.info, "lambda").delete_function(FunctionName=service.functions["blue"])
    assert service.get().status_code == 502


def test_counts_are_by_group_function_digest_and_status(service):
    def counted() -> Counter[tuple[str, str, int]]:
        rows = requests.get(service.info.url + "/-/sandbox/counts", timeout=10).json()
        mine = [row for row in rows if row["target_group"] in service.groups.values()]
        return Counter({(row["function"], row["digest"], row["status"]): row["count"] for row in mine})

    for _ in range(3):
        service.get()
    client(service.info, "lambda").delete_function(FunctionName=service.functions["blue"])
    service.get()
    digest = service.info.images["blue"].partition("@")[2]
    assert counted() == {(service.functions["blue"], digest, 200): 3, ("", "", 502): 1}


def test_connection_is_kept_and_each_request_routed_anew(service):
    pool = HTTPConnectionPool("127.0.0.1", int(service.info.url.rpartition(":")[2]), maxsize=1)
    seen = []
    for color in ("blue", "green", "blue"):
        service.set_weights(**{"blue": 0, "green": 0, color: 1})
        seen.append(pool.request("GET", "/", headers={"host": service.host}).json()["color"])
    assert (seen, pool.num_connections) == (["blue", "green", "blue"], 1)


def test_unknown_page_of_the_sandbox_is_a_404(sandbox):
    assert requests.get(sandbox.url + "/-/sandbox/other", timeout=10).status_code == 404
