# --- The six that a release is made of ---------------------------------------------------------------------------

variable "family" {
  description = "The service's base name: its target groups are called <family>-blue and <family>-green."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9][A-Za-z0-9-]{0,25}$", var.family)) && !startswith(var.family, "internal-")
    error_message = "family = \"${var.family}\" can't be the name of a target group. Write 1 to 26 letters, digits and hyphens (a target group's name has at most 32 characters, and -green needs six), not beginning with a hyphen or with \"internal-\"."
  }
}

locals {
  # By tag or by digest. Lambda runs images from ECR only.
  image_in_ecr = "^[0-9]{12}\\.dkr\\.ecr(-fips)?\\.[a-z0-9-]+\\.amazonaws\\.com(\\.cn)?/[a-z0-9._/-]+(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$"
}

variable "blue_image" {
  description = "What the blue function runs: an image in ECR, by tag or by digest. A digest is better: a tag that is pushed again is no change for Lambda."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.image_in_ecr, var.blue_image))
    error_message = "blue_image = \"${var.blue_image}\" isn't an image that Lambda can run. Write <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>, or @sha256:<digest> in place of the tag; push an image from elsewhere to ECR first."
  }
}

variable "green_image" {
  description = "What the green function runs, like blue_image. The same image as blue's is a good beginning."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(local.image_in_ecr, var.green_image))
    error_message = "green_image = \"${var.green_image}\" isn't an image that Lambda can run. Write <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>, or @sha256:<digest> in place of the tag; push an image from elsewhere to ECR first."
  }
}

variable "active_color" {
  description = "Which colour is stable. The other one holds the candidate, which the canary addresses are sent to."
  type        = string
  default     = "blue"
  nullable    = false

  validation {
    condition     = contains(["blue", "green"], var.active_color)
    error_message = "active_color = \"${var.active_color}\": write \"blue\" or \"green\", the colour that is stable."
  }
}

variable "activate_canary" {
  description = "Whether canary_source_ips are sent to the candidate, whatever the weight."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.activate_canary || length(var.canary_source_ips) > 0
    error_message = "activate_canary = true needs somebody to send to the candidate: write their addresses in canary_source_ips, e.g. [\"203.0.113.7/32\"]."
  }
}

variable "green_weight" {
  description = "Green's share of all users' traffic in percent, literally; blue has the rest."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.green_weight >= 0 && var.green_weight <= 100 && floor(var.green_weight) == var.green_weight
    error_message = "green_weight = ${var.green_weight}: write a whole number from 0 (everyone on blue) to 100 (everyone on green)."
  }
}

# --- What each colour runs its image with ------------------------------------------------------------------------
# Per colour, so that a changed configuration is tried on the candidate and undone by a rollback, like a changed image.

variable "blue_config" {
  description = "How the blue function runs its image."
  type = object({
    memory_size        = optional(number, 128)
    timeout            = optional(number, 30)
    environment        = optional(map(string), {})
    architectures      = optional(list(string), ["x86_64"])
    ephemeral_storage  = optional(number, 512)
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
    tracing_mode       = optional(string, "PassThrough")
    image_config = optional(object({
      command           = optional(list(string))
      entry_point       = optional(list(string))
      working_directory = optional(string)
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = (length(var.blue_config.subnet_ids) == 0) == (length(var.blue_config.security_group_ids) == 0)
    error_message = "blue_config: a function in a VPC needs both subnet_ids and security_group_ids; write both, or neither."
  }
}

variable "green_config" {
  description = "How the green function runs its image; the same fields as blue_config."
  type = object({
    memory_size        = optional(number, 128)
    timeout            = optional(number, 30)
    environment        = optional(map(string), {})
    architectures      = optional(list(string), ["x86_64"])
    ephemeral_storage  = optional(number, 512)
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
    tracing_mode       = optional(string, "PassThrough")
    image_config = optional(object({
      command           = optional(list(string))
      entry_point       = optional(list(string))
      working_directory = optional(string)
    }))
  })
  default  = {}
  nullable = false

  validation {
    condition     = (length(var.green_config.subnet_ids) == 0) == (length(var.green_config.security_group_ids) == 0)
    error_message = "green_config: a function in a VPC needs both subnet_ids and security_group_ids; write both, or neither."
  }
}

# --- The service's fixed settings --------------------------------------------------------------------------------

variable "name" {
  description = "The service's name: its functions are called <name>-blue and <name>-green."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,52}$", var.name))
    error_message = "name = \"${var.name}\" can't be used in the names of functions and role. Write 1 to 52 letters, digits, hyphens and underscores (the role lambda_exec_<name> has at most 64 characters)."
  }
}

variable "hostnames" {
  description = "The hosts whose requests are the service's; * and ? are wildcards. None: all requests (path /*)."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(distinct(var.hostnames)) <= 3
    error_message = "A load balancer's condition takes at most three values, and hostnames has ${length(distinct(var.hostnames))}. Write a wildcard such as *.example.com."
  }
}

variable "priority" {
  description = "Priority of the traffic rule on the listener; the canary rule has priority - 1."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.priority >= 2 && var.priority <= 50000 && floor(var.priority) == var.priority
    error_message = "priority = ${var.priority}: write a whole number from 2 to 50000. The number before it must be free too: the canary rule has it."
  }
}

locals {
  # Three values in a condition, five in a rule:
  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
  host_values     = max(1, length(distinct(var.hostnames)))
  room_for_canary = max(0, min(3, 5 - local.host_values))
}

variable "canary_source_ips" {
  description = "The addresses, as CIDR blocks, that are sent to the candidate while activate_canary is true. It is the connection's address that counts, not X-Forwarded-For."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.canary_source_ips : can(cidrsubnet(cidr, 0, 0)) && try(cidrsubnet(cidr, 0, 0) == cidr, false)])
    error_message = "canary_source_ips: not a CIDR block in its usual form: ${join(", ", [for cidr in var.canary_source_ips : cidr if try(cidrsubnet(cidr, 0, 0), "") != cidr])}. Write one address as 203.0.113.7/32 or 2001:db8::7/128, a network by its first address, as 203.0.113.0/24."
  }

  validation {
    condition     = alltrue([for cidr in var.canary_source_ips : !endswith(cidr, "/0")])
    error_message = "canary_source_ips: 0.0.0.0/0 and ::/0 are everyone, and a canary is for a few known addresses. To send a share of everyone to the candidate, change green_weight."
  }

  validation {
    condition     = length(distinct(var.canary_source_ips)) <= local.room_for_canary
    error_message = "canary_source_ips has ${length(distinct(var.canary_source_ips))} blocks, and there is room for ${local.room_for_canary}: a load balancer's rule takes five values in all and three in one condition, and the hosts (or the path) need ${local.host_values}. Write a wider block, or fewer hostnames with a wildcard."
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
  description = "The functions' execution role. Null: one is made, lambda_exec_<name>, that may write logs and work in a VPC. Its value must be known when planning: for a role made in the same apply, write its ARN out."
  type        = string
  default     = null
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
}
