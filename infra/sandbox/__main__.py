"""`python -m infra.sandbox --data-dir DIR`: a local AWS with a load balancer that follows its rules."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.sandbox.errors import SandboxError
from infra.sandbox.program import run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox", description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="what the sandbox holds is kept here")
    for option, what in {
        "api-port": "the AWS API",
        "port": "the load balancer: requests come from the address that connects",
        "everyone-port": "the load balancer: requests come from changing addresses",
        "you-port": "the load balancer: requests come from 127.0.0.9",
        "ipv6-port": "the load balancer: requests come from 2001:db8::9",
    }.items():
        parser.add_argument(f"--{option}", type=int, default=0, metavar="N", help=f"{what} (0: a free port)")
    asked = parser.parse_args(arguments)
    ports = {
        "api": asked.api_port,
        "own": asked.port,
        "everyone": asked.everyone_port,
        "you": asked.you_port,
        "ipv6": asked.ipv6_port,
    }
    try:
        return run(asked.data_dir.resolve(), ports)
    except SandboxError as error:
        print(f"The sandbox can't start: {error}.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
