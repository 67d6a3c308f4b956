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

    # What one colour has of its own.
    blue_config = optional(object({
      memory_size        = optional(number)
      timeout            = optional(number)
      environment        = optional(map(string), {})
      subnet_ids         = optional(list(string), [])
      security_group_ids = optional(list(string), [])
    }), {})
    green_config = optional(object({
      memory_size        = optional(number)
      timeout            = optional(number)
      environment        = optional(map(string), {})
      subnet_ids         = optional(list(string), [])
      security_group_ids = optional(list(string), [])
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
    condition = 2 * length(var.lambda_config) == length(distinct(flatten([
      for service in var.lambda_config : [service.priority, service.priority - 1]
    ])))
    error_message = "Each service has two rules, at priority and at priority - 1, and two services have the same one. Write priorities that are two apart: ${join(", ", [
      for index, name in sort(keys(var.lambda_config)) : "${name} ${200 + 2 * index}"
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
