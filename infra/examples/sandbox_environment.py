"""`python -m infra.examples.sandbox_environment`: what a shell needs to use the sandbox of `make sandbox`.

Prints `export` lines: for Terraform and the AWS command line, and the addresses of the sandbox's load balancer.
"""

import os
import shlex
import sys

from infra.local import terraform
from infra.local.paths import data_dir
from infra.sandbox.info import FILE_NAME, SandboxInfo, read_info


def main() -> int:
    """Print the lines, or say that no sandbox is running and return 1."""
    try:
        info = read_info(data_dir() / "sandbox-alone" / FILE_NAME)
    except FileNotFoundError:
        sys.stderr.write("No sandbox is running: start it by `make sandbox` in another terminal.\n")
        return 1
    variables = info.environment() | _addresses(info) | _terraform()
    sys.stdout.writelines(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    return 0


def _addresses(info: SandboxInfo) -> dict[str, str]:
    return {"SANDBOX": info.url, "EVERYONE": info.everyone_url, "YOU": info.you_url}


def _terraform() -> dict[str, str]:
    """Where Terraform is, if `make` had to download it; and where its providers are, if not in the registry."""
    variables = {}
    binary, mirror = terraform.find_binary(data_dir()), terraform.find_mirror()
    if binary:
        variables["PATH"] = os.pathsep.join([str(binary.parent), os.environ["PATH"]])
    if mirror:
        config = data_dir() / "sandbox-alone" / "terraform.tfrc"
        terraform.write_cli_config(config, mirror)
        variables["TF_CLI_CONFIG_FILE"] = str(config)
    return variables


if __name__ == "__main__":
    sys.exit(main())
