# Blue, complete. green.tf is the same for green, but for the order at its function.

resource "aws_lambda_function" "blue" {
  function_name = local.function_names.blue
  role          = local.role_arn
  package_type  = "Image"
  image_uri     = var.blue_image
  publish       = true
  memory_size   = var.blue_config.memory_size
  timeout       = var.blue_config.timeout
  architectures = var.blue_config.architectures
  tags          = var.tags

  reserved_concurrent_executions = var.blue_config.reserved_concurrency

  ephemeral_storage {
    size = var.blue_config.ephemeral_storage
  }

  tracing_config {
    mode = var.blue_config.tracing_mode
  }

  dynamic "environment" {
    for_each = length(var.blue_config.environment) > 0 ? [var.blue_config.environment] : []
    content {
      variables = environment.value
    }
  }

  dynamic "vpc_config" {
    for_each = length(var.blue_config.subnet_ids) > 0 ? [var.blue_config] : []
    content {
      subnet_ids         = vpc_config.value.subnet_ids
      security_group_ids = vpc_config.value.security_group_ids
    }
  }

  dynamic "image_config" {
    for_each = var.blue_config.image_config != null ? [var.blue_config.image_config] : []
    content {
      command           = image_config.value.command
      entry_point       = image_config.value.entry_point
      working_directory = image_config.value.working_directory
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.config_problems.blue) == 0
      error_message = "blue_config: ${join(" ", local.config_problems.blue)}"
    }
  }

  depends_on = [
    aws_iam_role_policy_attachment.vpc_access, aws_iam_role_policy.least, aws_cloudwatch_log_group.blue,
  ]
}

resource "aws_lambda_alias" "blue" {
  name             = "live"
  function_name    = aws_lambda_function.blue.function_name
  function_version = aws_lambda_function.blue.version

  lifecycle {
    # A function that is replaced under the same name has lost its alias.
    replace_triggered_by = [aws_lambda_function.blue.arn]
  }
}

resource "aws_lb_target_group" "blue" {
  name        = coalesce(var.names.blue_target_group, "${var.family}-blue")
  target_type = "lambda"
  tags        = var.tags

  # No health_check block: any would switch health checks on, and each one is a paid invocation.
}

resource "aws_lambda_permission" "blue" {
  statement_id   = coalesce(var.names.blue_permission, "AllowALB-${var.name}-blue")
  action         = "lambda:InvokeFunction"
  principal      = "elasticloadbalancing.amazonaws.com"
  function_name  = aws_lambda_function.blue.function_name
  qualifier      = aws_lambda_alias.blue.name
  source_arn     = aws_lb_target_group.blue.arn
  source_account = data.aws_caller_identity.current.account_id

  lifecycle {
    # A function that is replaced under the same name has lost its permission, and no plan says so
    # (terraform-provider-aws #46632).
    replace_triggered_by = [aws_lambda_function.blue.arn]
  }
}

resource "aws_lb_target_group_attachment" "blue" {
  target_group_arn = aws_lb_target_group.blue.arn
  target_id        = aws_lambda_alias.blue.arn

  # The load balancer refuses a function that it may not call.
  depends_on = [aws_lambda_permission.blue]
}
