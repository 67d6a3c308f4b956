# The users' rule. It always forwards to both groups, so that a release only ever changes weights, in place; so do the
# canary's rules (canary.tf).
#
# Within one apply the order is, for active_color = "blue":
#
#   blue's function, alias, target -> traffic rule -> green's function, alias, target -> canary rules
#
# so that the usual rotation (blue := green's image, green := the new image, weight 0) moves the users back to blue when
# blue has its new image, and changes green when nobody is sent there any more. Terraform's order can't depend on a
# variable: for active_color = "green" rotate in three applies (README.md).

locals {
  # On only while the users are divided: a sticky client's cookie goes before the weights, so that at 0 and 100 it would
  # keep the client from going where everyone goes.
  sticky = var.stickiness_seconds > 0 && var.green_weight > 0 && var.green_weight < 100
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

      # Off is no block: AWS doesn't keep the seconds of what is off, and each plan would set them again.
      dynamic "stickiness" {
        for_each = local.sticky ? [var.stickiness_seconds] : []
        content {
          enabled  = true
          duration = stickiness.value
        }
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

  depends_on = [aws_lambda_alias.blue, aws_lb_target_group_attachment.blue]
}
