# The load balancer. A request that is no service's gets a 404; one by HTTP is sent to HTTPS.

resource "aws_lb" "this" {
  name                       = "${var.main_asset}-alb"
  load_balancer_type         = "application"
  subnets                    = aws_subnet.public[*].id
  security_groups            = [aws_security_group.load_balancer.id]
  drop_invalid_header_fields = true
  tags                       = var.tags

  # Without the gateway's route nobody would reach it.
  depends_on = [aws_route.internet, aws_route_table_association.public]

  lifecycle {
    precondition {
      condition     = length(local.colliding) == 0
      error_message = "Two services would have rules of the same priority: ${join(", ", local.colliding)}. Write a priority of its own for one of them, ${local.numbers} apart from the others."
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  tags              = var.tags

  default_action {
    type = "fixed-response"

    fixed_response {
      content_type = "text/plain"
      message_body = "There is nothing here."
      status_code  = "404"
    }
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  tags              = var.tags

  default_action {
    type = "redirect"

    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}
