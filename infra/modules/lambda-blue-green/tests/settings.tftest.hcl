# The service's fixed settings: where the listener is found, hosts, role, names.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name        = "nginx-lambda"
  family      = "nginx-svc"
  blue_image  = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
  green_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
}

run "a_listener_given_by_arn_is_not_looked_up" {
  command = plan

  variables {
    listener_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:listener/app/other/2/2"
  }

  assert {
    condition     = length(data.aws_lb.this) == 0 && aws_lb_listener_rule.traffic.listener_arn == var.listener_arn
    error_message = "the rule isn't on the given listener"
  }
}

run "a_load_balancer_is_found_by_arn_and_port" {
  command = plan

  variables {
    load_balancer_arn = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/demo-alb/1"
    listener_port     = 8443
  }

  assert {
    condition     = data.aws_lb.this[0].arn == var.load_balancer_arn && data.aws_lb_listener.this[0].port == 8443
    error_message = "the listener isn't looked up by the load balancer's ARN and the port"
  }
}

run "a_load_balancer_is_found_by_tags" {
  command = plan

  variables {
    load_balancer_tags = { environment = "demo" }
  }

  assert {
    condition     = data.aws_lb.this[0].tags == tomap({ environment = "demo" }) && data.aws_lb_listener.this[0].port == 443
    error_message = "the load balancer isn't looked up by its tags"
  }
}

run "both_rules_match_the_service_s_hosts_and_no_path" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
    hostnames          = ["app.example.com", "*.app.example.com"]
    canary_source_ips  = ["203.0.113.0/24", "2001:db8::7/128"]
    activate_canary    = true
  }

  assert {
    condition = alltrue([
      for rule in [aws_lb_listener_rule.traffic, aws_lb_listener_rule.canary] :
      toset(flatten(rule.condition[*].host_header[*].values[*])) == toset(["app.example.com", "*.app.example.com"]) &&
      length(flatten(rule.condition[*].path_pattern)) == 0
    ])
    error_message = "a rule doesn't match just the hosts"
  }

  assert {
    condition     = toset(flatten(aws_lb_listener_rule.canary.condition[*].source_ip[*].values[*])) == toset(["203.0.113.0/24", "2001:db8::7/128"])
    error_message = "the canary rule doesn't match the canary addresses"
  }
}

run "names_and_role_of_a_stack_that_exists_are_kept" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
    role_arn           = "arn:aws:iam::123456789012:role/ours"
    names = {
      blue_function      = "ours-b"
      green_target_group = "ours-g"
      blue_permission    = "OursB"
    }
  }

  assert {
    condition     = length(aws_iam_role.this) == 0 && aws_lambda_function.blue.role == var.role_arn && aws_lambda_function.green.role == var.role_arn
    error_message = "a role was made although one was given"
  }

  assert {
    condition = [
      aws_lambda_function.blue.function_name, aws_lambda_function.green.function_name,
      aws_lb_target_group.blue.name, aws_lb_target_group.green.name,
      aws_lambda_permission.blue.statement_id, aws_lambda_permission.green.statement_id,
    ] == ["ours-b", "nginx-lambda-green", "nginx-svc-blue", "ours-g", "OursB", "AllowALB-nginx-lambda-green"]
    error_message = "a name isn't the given one, or the usual one where none is given"
  }
}

run "tags_are_on_everything_that_takes_them" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
    tags               = { team = "web" }
  }

  assert {
    condition = alltrue([
      for tagged in [
        aws_lambda_function.blue.tags, aws_lambda_function.green.tags,
        aws_lb_target_group.blue.tags, aws_lb_target_group.green.tags,
        aws_lb_listener_rule.traffic.tags, aws_lb_listener_rule.canary.tags, aws_iam_role.this[0].tags,
      ] : tagged == tomap({ team = "web" })
    ])
    error_message = "something has no tags"
  }
}
