# What can't work in a colour's configuration, in words, for both colours alike: the functions' preconditions refuse it.

locals {
  # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
  names_of_lambda = [
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
  ]

  # Limits: https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
  config_problems = {
    for color, config in { blue = var.blue_config, green = var.green_config } : color => [
      for problem, found in {
        "memory_size must be a whole number from 128 to 10240 (MB)." = (
          config.memory_size < 128 || config.memory_size > 10240 || floor(config.memory_size) != config.memory_size
        )
        "timeout must be a whole number from 1 to 900 (seconds)." = (
          config.timeout < 1 || config.timeout > 900 || floor(config.timeout) != config.timeout
        )
        "ephemeral_storage must be a whole number from 512 to 10240 (MB)." = (
          config.ephemeral_storage < 512 || config.ephemeral_storage > 10240 ||
          floor(config.ephemeral_storage) != config.ephemeral_storage
        )
        "architectures must be [\"x86_64\"] or [\"arm64\"]." = (
          !contains(["x86_64", "arm64"], join(" ", config.architectures))
        )
        "tracing_mode must be \"PassThrough\" or \"Active\"." = !contains(["PassThrough", "Active"], config.tracing_mode)
        "environment has a name that Lambda doesn't take: at least two letters, digits and underscores, the first one a letter." = (
          !alltrue([for name in keys(config.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", name))])
        )
        "environment sets a variable that Lambda sets itself." = anytrue([
          for name in keys(config.environment) :
          contains(local.names_of_lambda, name) || startswith(name, "AWS_LAMBDA_")
        ])
        "reserved_concurrency must be at least 1, or -1 for none: with 0 the function would answer nobody." = (
          config.reserved_concurrency != -1 && config.reserved_concurrency < 1
        )
        "reserved_concurrency is less than provisioned_concurrency, which is a part of it." = (
          config.reserved_concurrency >= 1 && config.reserved_concurrency < var.provisioned_concurrency
        )
      } : problem if found
    ]
  }
}
