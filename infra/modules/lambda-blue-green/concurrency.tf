# Instances that are kept ready. They belong to the alias, whose name never changes: when a rotation moves the alias to
# another version, Lambda prepares instances of that one by itself, and nothing here changes or has to be waited for.

resource "aws_lambda_provisioned_concurrency_config" "blue" {
  count = var.provisioned_concurrency > 0 ? 1 : 0

  function_name                     = aws_lambda_function.blue.function_name
  qualifier                         = aws_lambda_alias.blue.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}

resource "aws_lambda_provisioned_concurrency_config" "green" {
  count = var.provisioned_concurrency > 0 ? 1 : 0

  function_name                     = aws_lambda_function.green.function_name
  qualifier                         = aws_lambda_alias.green.name
  provisioned_concurrent_executions = var.provisioned_concurrency
}
