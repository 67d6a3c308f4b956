# The execution role. It may from the beginning what any configuration needs, traces and a VPC among it: a release that
# turns one of them on never has to change the role.

locals {
  role_arn  = coalesce(var.role_arn, one(aws_iam_role.this[*].arn))
  make_role = var.role_arn == null

  function_names = {
    blue  = coalesce(var.names.blue_function, "${var.name}-blue")
    green = coalesce(var.names.green_function, "${var.name}-green")
  }
  log_group_names = { for color, name in local.function_names : color => "/aws/lambda/${name}" }

  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html: Lambda itself makes a function's network interfaces,
  # with the rights of this role. None of these actions can be limited to a resource that is known beforehand.
  network_actions = [
    "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
  ]
}

data "aws_partition" "current" {}

data "aws_region" "current" {
  count = local.make_role && var.role_rights == "least" ? 1 : 0
}

resource "aws_iam_role" "this" {
  count = local.make_role ? 1 : 0

  name                 = coalesce(var.names.role, "lambda_exec_${var.name}")
  permissions_boundary = var.role_permissions_boundary
  tags                 = var.tags

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
  count = local.make_role && var.role_rights == "managed" ? 1 : 0

  role       = aws_iam_role.this[0].name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
}

resource "aws_iam_role_policy" "least" {
  count = local.make_role && var.role_rights == "least" ? 1 : 0

  name = "least"
  role = aws_iam_role.this[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "OwnLogs"
        Effect = "Allow"
        Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [
          for group in values(local.log_group_names) :
          "${local.arn_prefix.logs}:log-group:${group}:*"
        ]
      },
      {
        Sid      = "OwnTraces"
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = "*"
      },
      {
        Sid      = "NetworkByLambda"
        Effect   = "Allow"
        Action   = local.network_actions
        Resource = "*"
      },
      {
        Sid      = "NoNetworkByTheFunctionItself"
        Effect   = "Deny"
        Action   = local.network_actions
        Resource = "*"
        Condition = {
          ArnEquals = {
            "lambda:SourceFunctionArn" = [
              for name in values(local.function_names) : "${local.arn_prefix.lambda}:function:${name}"
            ]
          }
        }
      },
    ]
  })
}

locals {
  arn_prefix = {
    for service in ["lambda", "logs"] : service => join(":", [
      "arn", data.aws_partition.current.partition, service,
      coalesce(one(data.aws_region.current[*].name), "*"), data.aws_caller_identity.current.account_id,
    ])
  }
}
