"""Log groups of CloudWatch: which are there, and how long they keep what is written."""

from collections.abc import Sequence

from aws.errors import in_words
from aws.session import Access, logs


def read_retention(access: Access, names: Sequence[str]) -> dict[str, int | None]:
    """Those of these groups that are there, with the days that they keep logs; None: for ever. Raises ``AwsError``."""
    found: dict[str, int | None] = {}
    pages = logs(access).get_paginator("describe_log_groups")
    for name in names:
        with in_words(f"read the log group {name[:300]}"):
            for page in pages.paginate(logGroupNamePrefix=name):
                found |= {group["logGroupName"]: group.get("retentionInDays") for group in page["logGroups"]}
    return {name: found[name] for name in names if name in found}
