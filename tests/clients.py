"""Who asks a service of the sandbox: from which address, with which header, and with cookies or without."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from infra.sandbox.info import SandboxInfo

EVERYONE, YOU = "everyone", "you"


@dataclass(frozen=True, kw_only=True)
class Client:
    """Somebody who asks again and again; ``address`` is where the load balancer sees it come from.

    ``audience`` says with whom it is meant to meet its versions: with everyone, or with the canary's testers. With
    ``people`` so many take turns, each with the cookies that the load balancer gave them; else nobody keeps cookies.
    """

    name: str
    audience: str = field(repr=False)
    url: str = field(repr=False)
    address: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    people: int = field(default=0, repr=False)

    def is_let_in(self, rule: Mapping[str, Any]) -> bool:
        """Whether a rule's addresses and headers are this client's; that its host and path are is presumed."""
        return all(self._meets(condition) for condition in rule["Conditions"])

    def openers(self) -> list[urllib.request.OpenerDirector]:
        """One for each of its people."""
        if not self.people:
            return [urllib.request.build_opener()]
        cookies = urllib.request.HTTPCookieProcessor
        return [urllib.request.build_opener(cookies()) for _ in range(self.people)]

    def ask(self, opener: urllib.request.OpenerDirector, host: str) -> tuple[int, str]:
        """The status and the digest of the version that answered: 0 without an answer, "" without a version."""
        headers = {**self.headers, **({"Host": host} if host else {})}
        try:
            with opener.open(urllib.request.Request(self.url, headers=headers), timeout=10) as response:
                return response.status, json.load(response)["digest"]
        except urllib.error.HTTPError as error:
            return error.code, ""
        except OSError:
            return 0, ""

    def _meets(self, condition: Mapping[str, Any]) -> bool:
        if condition["Field"] == "source-ip":
            networks = map(ip_network, condition["SourceIpConfig"]["Values"])
            return any(ip_address(self.address) in network for network in networks)
        if condition["Field"] == "http-header":
            header = condition["HttpHeaderConfig"]
            sent = {name.lower(): value.lower() for name, value in self.headers.items()}
            wanted = [value.lower() for value in header["Values"]]
            return sent.get(header["HttpHeaderName"].lower()) in wanted
        return True


def usual_clients(sandbox: SandboxInfo) -> list[Client]:
    """Everyone, of whose changing addresses one stands for all, and whoever sits where the canary begins."""
    return [
        Client(name="everyone", audience=EVERYONE, url=sandbox.everyone_url, address="127.0.1.1"),
        Client(name="you", audience=YOU, url=sandbox.you_url, address="127.0.0.9"),
    ]
