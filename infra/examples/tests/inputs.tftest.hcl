# lambda_config against a mocked provider: what is refused, and what the weights mean.

mock_provider "aws" {
  source = "../modules/lambda-blue-green/tests/mocks"
}

variables {
  image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
}

run "green_weight_is_literal_whatever_is_stable" {
  command = plan
  variables {
    lambda_config = {
      web = { family = "web", blue_image = var.image, green_image = var.image, active_color = "green", green_weight = 0 }
    }
  }
  assert {
    condition     = output.services["web"].weights == { blue = 100, green = 0 }
    error_message = "weight 0 doesn't send everyone to blue"
  }
}

run "promote_to_all_is_refused" {
  command = plan
  variables {
    lambda_config = {
      web = { family = "web", blue_image = var.image, green_image = var.image, promote_to_all = true }
    }
  }
  expect_failures = [var.lambda_config]
}

run "the_same_priority_twice_is_refused" {
  command = plan
  variables {
    lambda_config = {
      web = { family = "web", blue_image = var.image, green_image = var.image }
      api = { family = "api", blue_image = var.image, green_image = var.image }
    }
  }
  expect_failures = [var.lambda_config]
}

run "priorities_one_apart_are_refused" {
  command = plan
  variables {
    lambda_config = {
      web = { family = "web", blue_image = var.image, green_image = var.image, priority = 200 }
      api = { family = "api", blue_image = var.image, green_image = var.image, priority = 201 }
    }
  }
  expect_failures = [var.lambda_config]
}

run "the_same_family_twice_is_refused" {
  command = plan
  variables {
    lambda_config = {
      web = { family = "web", blue_image = var.image, green_image = var.image, priority = 200 }
      api = { family = "web", blue_image = var.image, green_image = var.image, priority = 202 }
    }
  }
  expect_failures = [var.lambda_config]
}
