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
