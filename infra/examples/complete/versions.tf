terraform {
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

# Region and credentials come from the environment: AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, …
provider "aws" {}
