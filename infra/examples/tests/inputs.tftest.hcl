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

run "slots_and_a_header_need_room_too" {
  command = plan
  variables {
    canary_header = { name = "X-Canary", value = "only-our-testers-know" }
    lambda_config = {
      web = { family = "web", blue_image = var.image, green_image = var.image, priority = 200 }
      api = { family = "api", blue_image = var.image, green_image = var.image, priority = 204, canary_slots = 3 }
    }
  }
  expect_failures = [var.lambda_config]
}

run "all_that_a_service_may_have_reaches_the_module" {
  command = plan
  variables {
    tags          = { team = "web", stage = "test" }
    canary_header = { name = "X-Canary", value = "only-our-testers-know" }
    lambda_config = {
      web = {
        family                    = "web"
        blue_image                = var.image
        green_image               = var.image
        paths                     = ["/api/*"]
        priority                  = 300
        canary_slots              = 3
        stickiness_seconds        = 600
        log_retention_days        = 30
        provisioned_concurrency   = 2
        role_rights               = "least"
        role_permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
        tags                      = { team = "api" }
        blue_config               = { tracing_mode = "Active", image_config = { command = ["serve"] } }
      }
    }
  }
  assert {
    condition     = output.services["web"].priorities == tolist([296, 297, 298, 299, 300])
    error_message = "slots or header have no rules"
  }
}

run "a_given_role_is_the_functions_own" {
  command = plan
  variables {
    lambda_config = {
      web = { family = "web", blue_image = var.image, green_image = var.image, role_arn = "arn:aws:iam::123456789012:role/given" }
    }
  }
  assert {
    condition     = output.services["web"].role_arn == "arn:aws:iam::123456789012:role/given"
    error_message = "another role is used"
  }
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
