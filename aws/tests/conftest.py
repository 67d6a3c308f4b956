import itertools

import pytest
from botocore.stub import Stubber

from aws.session import Access
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import Service, make_service

numbers = itertools.count(30_000)


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
def scripted():
    """An access to nowhere, and what makes one of its clients answer as a test says instead of AWS."""
    number = next(numbers)
    access = Access(
        region="eu-central-1",
        account_id="123456789012",
        endpoint_url="http://127.0.0.1:9",
        access_key_id=f"scripted-{number}",
        secret_access_key="secret",
    )

    def answer(client, *answers):
        """Each answer: operation, what it is asked with, what it says."""
        stubber = Stubber(client)
        for operation, asked, said in answers:
            stubber.add_response(operation, said, asked)
        stubber.activate()

    return access, answer


@pytest.fixture
def service(sandbox: SandboxInfo) -> Service:
    number = next(numbers)
    made = make_service(sandbox, f"aws-tests-{number}", priority=number)
    made.set_weights(blue=100, green=0)
    return made
