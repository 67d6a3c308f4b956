# --- The service itself -------------------------------------------------------------------------------------------

variable "name" {
  description = "The service's name: its functions are called <name>-blue and <name>-green."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,52}$", var.name))
    error_message = "name = \"${var.name}\" can't be used in the names of functions and role. Write 1 to 52 letters, digits, hyphens and underscores (the role lambda_exec_<name> has at most 64 characters)."
  }
}

# --- Where the listener is found: exactly one of these four ------------------------------------------------------

variable "listener_arn" {
  description = "The listener, by its ARN. This one may be a resource made in the same apply."
  type        = string
  default     = null

  validation {
    condition = 1 == length([for given in [
      var.listener_arn != null, var.load_balancer_arn != null, var.load_balancer_name != null, length(var.load_balancer_tags) > 0
    ] : given if given])
    error_message = "Say in exactly one way where the listener is found: listener_arn, load_balancer_arn, load_balancer_name or load_balancer_tags (the last three with listener_port)."
  }
}

variable "load_balancer_arn" {
  description = "The load balancer, by its ARN; listener_port says which of its listeners."
  type        = string
  default     = null
}

variable "load_balancer_name" {
  description = "The load balancer, by its name; listener_port says which of its listeners."
  type        = string
  default     = null
}

variable "load_balancer_tags" {
  description = "The load balancer, by tags that no other one in the region has; listener_port says which of its listeners."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "listener_port" {
  description = "The listener's port on the load balancer. Not used with listener_arn."
  type        = number
  default     = 443
  nullable    = false

  validation {
    condition     = var.listener_port >= 1 && var.listener_port <= 65535 && floor(var.listener_port) == var.listener_port
    error_message = "listener_port = ${var.listener_port}: write the port of a listener that the load balancer has, usually 443."
  }
}

# --- Less often --------------------------------------------------------------------------------------------------

variable "role_arn" {
  description = "The functions' execution role. Null: one is made, lambda_exec_<name>. Its value must be known when planning: for a role made in the same apply, write its ARN out."
  type        = string
  default     = null
}

variable "role_rights" {
  description = "What the role made here may do. \"managed\": AWS's own policy for functions in a VPC, which stacks have that exist. \"least\": write these two functions' logs and traces, and have Lambda, but not the functions' code, manage their network interfaces."
  type        = string
  default     = "managed"
  nullable    = false

  validation {
    condition     = contains(["managed", "least"], var.role_rights)
    error_message = "role_rights = \"${var.role_rights}\": write \"least\" for a new service, \"managed\" for one that has AWS's policy."
  }
}

variable "role_permissions_boundary" {
  description = "The ARN of a policy that bounds what the role made here may do, where an account demands one."
  type        = string
  default     = null

  validation {
    condition     = var.role_permissions_boundary == null || can(regex("^arn:[a-z-]+:iam::([0-9]{12}|aws):policy/.+$", var.role_permissions_boundary))
    error_message = "role_permissions_boundary must be the ARN of a policy, as arn:aws:iam::123456789012:policy/boundary."
  }

  validation {
    condition     = var.role_permissions_boundary == null || var.role_arn == null
    error_message = "role_permissions_boundary is for the role that is made here, and role_arn gives another one. Leave one of them out."
  }
}

variable "log_retention_days" {
  description = "How long the functions' logs are kept. Null: the log groups are Lambda's, which keeps them for ever. Groups that exist already have to be imported first (README.md)."
  type        = number
  default     = null

  validation {
    condition     = var.log_retention_days == null || contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], coalesce(var.log_retention_days, 0))
    error_message = "log_retention_days: CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days. Write one of these, or null for ever."
  }
}

variable "provisioned_concurrency" {
  description = "How many instances of each colour are kept ready, at any time: it costs money on both sides. 0: none."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.provisioned_concurrency >= 0 && floor(var.provisioned_concurrency) == var.provisioned_concurrency
    error_message = "provisioned_concurrency = ${var.provisioned_concurrency}: write a whole number, or 0 for none."
  }
}

variable "names" {
  description = "Names that differ from the usual ones, for a stack that has others already."
  type = object({
    blue_function      = optional(string)
    green_function     = optional(string)
    blue_target_group  = optional(string)
    green_target_group = optional(string)
    blue_permission    = optional(string)
    green_permission   = optional(string)
    role               = optional(string)
  })
  default  = {}
  nullable = false
}

variable "tags" {
  description = "Tags for everything that is made here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:")])
    error_message = "tags: names that begin with aws: are AWS's own. Write others."
  }
}
