import itertools

import pytest

from aws.session import Access
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import Service, make_service

numbers = itertools.count(300)


@pytest.fixture(scope="session")
def access(sandbox: SandboxInfo) -> Access:
    return Access(
        region=sandbox.region,
        account_id=sandbox.account_id,
        endpoint_url=sandbox.endpoint_url,
        access_key_id=sandbox.access_key_id,
        secret_access_key=sandbox.secret_access_key,
    )


@pytest.fixture
def service(sandbox: SandboxInfo) -> Service:
    number = next(numbers)
    made = make_service(sandbox, f"aws-tests-{number}", priority=number)
    made.set_weights(blue=100, green=0)
    return made
