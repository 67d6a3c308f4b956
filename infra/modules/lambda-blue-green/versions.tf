terraform {
  # 1.9 lets a validation look at another variable; 1.10 is what Bluegreen as a whole asks for.
  required_version = ">= 1.10"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Everything here was measured with 5.100. Version 6 gives each resource a region of its own and hasn't been tried.
      version = "~> 5.100"
    }
  }
}
