module "service" {
  source   = "../modules/lambda-blue-green"
  for_each = var.lambda_config

  name            = each.key
  family          = each.value.family
  blue_image      = each.value.blue_image
  green_image     = each.value.green_image
  active_color    = each.value.active_color
  activate_canary = each.value.activate_canary
  green_weight    = each.value.green_weight

  blue_config = merge(each.value.blue_config, {
    memory_size = coalesce(each.value.blue_config.memory_size, each.value.memory_size)
    timeout     = coalesce(each.value.blue_config.timeout, each.value.timeout)
  })
  green_config = merge(each.value.green_config, {
    memory_size = coalesce(each.value.green_config.memory_size, each.value.memory_size)
    timeout     = coalesce(each.value.green_config.timeout, each.value.timeout)
  })

  hostnames          = each.value.hostnames
  paths              = each.value.paths
  priority           = each.value.priority
  stickiness_seconds = each.value.stickiness_seconds

  canary_source_ips = var.canary_source_ips
  canary_slots      = each.value.canary_slots
  canary_header     = var.canary_header

  load_balancer_name = var.load_balancer_name
  listener_port      = var.listener_port

  role_arn                  = each.value.role_arn
  role_rights               = each.value.role_rights
  role_permissions_boundary = each.value.role_permissions_boundary
  log_retention_days        = each.value.log_retention_days
  provisioned_concurrency   = each.value.provisioned_concurrency
  tags                      = merge(var.tags, each.value.tags)
}
