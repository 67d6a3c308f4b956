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

run "all_rules_match_the_service_s_hosts_and_no_path" {
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

run "with_hosts_and_paths_a_request_needs_one_of_both" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
    hostnames          = ["app.example.com"]
    paths              = ["/api/*", "/v2/*"]
    canary_slots       = 2
    canary_header      = { name = "X-Canary", value = "0123456789abcdef" }
  }

  assert {
    condition = alltrue([
      for rule in [
        aws_lb_listener_rule.traffic, aws_lb_listener_rule.canary, aws_lb_listener_rule.canary_slot["2"],
        aws_lb_listener_rule.header[0],
      ] :
      flatten(rule.condition[*].host_header[*].values[*]) == ["app.example.com"] &&
      toset(flatten(rule.condition[*].path_pattern[*].values[*])) == toset(["/api/*", "/v2/*"]) &&
      length([for condition in rule.condition : condition if length(condition.host_header) + length(condition.path_pattern) == 1]) == 2
    ])
    error_message = "a rule doesn't have one condition for the hosts and another one for the paths"
  }
}

run "paths_alone_take_the_place_of_all_paths" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
    paths              = ["/api/*"]
  }

  assert {
    condition     = flatten(aws_lb_listener_rule.traffic.condition[*].path_pattern[*].values[*]) == ["/api/*"]
    error_message = "the rule doesn't match just the path"
  }
}

run "logs_are_left_to_lambda_by_default" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
  }

  assert {
    condition     = length(aws_cloudwatch_log_group.blue) + length(aws_cloudwatch_log_group.green) == 0
    error_message = "a log group was made that Lambda would make"
  }
}

run "logs_are_kept_as_long_as_is_said" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
    log_retention_days = 30
    names              = { blue_function = "ours-b" }
  }

  assert {
    condition = { for group in [aws_cloudwatch_log_group.blue[0], aws_cloudwatch_log_group.green[0]] : group.name => group.retention_in_days } == {
      "/aws/lambda/ours-b"             = 30
      "/aws/lambda/nginx-lambda-green" = 30
    }
    error_message = "the log groups aren't the functions', or keep logs for another time"
  }
}

run "instances_are_kept_ready_on_the_alias" {
  command = plan

  variables {
    load_balancer_name      = "demo-alb"
    provisioned_concurrency = 2
  }

  assert {
    condition = alltrue([
      for ready in [aws_lambda_provisioned_concurrency_config.blue[0], aws_lambda_provisioned_concurrency_config.green[0]] :
      ready.qualifier == "live" && ready.provisioned_concurrent_executions == 2
    ])
    error_message = "the instances aren't the alias's, or not as many as asked for"
  }
}

run "calls_are_reserved_for_one_colour_alone" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
    green_config       = { reserved_concurrency = 5 }
  }

  assert {
    condition     = [aws_lambda_function.blue.reserved_concurrent_executions, aws_lambda_function.green.reserved_concurrent_executions] == [-1, 5]
    error_message = "the reserve isn't green's alone"
  }
}

run "role_of_a_stack_that_exists_keeps_its_policy" {
  command = plan

  variables {
    load_balancer_name = "demo-alb"
  }

  assert {
    condition     = endswith(aws_iam_role_policy_attachment.vpc_access[0].policy_arn, "/AWSLambdaVPCAccessExecutionRole") && length(aws_iam_role_policy.least) == 0
    error_message = "a role that exists would change"
  }
}

run "role_with_the_least_rights_writes_the_own_logs_only" {
  command = plan

  variables {
    load_balancer_name        = "demo-alb"
    role_rights               = "least"
    role_permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition     = length(aws_iam_role_policy_attachment.vpc_access) == 0 && aws_iam_role.this[0].permissions_boundary == var.role_permissions_boundary
    error_message = "the role has AWS's policy as well, or no boundary"
  }

  assert {
    condition = { for statement in jsondecode(aws_iam_role_policy.least[0].policy).Statement : statement.Sid => flatten([statement.Resource]) }["OwnLogs"] == [
      "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/nginx-lambda-blue:*",
      "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/nginx-lambda-green:*",
    ]
    error_message = "the role may write into other logs than its functions'"
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.least[0].policy).Statement : statement.Condition.ArnEquals["lambda:SourceFunctionArn"]
      if statement.Effect == "Deny"
      ] == [[
        "arn:aws:lambda:eu-central-1:123456789012:function:nginx-lambda-blue",
        "arn:aws:lambda:eu-central-1:123456789012:function:nginx-lambda-green",
    ]]
    error_message = "the functions' own code may change the network"
  }
}
