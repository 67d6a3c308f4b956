variable "lambda_config" {
  description = "Your services: each key is a service's name."
  type = map(object({
    family          = string
    blue_image      = string
    green_image     = string
    active_color    = optional(string, "blue")
    activate_canary = optional(bool, false)
    green_weight    = optional(number, 0)
    priority        = optional(number, 200)
    hostnames       = optional(list(string), [])
    memory_size     = optional(number, 128)
    timeout         = optional(number, 30)
    promote_to_all  = optional(bool, false)

    # What the module has beyond that: ../modules/lambda-blue-green/README.md.
    paths                     = optional(list(string), [])
    stickiness_seconds        = optional(number, 0)
    canary_slots              = optional(number, 1)
    log_retention_days        = optional(number)
    provisioned_concurrency   = optional(number, 0)
    role_arn                  = optional(string)
    role_rights               = optional(string, "managed")
    role_permissions_boundary = optional(string)
    tags                      = optional(map(string), {})

    # What one colour has of its own.
    blue_config = optional(object({
      memory_size          = optional(number)
      timeout              = optional(number)
      environment          = optional(map(string), {})
      architectures        = optional(list(string), ["x86_64"])
      ephemeral_storage    = optional(number, 512)
      subnet_ids           = optional(list(string), [])
      security_group_ids   = optional(list(string), [])
      tracing_mode         = optional(string, "PassThrough")
      reserved_concurrency = optional(number, -1)
      image_config = optional(object({
        command           = optional(list(string))
        entry_point       = optional(list(string))
        working_directory = optional(string)
      }))
    }), {})
    green_config = optional(object({
      memory_size          = optional(number)
      timeout              = optional(number)
      environment          = optional(map(string), {})
      architectures        = optional(list(string), ["x86_64"])
      ephemeral_storage    = optional(number, 512)
      subnet_ids           = optional(list(string), [])
      security_group_ids   = optional(list(string), [])
      tracing_mode         = optional(string, "PassThrough")
      reserved_concurrency = optional(number, -1)
      image_config = optional(object({
        command           = optional(list(string))
        entry_point       = optional(list(string))
        working_directory = optional(string)
      }))
    }), {})
  }))
  nullable = false

  validation {
    condition = alltrue([for service in var.lambda_config : !service.promote_to_all])
    error_message = "promote_to_all is a second way of saying which weight everyone gets. Write instead, and leave it out: ${join("; ", [
      for name, service in var.lambda_config :
      "in ${name} green_weight = ${service.active_color == "blue" ? 100 : 0} and activate_canary = false" if service.promote_to_all
    ])}."
  }

  validation {
    # The numbers of the users' rule, of the canary's slots before it, and of its header before those.
    condition = length(distinct(flatten([
      for service in var.lambda_config :
      range(service.priority - service.canary_slots - (var.canary_header == null ? 0 : 1), service.priority + 1)
      ]))) == sum(concat([0], [
      for service in var.lambda_config : service.canary_slots + (var.canary_header == null ? 1 : 2)
    ]))
    error_message = "Two services' rules would have the same priority. Each service has its own one and the numbers right before it; write priorities that are further apart: ${join(", ", [
      for name, service in var.lambda_config :
      "${name} needs ${service.canary_slots + (var.canary_header == null ? 1 : 2)} numbers"
    ])}."
  }

  validation {
    condition     = length(distinct([for service in var.lambda_config : service.family])) == length(var.lambda_config)
    error_message = "Two services have the same family, and so would have the same target groups. Write a family of its own for each."
  }
}

variable "canary_source_ips" {
  description = "The testers' addresses as CIDR blocks, the same for all services. The default is the sandbox's \"you\"."
  type        = list(string)
  default     = ["127.0.0.9/32"]
}

variable "canary_header" {
  description = "A header with a secret value, by which testers behind a proxy or CDN are known, the same for all services."
  type = object({
    name  = string
    value = string
  })
  default = null
}

variable "load_balancer_name" {
  description = "The load balancer that your services stand behind. The default is the sandbox's."
  type        = string
  default     = "demo-alb"
}

variable "listener_port" {
  description = "The port of its listener: usually 443. The default is the sandbox's."
  type        = number
  default     = 80
}

variable "tags" {
  description = "Tags for everything that is made."
  type        = map(string)
  default     = {}
}
