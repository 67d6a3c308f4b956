# The services, each with its rules on the one listener.

locals {
  # A service has the priority that it is given, else one that follows from its name alone: so adding or removing a
  # service never moves another one's rules. The numbers from 12 to 49992 are divided into blocks of twelve, the most
  # that a service can need (ten slots, a header, the users' rule), and a hash of the name chooses the block.
  block  = 12
  blocks = 4166

  priorities = {
    for name, service in var.lambda_config :
    name => coalesce(service.priority, local.block * (1 + parseint(substr(sha256(name), 0, 8), 16) % local.blocks))
  }

  # How many numbers a service has: its priority, and those right before it.
  numbers = var.canary_slots + 1

  colliding = distinct(flatten([
    for one, priority in local.priorities : [
      for other, another in local.priorities : join(" and ", sort([one, other]))
      if one != other && abs(priority - another) < local.numbers
    ]
  ]))
}

module "service" {
  source   = "../../modules/lambda-blue-green"
  for_each = var.lambda_config

  name            = each.key
  family          = each.value.family
  blue_image      = each.value.blue_image
  green_image     = each.value.green_image
  active_color    = each.value.active_color
  activate_canary = each.value.activate_canary
  green_weight    = each.value.green_weight

  # Both colours alike; give each its own where a release changes it (../README.md).
  blue_config  = local.configurations[each.key]
  green_config = local.configurations[each.key]

  hostnames               = each.value.hostnames
  paths                   = each.value.paths
  priority                = local.priorities[each.key]
  canary_slots            = var.canary_slots
  canary_source_ips       = var.canary_source_ips
  stickiness_seconds      = each.value.stickiness_seconds
  log_retention_days      = each.value.log_retention_days
  provisioned_concurrency = each.value.provisioned_concurrency
  listener_arn            = aws_lb_listener.https.arn
  role_rights             = "least"
  tags                    = var.tags
}

locals {
  configurations = {
    for name, service in var.lambda_config : name => {
      memory_size        = service.memory_size
      timeout            = service.timeout
      environment        = service.environment
      subnet_ids         = aws_subnet.public[*].id
      security_group_ids = [aws_security_group.functions.id]
    }
  }
}
