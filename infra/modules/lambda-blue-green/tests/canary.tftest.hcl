# The canary's rules where there are more than one, and stickiness. Applied to a mocked provider, each run on the state of
# the one before.

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
  canary_source_ips  = ["203.0.113.1/32", "203.0.113.2/32", "2001:db8::3/128", "203.0.113.4/32"]
  load_balancer_name = "demo-alb"
  canary_slots       = 3
  canary_header      = { name = "X-Canary", value = "0123456789abcdef" }
  stickiness_seconds = 3600
}

run "while_the_canary_is_off_no_rule_of_it_matches_anybody" {
  assert {
    condition = alltrue([
      for rule in concat([aws_lb_listener_rule.canary], values(aws_lb_listener_rule.canary_slot), aws_lb_listener_rule.header) :
      flatten(rule.condition[*].source_ip[*].values[*]) == ["192.0.2.1/32"]
    ])
    error_message = "a rule of the canary matches other addresses than the one that nobody has"
  }

  assert {
    condition     = aws_lb_listener_rule.traffic.priority == 200 && aws_lb_listener_rule.canary.priority == 199
    error_message = "the first slot isn't right before the traffic rule"
  }

  assert {
    condition     = { for slot, rule in aws_lb_listener_rule.canary_slot : slot => rule.priority } == { "2" = 198, "3" = 197 }
    error_message = "the slots aren't one before the other"
  }

  assert {
    condition     = aws_lb_listener_rule.header[0].priority == 196 && output.priorities == tolist([196, 197, 198, 199, 200])
    error_message = "the header's rule isn't before all slots, or the output doesn't say so"
  }

  assert {
    condition = output.header_rule_arn == aws_lb_listener_rule.header[0].arn && output.canary_rule_arns == [
      aws_lb_listener_rule.canary.arn, aws_lb_listener_rule.canary_slot["2"].arn, aws_lb_listener_rule.canary_slot["3"].arn,
    ]
    error_message = "the outputs aren't the rules in the slots' order"
  }
}

run "addresses_are_laid_out_over_the_slots_in_their_order" {
  variables {
    activate_canary = true
  }

  assert {
    condition = [
      for rule in [aws_lb_listener_rule.canary, aws_lb_listener_rule.canary_slot["2"], aws_lb_listener_rule.canary_slot["3"]] :
      toset(flatten(rule.condition[*].source_ip[*].values[*]))
      ] == [
      toset(["203.0.113.1/32", "203.0.113.2/32", "2001:db8::3/128"]), toset(["203.0.113.4/32"]), toset(["192.0.2.1/32"]),
    ]
    error_message = "a slot has other addresses than its own, or one without addresses matches somebody"
  }

  assert {
    condition = (
      length(flatten(aws_lb_listener_rule.header[0].condition[*].source_ip)) == 0 &&
      flatten(aws_lb_listener_rule.header[0].condition[*].http_header[*].http_header_name) == ["X-Canary"] &&
      flatten(aws_lb_listener_rule.header[0].condition[*].http_header[*].values[*]) == ["0123456789abcdef"]
    )
    error_message = "the header's rule doesn't match the header from any address"
  }

  assert {
    condition = alltrue([
      for rule in concat([aws_lb_listener_rule.canary], values(aws_lb_listener_rule.canary_slot), aws_lb_listener_rule.header) :
      { for group in rule.action[0].forward[0].target_group : group.arn => group.weight } == {
        (aws_lb_target_group.blue.arn)  = 0
        (aws_lb_target_group.green.arn) = 100
      }
    ])
    error_message = "a rule of the canary doesn't lead to the candidate"
  }

  assert {
    condition = (
      output.canary_rule_arns == run.while_the_canary_is_off_no_rule_of_it_matches_anybody.canary_rule_arns &&
      output.header_rule_arn == run.while_the_canary_is_off_no_rule_of_it_matches_anybody.header_rule_arn
    )
    error_message = "a rule was made anew"
  }
}

run "fewer_values_fit_a_rule_that_has_hosts_and_paths" {
  variables {
    activate_canary   = true
    hostnames         = ["a.example.com", "b.example.com"]
    paths             = ["/api/*"]
    canary_source_ips = ["203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32", "203.0.113.4/32", "203.0.113.5/32"]
  }

  assert {
    condition = [
      for rule in [aws_lb_listener_rule.canary, aws_lb_listener_rule.canary_slot["2"], aws_lb_listener_rule.canary_slot["3"]] :
      length(flatten(rule.condition[*].source_ip[*].values[*]))
    ] == [2, 2, 1]
    error_message = "a rule has more than five values, or an address has no slot"
  }
}

run "a_header_alone_is_a_canary" {
  variables {
    activate_canary   = true
    canary_source_ips = []
  }

  assert {
    condition     = flatten(aws_lb_listener_rule.canary.condition[*].source_ip[*].values[*]) == ["192.0.2.1/32"]
    error_message = "the slots match somebody though no address is sent"
  }
}

run "with_green_stable_every_rule_of_the_canary_leads_to_blue" {
  variables {
    active_color = "green"
  }

  assert {
    condition = alltrue([
      for rule in concat([aws_lb_listener_rule.canary], values(aws_lb_listener_rule.canary_slot), aws_lb_listener_rule.header) :
      { for group in rule.action[0].forward[0].target_group : group.arn => group.weight } == {
        (aws_lb_target_group.blue.arn)  = 100
        (aws_lb_target_group.green.arn) = 0
      }
    ])
    error_message = "a rule of the canary leads to the stable colour"
  }
}

run "nobody_sticks_while_all_are_on_blue" {
  variables {
    green_weight = 0
  }

  assert {
    condition     = length(aws_lb_listener_rule.traffic.action[0].forward[0].stickiness) == 0
    error_message = "a cookie would go before the weights"
  }
}

run "users_stick_while_they_are_divided" {
  variables {
    green_weight    = 1
    activate_canary = true
  }

  assert {
    condition     = one(aws_lb_listener_rule.traffic.action[0].forward[0].stickiness).enabled && one(aws_lb_listener_rule.traffic.action[0].forward[0].stickiness).duration == 3600
    error_message = "users don't stay on the version that they had"
  }

  assert {
    condition = alltrue([
      for rule in concat([aws_lb_listener_rule.canary], values(aws_lb_listener_rule.canary_slot), aws_lb_listener_rule.header) :
      length(rule.action[0].forward[0].stickiness) == 0
    ])
    error_message = "a tester would stick"
  }
}

run "nobody_sticks_once_all_are_on_green" {
  variables {
    green_weight = 100
  }

  assert {
    condition     = length(aws_lb_listener_rule.traffic.action[0].forward[0].stickiness) == 0
    error_message = "a promotion wouldn't reach the users with a cookie"
  }
}

run "nobody_sticks_where_the_service_doesnt_want_it" {
  variables {
    green_weight       = 50
    stickiness_seconds = 0
  }

  assert {
    condition     = length(aws_lb_listener_rule.traffic.action[0].forward[0].stickiness) == 0
    error_message = "users stick though nobody asked for it"
  }
}
