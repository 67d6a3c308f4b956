"""What the services of AWS can be asked for, as botocore has it."""

from functools import cache

from botocore.model import ServiceModel
from botocore.session import get_session


@cache
def service_model(service: str) -> ServiceModel:
    """A service by botocore's name for it; reading one takes a while."""
    return get_session().get_service_model(service)
