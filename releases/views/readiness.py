"""Whether the other side is ready to take over: read live, and never waited for."""

from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from aws import functions
from aws.errors import AwsError
from aws.functions import FunctionReality
from releases.domain.traffic import Color
from releases.models import Service
from releases.services.accounts import access

# The button must not wait for a slow AWS: what is not read by then is said to be unknown.
PATIENCE_SECONDS = 1.0

_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="readiness")


@dataclass(frozen=True, kw_only=True)
class Readiness:
    """``is_ready`` is unknown (None) where AWS did not say in time."""

    is_ready: bool | None
    text: str


def read_readiness(service: Service, color: Color) -> Readiness:
    """The state of the function that a rollback would lead to."""
    name = service.green_function_name if color is Color.GREEN else service.blue_function_name
    reading = _threads.submit(functions.read_function, access(service), name)
    done, _ = wait([reading], timeout=PATIENCE_SECONDS)
    if not done:
        return Readiness(is_ready=None, text="AWS did not answer within a second.")
    return _in_words(reading)


def _in_words(reading: "Future[FunctionReality]") -> Readiness:
    try:
        found = reading.result()
    except AwsError as error:
        return Readiness(is_ready=None, text=f"It could not be read: {error.message}")
    ready = found.state == "Active" and found.last_update_status == "Successful"
    text = f"function {found.name}, version {found.alias_version}: {found.state}"
    return Readiness(
        is_ready=ready, text=text if ready else f"{text}, last update {found.last_update_status}"
    )
