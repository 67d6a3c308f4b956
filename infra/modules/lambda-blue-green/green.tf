# Green, complete. blue.tf is the same for blue, but for the order at its function.

resource "aws_lambda_function" "green" {
  function_name = local.function_names.green
  role          = local.role_arn
  package_type  = "Image"
  image_uri     = var.green_image
  publish       = true
  memory_size   = var.green_config.memory_size
  timeout       = var.green_config.timeout
  architectures = var.green_config.architectures
  tags          = var.tags

  reserved_concurrent_executions = var.green_config.reserved_concurrency

  ephemeral_storage {
    size = var.green_config.ephemeral_storage
  }

  tracing_config {
    mode = var.green_config.tracing_mode
  }

  dynamic "environment" {
    for_each = length(var.green_config.environment) > 0 ? [var.green_config.environment] : []
    content {
      variables = environment.value
    }
  }

  dynamic "vpc_config" {
    for_each = length(var.green_config.subnet_ids) > 0 ? [var.green_config] : []
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  dynamic "image_config" {
    for_each = var.green_config.image_config != null ? [var.green_config.image_config] : []
    content {
      command           = image_config.value.command
      entry_point       = image_config.value.entry_point
      working_directory = image_config.value.working_directory
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.config_problems.green) == 0
      error_message = "green_config: ${join(" ", local.config_problems.green)}"
    }
  }

  # After the traffic rule, which takes green's traffic away before green changes (main.tf).
  depends_on = [
    aws_iam_role_policy_attachment.vpc_access, aws_iam_role_policy.least, aws_cloudwatch_log_group.green,
    aws_lb_listener_rule.traffic,
  ]
}

resource "aws_lambda_alias" "green" {
  name             = "live"
  function_name    = aws_lambda_function.green.function_name
  function_version = aws_lambda_function.green.version

  lifecycle {
    # A function that is replaced under the same name has lost its alias.
    replace_triggered_by = [aws_lambda_function.green.arn]
  }
}

resource "aws_lb_target_group" "green" {
  name        = coalesce(var.names.green_target_group, "${var.family}-green")
  target_type = "lambda"
  tags        = var.tags

  # No health_check block: any would switch health checks on, and each one is a paid invocation.
}

resource "aws_lambda_permission" "green" {
  statement_id   = coalesce(var.names.green_permission, "AllowALB-${var.name}-green")
  action         = "lambda:InvokeFunction"
  principal      = "elasticloadbalancing.amazonaws.com"
  function_name  = aws_lambda_function.green.function_name
  qualifier      = aws_lambda_alias.green.name
  source_arn     = aws_lb_target_group.green.arn
  source_account = data.aws_caller_identity.current.account_id

  lifecycle {
    # A function that is replaced under the same name has lost its permission, and no plan says so
    # (terraform-provider-aws #46632).
    replace_triggered_by = [aws_lambda_function.green.arn]
  }
}

resource "aws_lb_target_group_attachment" "green" {
  target_group_arn = aws_lb_target_group.green.arn
  target_id        = aws_lambda_alias.green.arn

  # The load balancer refuses a function that it may not call.
  depends_on = [aws_lambda_permission.green]
}
