"""`python -m infra.examples.sandbox_certificate`: prints the ARN of a certificate that the sandbox takes for one.

At AWS it is ACM that issues one, after you have shown that the hosts are yours.
"""

import os
import sys

import boto3

DOMAIN = "*.example.com"


def main() -> int:
    """Find it, or request it, at the sandbox that the environment's variables lead to."""
    acm = boto3.client("acm", region_name=os.environ["AWS_REGION"])
    found = (one["CertificateArn"] for one in acm.list_certificates()["CertificateSummaryList"])
    arn = next(found, None) or acm.request_certificate(DomainName=DOMAIN)["CertificateArn"]
    sys.stdout.write(arn + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
