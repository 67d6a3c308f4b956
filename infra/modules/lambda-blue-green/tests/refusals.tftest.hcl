# Each input that can't work is refused when planning, before anything has changed.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  name               = "nginx-lambda"
  family             = "nginx-svc"
  blue_image         = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:blue"
  green_image        = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda:green"
  load_balancer_name = "demo-alb"
}

run "refuses_a_family_too_long_for_a_target_group" {
  command = plan
  variables {
    family = "abcdefghijklmnopqrstuvwxyz1"
  }
  expect_failures = [var.family]
}

run "refuses_a_family_that_begins_as_only_aws_may" {
  command = plan
  variables {
    family = "internal-svc"
  }
  expect_failures = [var.family]
}

run "refuses_a_name_too_long_for_its_role" {
  command = plan
  variables {
    name = "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyza"
  }
  expect_failures = [var.name]
}

run "refuses_an_image_that_isnt_in_ecr" {
  command = plan
  variables {
    blue_image = "docker.io/library/nginx:latest"
  }
  expect_failures = [var.blue_image]
}

run "refuses_an_image_without_tag_or_digest" {
  command = plan
  variables {
    green_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda"
  }
  expect_failures = [var.green_image]
}

run "refuses_an_image_with_a_short_digest" {
  command = plan
  variables {
    green_image = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/nginx-lambda@sha256:0123"
  }
  expect_failures = [var.green_image]
}

run "refuses_a_colour_that_isnt_one" {
  command = plan
  variables {
    active_color = "Blue"
  }
  expect_failures = [var.active_color]
}

run "refuses_a_weight_above_100" {
  command = plan
  variables {
    green_weight = 101
  }
  expect_failures = [var.green_weight]
}

run "refuses_a_weight_below_0" {
  command = plan
  variables {
    green_weight = -1
  }
  expect_failures = [var.green_weight]
}

run "refuses_a_weight_that_isnt_whole" {
  command = plan
  variables {
    green_weight = 12.5
  }
  expect_failures = [var.green_weight]
}

run "refuses_a_canary_for_nobody" {
  command = plan
  variables {
    activate_canary = true
  }
  expect_failures = [var.activate_canary]
}

run "refuses_a_canary_for_everyone" {
  command = plan
  variables {
    canary_source_ips = ["0.0.0.0/0"]
  }
  expect_failures = [var.canary_source_ips]
}

run "refuses_a_canary_for_everyone_by_ipv6" {
  command = plan
  variables {
    canary_source_ips = ["::/0"]
  }
  expect_failures = [var.canary_source_ips]
}

run "refuses_an_address_without_its_mask" {
  command = plan
  variables {
    canary_source_ips = ["203.0.113.7"]
  }
  expect_failures = [var.canary_source_ips]
}

run "refuses_a_network_not_by_its_first_address" {
  command = plan
  variables {
    canary_source_ips = ["203.0.113.7/24"]
  }
  expect_failures = [var.canary_source_ips]
}

run "refuses_four_canary_addresses" {
  command = plan
  variables {
    canary_source_ips = ["203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32", "203.0.113.4/32"]
  }
  expect_failures = [var.canary_source_ips]
}

run "refuses_six_values_in_the_canary_rule" {
  command = plan
  variables {
    hostnames         = ["a.example.com", "b.example.com", "c.example.com"]
    canary_source_ips = ["203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32"]
  }
  expect_failures = [var.canary_source_ips]
}

run "refuses_four_hosts" {
  command = plan
  variables {
    hostnames = ["a.example.com", "b.example.com", "c.example.com", "d.example.com"]
  }
  expect_failures = [var.hostnames]
}

run "refuses_a_priority_with_no_room_for_the_canary" {
  command = plan
  variables {
    priority = 1
  }
  expect_failures = [var.priority]
}

run "refuses_a_priority_above_the_last" {
  command = plan
  variables {
    priority = 50001
  }
  expect_failures = [var.priority]
}

run "refuses_no_way_to_find_the_listener" {
  command = plan
  variables {
    load_balancer_name = null
  }
  expect_failures = [var.listener_arn]
}

run "refuses_two_ways_to_find_the_listener" {
  command = plan
  variables {
    load_balancer_tags = { environment = "demo" }
  }
  expect_failures = [var.listener_arn]
}

run "refuses_a_port_that_isnt_one" {
  command = plan
  variables {
    listener_port = 0
  }
  expect_failures = [var.listener_port]
}

run "refuses_a_vpc_without_security_groups" {
  command = plan
  variables {
    blue_config = { subnet_ids = ["subnet-1"] }
  }
  expect_failures = [var.blue_config]
}

run "refuses_security_groups_without_a_vpc" {
  command = plan
  variables {
    green_config = { security_group_ids = ["sg-1"] }
  }
  expect_failures = [var.green_config]
}

run "refuses_a_host_that_no_client_names" {
  command = plan
  variables {
    hostnames = ["app.example.com/api"]
  }
  expect_failures = [var.hostnames]
}

run "refuses_a_path_that_doesnt_begin_with_a_slash" {
  command = plan
  variables {
    paths = ["api/*"]
  }
  expect_failures = [var.paths]
}

run "refuses_a_path_with_a_space" {
  command = plan
  variables {
    paths = ["/a b"]
  }
  expect_failures = [var.paths]
}

run "refuses_four_paths" {
  command = plan
  variables {
    paths = ["/a", "/b", "/c", "/d"]
  }
  expect_failures = [var.paths]
}

run "refuses_hosts_and_paths_that_leave_no_room_for_an_address" {
  command = plan
  variables {
    hostnames = ["a.example.com", "b.example.com", "c.example.com"]
    paths     = ["/a", "/b"]
  }
  expect_failures = [var.paths]
}

run "refuses_hosts_and_paths_that_leave_no_room_for_the_header" {
  command = plan
  variables {
    hostnames     = ["a.example.com", "b.example.com"]
    paths         = ["/a", "/b"]
    canary_header = { name = "X-Canary", value = "0123456789abcdef" }
  }
  expect_failures = [var.paths]
}

run "refuses_a_priority_with_no_room_for_all_slots" {
  command = plan
  variables {
    priority     = 3
    canary_slots = 3
  }
  expect_failures = [var.priority]
}

run "refuses_a_priority_with_no_room_for_the_header" {
  command = plan
  variables {
    priority      = 2
    canary_header = { name = "X-Canary", value = "0123456789abcdef" }
  }
  expect_failures = [var.priority]
}

run "refuses_no_slot" {
  command = plan
  variables {
    canary_slots = 0
  }
  expect_failures = [var.canary_slots]
}

run "refuses_eleven_slots" {
  command = plan
  variables {
    canary_slots = 11
  }
  expect_failures = [var.canary_slots]
}

run "refuses_half_a_slot" {
  command = plan
  variables {
    canary_slots = 1.5
  }
  expect_failures = [var.canary_slots]
}

run "refuses_more_addresses_than_the_slots_have_room_for" {
  command = plan
  variables {
    hostnames         = ["a.example.com", "b.example.com"]
    paths             = ["/a"]
    canary_slots      = 2
    canary_source_ips = ["203.0.113.1/32", "203.0.113.2/32", "203.0.113.3/32", "203.0.113.4/32", "203.0.113.5/32"]
  }
  expect_failures = [var.canary_source_ips]
}

run "refuses_an_ipv6_network_not_by_its_first_address" {
  command = plan
  variables {
    canary_source_ips = ["2001:db8::7/32"]
  }
  expect_failures = [var.canary_source_ips]
}

run "refuses_a_header_that_every_client_sends" {
  command = plan
  variables {
    canary_header = { name = "Cookie", value = "0123456789abcdef" }
  }
  expect_failures = [var.canary_header]
}

run "refuses_a_header_with_a_name_that_isnt_one" {
  command = plan
  variables {
    canary_header = { name = "X Canary", value = "0123456789abcdef" }
  }
  expect_failures = [var.canary_header]
}

run "refuses_a_header_whose_value_is_a_wildcard" {
  command = plan
  variables {
    canary_header = { name = "X-Canary", value = "0123456789abcde*" }
  }
  expect_failures = [var.canary_header]
}

run "refuses_a_header_whose_value_is_guessed" {
  command = plan
  variables {
    canary_header = { name = "X-Canary", value = "true" }
  }
  expect_failures = [var.canary_header]
}

run "refuses_stickiness_for_longer_than_a_week" {
  command = plan
  variables {
    stickiness_seconds = 604801
  }
  expect_failures = [var.stickiness_seconds]
}

run "refuses_logs_for_days_that_cloudwatch_doesnt_know" {
  command = plan
  variables {
    log_retention_days = 31
  }
  expect_failures = [var.log_retention_days]
}

run "refuses_half_an_instance" {
  command = plan
  variables {
    provisioned_concurrency = 0.5
  }
  expect_failures = [var.provisioned_concurrency]
}

run "refuses_rights_that_it_doesnt_know" {
  command = plan
  variables {
    role_rights = "all"
  }
  expect_failures = [var.role_rights]
}

run "refuses_a_boundary_that_is_no_policy" {
  command = plan
  variables {
    role_permissions_boundary = "arn:aws:iam::123456789012:role/boundary"
  }
  expect_failures = [var.role_permissions_boundary]
}

run "refuses_a_boundary_for_a_role_that_is_somebody_elses" {
  command = plan
  variables {
    role_arn                  = "arn:aws:iam::123456789012:role/ours"
    role_permissions_boundary = "arn:aws:iam::123456789012:policy/boundary"
  }
  expect_failures = [var.role_permissions_boundary]
}

run "refuses_a_tag_of_aws" {
  command = plan
  variables {
    tags = { "aws:team" = "web" }
  }
  expect_failures = [var.tags]
}

run "refuses_memory_that_lambda_doesnt_have" {
  command = plan
  variables {
    blue_config = { memory_size = 127 }
  }
  expect_failures = [aws_lambda_function.blue]
}

run "refuses_a_timeout_above_lambdas" {
  command = plan
  variables {
    green_config = { timeout = 901 }
  }
  expect_failures = [aws_lambda_function.green]
}

run "refuses_a_temporary_folder_below_lambdas" {
  command = plan
  variables {
    blue_config = { ephemeral_storage = 511 }
  }
  expect_failures = [aws_lambda_function.blue]
}

run "refuses_two_architectures" {
  command = plan
  variables {
    blue_config = { architectures = ["x86_64", "arm64"] }
  }
  expect_failures = [aws_lambda_function.blue]
}

run "refuses_tracing_that_lambda_doesnt_know" {
  command = plan
  variables {
    green_config = { tracing_mode = "On" }
  }
  expect_failures = [aws_lambda_function.green]
}

run "refuses_a_variable_with_a_name_that_isnt_one" {
  command = plan
  variables {
    green_config = { environment = { "1ST" = "x" } }
  }
  expect_failures = [aws_lambda_function.green]
}

run "refuses_a_variable_that_lambda_sets" {
  command = plan
  variables {
    blue_config = { environment = { AWS_REGION = "x" } }
  }
  expect_failures = [aws_lambda_function.blue]
}

run "refuses_a_function_that_answers_nobody" {
  command = plan
  variables {
    blue_config = { reserved_concurrency = 0 }
  }
  expect_failures = [aws_lambda_function.blue]
}

run "refuses_more_instances_than_are_reserved" {
  command = plan
  variables {
    provisioned_concurrency = 3
    blue_config             = { reserved_concurrency = 2 }
    green_config            = { reserved_concurrency = 3 }
  }
  expect_failures = [aws_lambda_function.blue]
}
