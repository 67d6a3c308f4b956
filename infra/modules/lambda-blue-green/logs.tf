# The functions' log groups, where their retention is given. Else Lambda makes them with the first line of a log.

resource "aws_cloudwatch_log_group" "blue" {
  count = var.log_retention_days == null ? 0 : 1

  name              = local.log_group_names.blue
  retention_in_days = var.log_retention_days
  tags              = var.tags
}

resource "aws_cloudwatch_log_group" "green" {
  count = var.log_retention_days == null ? 0 : 1

  name              = local.log_group_names.green
  retention_in_days = var.log_retention_days
  tags              = var.tags
}
