from terraform_runner.domain.tools import providers_of

LOCK_FILE = """# This file is maintained automatically by "terraform init".

provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.2.0"
  constraints = ">= 6.0.0"
  hashes = [
    "h1:aaaa=",
  ]
}

provider "registry.terraform.io/hashicorp/random" {
  version = "3.7.2"
  hashes = [
    "h1:bbbb=",
  ]
}
"""


def test_the_lock_file_says_the_version_of_each_provider():
    assert providers_of(LOCK_FILE) == {
        "registry.terraform.io/hashicorp/aws": "6.2.0",
        "registry.terraform.io/hashicorp/random": "3.7.2",
    }


def test_a_lock_file_that_names_none_has_none():
    assert providers_of("# locked") == {}
