# The two rules. Both always forward to both groups, so that a release only ever changes weights and addresses, in place.
#
# Within one apply the order is, for active_color = "blue":
#
#   blue's function, alias, target -> traffic rule -> green's function, alias, target -> canary rule
#
# so that the usual rotation (blue := green's image, green := the new image, weight 0) moves the users back to blue when
# blue has its new image, and changes green when nobody is sent there any more. Terraform's order can't depend on a
# variable: for active_color = "green" rotate in two applies (README.md).

locals {
  candidate_is_green = var.active_color == "blue"

  # TEST-NET-1 (RFC 5737): an address that no client can have. The canary rule always exists; off means this.
  nobody            = ["192.0.2.1/32"]
  canary_source_ips = var.activate_canary ? var.canary_source_ips : local.nobody
}

data "aws_caller_identity" "current" {}

resource "aws_lb_listener_rule" "traffic" {
  listener_arn = local.listener_arn
  priority     = var.priority
  tags         = var.tags

  action {
    type = "forward"

    forward {
      target_group {
        arn    = aws_lb_target_group.blue.arn
        weight = 100 - var.green_weight
      }

      target_group {
        arn    = aws_lb_target_group.green.arn
        weight = var.green_weight
      }
    }
  }

  condition {
    dynamic "host_header" {
      for_each = length(var.hostnames) > 0 ? [var.hostnames] : []
      content {
        values = host_header.value
      }
    }

    dynamic "path_pattern" {
      for_each = length(var.hostnames) > 0 ? [] : ["/*"]
      content {
        values = [path_pattern.value]
      }
    }
  }

  depends_on = [aws_lambda_alias.blue, aws_lb_target_group_attachment.blue]
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
        weight = local.candidate_is_green ? 0 : 100
      }

      target_group {
        arn    = aws_lb_target_group.green.arn
        weight = local.candidate_is_green ? 100 : 0
      }
    }
  }

  condition {
    dynamic "host_header" {
      for_each = length(var.hostnames) > 0 ? [var.hostnames] : []
      content {
        values = host_header.value
      }
    }

    dynamic "path_pattern" {
      for_each = length(var.hostnames) > 0 ? [] : ["/*"]
      content {
        values = [path_pattern.value]
      }
    }
  }

  condition {
    source_ip {
      values = local.canary_source_ips
    }
  }

  depends_on = [aws_lambda_alias.green, aws_lb_target_group_attachment.green]
}
