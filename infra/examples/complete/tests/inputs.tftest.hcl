# The whole stack against a mocked provider: the priorities, and what is refused.

mock_provider "aws" {
  source = "../../modules/lambda-blue-green/tests/mocks"
}

override_data {
  target = data.aws_availability_zones.available
  values = { names = ["eu-central-1a", "eu-central-1b"] }
}

variables {
  image           = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
  certificate_arn = "arn:aws:acm:eu-central-1:123456789012:certificate/1"
}

run "a_priority_follows_from_the_name_alone" {
  command = plan
  assert {
    condition     = output.priorities == { blog = 4656, shop = 12072 }
    error_message = "a service's rules would move: ${jsonencode(output.priorities)}"
  }
}

run "a_third_service_moves_nobody" {
  command = plan
  variables {
    lambda_config = {
      blog = { family = "blog", blue_image = var.image, green_image = var.image, hostnames = ["blog.example.com"] }
      news = { family = "news", blue_image = var.image, green_image = var.image, hostnames = ["news.example.com"] }
      shop = { family = "shop", blue_image = var.image, green_image = var.image, hostnames = ["shop.example.com"] }
    }
  }
  assert {
    condition = (
      output.priorities.blog == run.a_priority_follows_from_the_name_alone.priorities.blog &&
      output.priorities.shop == run.a_priority_follows_from_the_name_alone.priorities.shop
    )
    error_message = "adding a service moves another one's rules"
  }
}

run "a_priority_that_is_given_goes_before_the_one_that_follows" {
  command = plan
  variables {
    lambda_config = {
      blog = { family = "blog", blue_image = var.image, green_image = var.image, hostnames = ["blog.example.com"], priority = 100 }
    }
  }
  assert {
    condition     = output.priorities == { blog = 100 }
    error_message = "the given priority isn't heeded"
  }
}

run "two_services_whose_rules_would_meet_are_refused" {
  command = plan
  variables {
    canary_slots = 2
    lambda_config = {
      blog = { family = "blog", blue_image = var.image, green_image = var.image, hostnames = ["blog.example.com"], priority = 100 }
      shop = { family = "shop", blue_image = var.image, green_image = var.image, hostnames = ["shop.example.com"], priority = 102 }
    }
  }
  expect_failures = [aws_lb.this]
}

run "the_same_family_twice_is_refused" {
  command = plan
  variables {
    lambda_config = {
      blog = { family = "web", blue_image = var.image, green_image = var.image, hostnames = ["blog.example.com"] }
      shop = { family = "web", blue_image = var.image, green_image = var.image, hostnames = ["shop.example.com"] }
    }
  }
  expect_failures = [var.lambda_config]
}

run "a_certificate_that_isnt_one_is_refused" {
  command = plan
  variables {
    certificate_arn = "shop.example.com"
  }
  expect_failures = [var.certificate_arn]
}

run "a_network_not_by_its_first_address_is_refused" {
  command = plan
  variables {
    vpc_cidr = "10.20.0.1/16"
  }
  expect_failures = [var.vpc_cidr]
}
