# The canary's rules, before the users': whoever one of them matches is sent to the candidate. All of them exist always;
# while the canary is off they match an address that nobody has, so that switching it is an update in place.

locals {
  canary_weights = var.active_color == "blue" ? { blue = 0, green = 100 } : { blue = 100, green = 0 }

  # TEST-NET-1 (RFC 5737): an address that no client can have.
  nobody = ["192.0.2.1/32"]

  # The addresses laid out over the slots in their order; what is left over is nobody's.
  addresses_sent = var.activate_canary ? chunklist(distinct(var.canary_source_ips), local.room_for_canary) : []
  slot_addresses = [for slot in range(var.canary_slots) : try(local.addresses_sent[slot], local.nobody)]
}

resource "aws_lb_listener_rule" "canary" {
  listener_arn = local.listener_arn
  priority     = var.priority - 1
  tags         = var.tags

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.blue.arn
        weight = local.canary_weights.blue
      }

      target_group {
        arn    = aws_lb_target_group.green.arn
        weight = local.canary_weights.green
      }
    }
  }

  dynamic "condition" {
    for_each = length(local.hosts) > 0 ? [local.hosts] : []
    content {
      host_header {
        values = condition.value
      }
    }
  }

  dynamic "condition" {
    for_each = length(local.paths) > 0 ? [local.paths] : []
    content {
      path_pattern {
        values = condition.value
      }
    }
  }

  condition {
    source_ip {
      values = local.slot_addresses[0]
    }
  }

  depends_on = [aws_lambda_alias.green, aws_lb_target_group_attachment.green]
}

# The slots after the first, by their number from 2 on.
resource "aws_lb_listener_rule" "canary_slot" {
  for_each = toset([for slot in range(2, var.canary_slots + 1) : tostring(slot)])

  listener_arn = local.listener_arn
  priority     = var.priority - tonumber(each.key)
  tags         = var.tags

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.blue.arn
        weight = local.canary_weights.blue
      }

      target_group {
        arn    = aws_lb_target_group.green.arn
        weight = local.canary_weights.green
      }
    }
  }

  dynamic "condition" {
    for_each = length(local.hosts) > 0 ? [local.hosts] : []
    content {
      host_header {
        values = condition.value
      }
    }
  }

  dynamic "condition" {
    for_each = length(local.paths) > 0 ? [local.paths] : []
    content {
      path_pattern {
        values = condition.value
      }
    }
  }

  condition {
    source_ip {
      values = local.slot_addresses[tonumber(each.key) - 1]
    }
  }

  depends_on = [aws_lambda_alias.green, aws_lb_target_group_attachment.green]
}

resource "aws_lb_listener_rule" "header" {
  count = var.canary_header == null ? 0 : 1

  listener_arn = local.listener_arn
  priority     = var.priority - var.canary_slots - 1
  tags         = var.tags

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.blue.arn
        weight = local.canary_weights.blue
      }

      target_group {
        arn    = aws_lb_target_group.green.arn
        weight = local.canary_weights.green
      }
    }
  }

  dynamic "condition" {
    for_each = length(local.hosts) > 0 ? [local.hosts] : []
    content {
      host_header {
        values = condition.value
      }
    }
  }

  dynamic "condition" {
    for_each = length(local.paths) > 0 ? [local.paths] : []
    content {
      path_pattern {
        values = condition.value
      }
    }
  }

  condition {
    http_header {
      http_header_name = var.canary_header.name
      values           = [var.canary_header.value]
    }
  }

  dynamic "condition" {
    for_each = var.activate_canary ? [] : [local.nobody]
    content {
      source_ip {
        values = condition.value
      }
    }
  }

  depends_on = [aws_lambda_alias.green, aws_lb_target_group_attachment.green]
}
