"""Lambda functions of container images: what they run, and which version their alias leads to."""

from dataclasses import dataclass

from aws.errors import in_words
from aws.session import Access, functions


@dataclass(frozen=True, kw_only=True)
class FunctionReality:
    """A function as it is.

    Digests are "sha256:…" as Lambda resolved them, of ``$LATEST`` and of the version that the alias leads to. ``state``
    and ``last_update_status`` are Lambda's words; ``newest_version`` is the number published last, "" before the first.
    """

    name: str
    latest_digest: str
    newest_version: str
    alias_version: str
    alias_digest: str
    state: str
    last_update_status: str


def read_function(access: Access, name: str, *, alias: str = "live") -> FunctionReality:
    """What a function runs now, by three or more calls. Raises ``AwsError``."""
    client = functions(access)
    with in_words(f"read the function {name}"):
        latest = client.get_function(FunctionName=name)
        aliased = client.get_function(FunctionName=name, Qualifier=alias)
        pages = client.get_paginator("list_versions_by_function").paginate(FunctionName=name)
        versions = [version["Version"] for page in pages for version in page["Versions"]]
    return FunctionReality(
        name=name,
        latest_digest=_digest(latest["Code"].get("ResolvedImageUri", "")),
        newest_version=max((version for version in versions if version.isdecimal()), key=int, default=""),
        alias_version=aliased["Configuration"]["Version"],
        alias_digest=_digest(aliased["Code"].get("ResolvedImageUri", "")),
        state=latest["Configuration"].get("State", ""),
        last_update_status=latest["Configuration"].get("LastUpdateStatus", ""),
    )


def _digest(resolved: str) -> str:
    return resolved.partition("@")[2]
