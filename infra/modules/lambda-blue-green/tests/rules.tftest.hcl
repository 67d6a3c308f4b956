# What a service's rules, permissions and names are in each phase of its life. Applied to a mocked provider:
# nothing is created, but each run goes on from the state of the one before, as in real life.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  target = aws_lb_target_group.blue
  values = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/nginx-svc-blue/1" }
}

override_resource {
  target = aws_lb_target_group.green
  values = { arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/nginx-svc-green/1" }
}

override_resource {
  target = aws_lambda_alias.blue
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:nginx-lambda-blue:live" }
}

override_resource {
  target = aws_lambda_alias.green
  values = { arn = "arn:aws:lambda:eu-central-1:123456789012:function:nginx-lambda-green:live" }
}

variables {
  name               = "nginx-lambda"
  family             = "nginx-svc"
  blue_image         = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
  green_image        = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:green"
  canary_source_ips  = ["203.0.113.7/32"]
  load_balancer_name = "demo-alb"
}

run "a_new_service_sends_everyone_to_blue_and_nobody_to_the_candidate" {
  assert {
    condition = { for group in aws_lb_listener_rule.traffic.action[0].forward[0].target_group : group.arn => group.weight } == {
      (aws_lb_target_group.blue.arn)  = 100
      (aws_lb_target_group.green.arn) = 0
    }
    error_message = "the traffic rule doesn't forward to both groups, all to blue"
  }

  assert {
    condition = { for group in aws_lb_listener_rule.canary.action[0].forward[0].target_group : group.arn => group.weight } == {
      (aws_lb_target_group.blue.arn)  = 0
      (aws_lb_target_group.green.arn) = 100
    }
    error_message = "the canary rule doesn't forward to both groups, all to the candidate"
  }

  assert {
    condition     = flatten(aws_lb_listener_rule.canary.condition[*].source_ip[*].values[*]) == ["192.0.2.1/32"]
    error_message = "the canary is off, and yet its rule matches other addresses than the one that nobody has"
  }

  assert {
    condition     = aws_lb_listener_rule.traffic.priority == 200 && aws_lb_listener_rule.canary.priority == 199
    error_message = "the canary rule isn't right before the traffic rule"
  }

  assert {
    condition     = alltrue([for rule in [aws_lb_listener_rule.traffic, aws_lb_listener_rule.canary] : contains(flatten(rule.condition[*].path_pattern[*].values[*]), "/*")])
    error_message = "without hostnames a rule matches the path /*"
  }
}

run "names_are_the_ones_that_people_have" {
  assert {
    condition = [
      aws_lambda_function.blue.function_name, aws_lambda_function.green.function_name,
      aws_lambda_alias.blue.name, aws_lambda_alias.green.name,
      aws_lb_target_group.blue.name, aws_lb_target_group.green.name,
      aws_lambda_permission.blue.statement_id, aws_lambda_permission.green.statement_id,
      aws_iam_role.this[0].name,
      ] == [
      "nginx-lambda-blue", "nginx-lambda-green",
      "live", "live",
      "nginx-svc-blue", "nginx-svc-green",
      "AllowALB-nginx-lambda-blue", "AllowALB-nginx-lambda-green",
      "lambda_exec_nginx-lambda",
    ]
    error_message = "a stack that exists would be replaced: names differ from the original's"
  }
}

run "only_the_own_target_group_may_call_the_alias" {
  assert {
    condition = alltrue([
      for color, wanted in {
        blue  = { given = aws_lambda_permission.blue, group = aws_lb_target_group.blue }
        green = { given = aws_lambda_permission.green, group = aws_lb_target_group.green }
      } :
      wanted.given.principal == "elasticloadbalancing.amazonaws.com" && wanted.given.qualifier == "live" &&
      wanted.given.source_arn == wanted.group.arn && wanted.given.source_account == "123456789012"
    ])
    error_message = "a permission allows more, or another, than the own group in the own account to call the alias"
  }

  assert {
    condition = (
      aws_lb_target_group_attachment.blue.target_id == aws_lambda_alias.blue.arn &&
      aws_lb_target_group_attachment.green.target_id == aws_lambda_alias.green.arn
    )
    error_message = "a target group doesn't call the own colour's alias"
  }
}

run "the_canary_is_switched_on_by_its_addresses_alone" {
  variables {
    activate_canary = true
  }

  assert {
    condition     = flatten(aws_lb_listener_rule.canary.condition[*].source_ip[*].values[*]) == ["203.0.113.7/32"]
    error_message = "the canary rule doesn't match the canary addresses"
  }

  assert {
    condition     = aws_lb_listener_rule.canary.arn == run.a_new_service_sends_everyone_to_blue_and_nobody_to_the_candidate.canary_rule_arn
    error_message = "the canary rule was made anew"
  }
}

run "weights_are_literally_greens_share" {
  variables {
    green_weight = 25
  }

  assert {
    condition     = output.weights == { blue = 75, green = 25 }
    error_message = "the output weights aren't the shares"
  }

  assert {
    condition = { for group in aws_lb_listener_rule.traffic.action[0].forward[0].target_group : group.arn => group.weight } == {
      (aws_lb_target_group.blue.arn)  = 75
      (aws_lb_target_group.green.arn) = 25
    }
    error_message = "the rule's weights aren't the shares"
  }
}

run "with_green_stable_the_canary_goes_to_blue_and_weight_0_still_means_blue" {
  variables {
    active_color = "green"
    green_weight = 0
  }

  assert {
    condition = { for group in aws_lb_listener_rule.canary.action[0].forward[0].target_group : group.arn => group.weight } == {
      (aws_lb_target_group.blue.arn)  = 100
      (aws_lb_target_group.green.arn) = 0
    }
    error_message = "the candidate is blue, and the canary rule doesn't lead there"
  }

  assert {
    condition = { for group in aws_lb_listener_rule.traffic.action[0].forward[0].target_group : group.arn => group.weight } == {
      (aws_lb_target_group.blue.arn)  = 100
      (aws_lb_target_group.green.arn) = 0
    }
    error_message = "active_color moves no user: green_weight is literal"
  }
}

run "each_colour_has_its_own_configuration" {
  variables {
    green_config = {
      memory_size        = 512
      environment        = { LOG_LEVEL = "debug" }
      subnet_ids         = ["subnet-1"]
      security_group_ids = ["sg-1"]
      image_config       = { command = ["app.handler"] }
    }
  }

  assert {
    condition = (
      aws_lambda_function.green.memory_size == 512 && aws_lambda_function.green.timeout == 30 &&
      one(aws_lambda_function.green.environment[*].variables) == tomap({ LOG_LEVEL = "debug" }) &&
      one(aws_lambda_function.green.vpc_config[*].subnet_ids) == toset(["subnet-1"]) &&
      one(aws_lambda_function.green.image_config[*].command) == tolist(["app.handler"])
    )
    error_message = "green doesn't have what green_config says"
  }

  assert {
    condition = (
      aws_lambda_function.blue.memory_size == 128 && length(aws_lambda_function.blue.environment) == 0 &&
      length(aws_lambda_function.blue.vpc_config) == 0 && length(aws_lambda_function.blue.image_config) == 0
    )
    error_message = "blue changed with green's configuration"
  }
}
