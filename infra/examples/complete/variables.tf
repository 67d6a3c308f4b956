variable "main_asset" {
  description = "What the load balancer's name begins with: <main_asset>-alb."
  type        = string
  default     = "web"
  nullable    = false
}

variable "asset_name" {
  description = "What the names of the network's parts begin with: <asset_name>-vpc, …"
  type        = string
  default     = "web"
  nullable    = false
}

variable "certificate_arn" {
  description = "The certificate of the HTTPS listener, in ACM and in this region. It has to be issued already."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:[a-z-]+:(acm|iam):", var.certificate_arn))
    error_message = "certificate_arn = \"${var.certificate_arn}\" isn't a certificate's ARN. Request one in ACM for your hosts, wait until it is issued, and write arn:aws:acm:<region>:<account>:certificate/<id>."
  }
}

variable "vpc_cidr" {
  description = "The network's addresses. Its two subnets have a sixteenth each."
  type        = string
  default     = "10.20.0.0/16"
  nullable    = false

  validation {
    condition     = can(cidrsubnet(var.vpc_cidr, 4, 1)) && try(cidrsubnet(var.vpc_cidr, 0, 0) == var.vpc_cidr, false)
    error_message = "vpc_cidr = \"${var.vpc_cidr}\": write a network by its first address, from /16 to /24, as 10.20.0.0/16."
  }
}

variable "canary_source_ips" {
  description = "The testers' addresses as CIDR blocks, the same for all services."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "canary_slots" {
  description = "How many rules each service has for the testers' addresses."
  type        = number
  default     = 1
  nullable    = false
}

variable "tags" {
  description = "Tags for everything that is made."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "lambda_config" {
  description = "Your services: each key is a service's name."
  type = map(object({
    family          = string
    blue_image      = string
    green_image     = string
    active_color    = optional(string, "blue")
    activate_canary = optional(bool, false)
    green_weight    = optional(number, 0)
    hostnames       = list(string)
    paths           = optional(list(string), [])
    priority        = optional(number)

    memory_size             = optional(number, 128)
    timeout                 = optional(number, 30)
    environment             = optional(map(string), {})
    stickiness_seconds      = optional(number, 0)
    log_retention_days      = optional(number, 30)
    provisioned_concurrency = optional(number, 0)
  }))
  nullable = false

  validation {
    condition     = length(distinct([for service in var.lambda_config : service.family])) == length(var.lambda_config)
    error_message = "Two services have the same family, and so would have the same target groups. Write a family of its own for each."
  }

  validation {
    # 100 target groups on a load balancer, a quota that AWS doesn't raise.
    condition     = length(var.lambda_config) <= 50
    error_message = "A load balancer has room for 50 services, and these are ${length(var.lambda_config)}. Make another load balancer for the rest."
  }
}
