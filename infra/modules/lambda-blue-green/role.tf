# The one thing here with a count. A release never touches it.

locals {
  role_arn = coalesce(var.role_arn, one(aws_iam_role.this[*].arn))
}

data "aws_partition" "current" {}

resource "aws_iam_role" "this" {
  count = var.role_arn == null ? 1 : 0

  name = coalesce(var.names.role, "lambda_exec_${var.name}")
  tags = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy_attachment" "vpc_access" {
  count = var.role_arn == null ? 1 : 0

  role       = aws_iam_role.this[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}
