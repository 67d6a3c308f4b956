# The load balancer and its listener belong to somebody else: they are looked up, never changed.

locals {
  # Asks for the other three rather than for listener_arn, which may be unknown until the apply.
  look_up_listener = var.load_balancer_arn != null || var.load_balancer_name != null || length(var.load_balancer_tags) > 0
  listener_arn     = coalesce(var.listener_arn, one(data.aws_lb_listener.this[*].arn))
}

data "aws_lb" "this" {
  count = local.look_up_listener ? 1 : 0

  arn  = var.load_balancer_arn
  name = var.load_balancer_name
  tags = length(var.load_balancer_tags) > 0 ? var.load_balancer_tags : null
}

data "aws_lb_listener" "this" {
  count = local.look_up_listener ? 1 : 0

  load_balancer_arn = data.aws_lb.this[0].arn
  port              = var.listener_port
}
