# --- What the rules match, and where they stand -----------------------------------------------------------------

locals {
  # Three values in a condition, five in a rule:
  # https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
  values_in_condition = 3
  values_in_rule      = 5

  hosts           = distinct(var.hostnames)
  paths           = length(var.paths) > 0 ? distinct(var.paths) : length(var.hostnames) > 0 ? [] : ["/*"]
  service_values  = length(local.hosts) + length(local.paths)
  room_for_canary = max(1, min(local.values_in_condition, local.values_in_rule - local.service_values))
}

variable "hostnames" {
  description = "The hosts whose requests are the service's; * and ? are wildcards. None, and no paths: all requests (path /*)."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(distinct(var.hostnames)) <= 3
    error_message = "A load balancer's condition takes at most three values, and hostnames has ${length(distinct(var.hostnames))}. Write a wildcard such as *.example.com."
  }

  validation {
    condition     = alltrue([for host in var.hostnames : can(regex("^[A-Za-z0-9*?.-]{1,128}$", host))])
    error_message = "hostnames: not a host that a load balancer compares with: ${join(", ", [for host in var.hostnames : host if !can(regex("^[A-Za-z0-9*?.-]{1,128}$", host))])}. Write letters, digits, hyphens and dots, * and ? as wildcards, in at most 128 characters."
  }
}

variable "paths" {
  description = "The paths whose requests are the service's, as /api/*; * and ? are wildcards. With hostnames, a request needs one of both. None: all paths."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for path in var.paths : can(regex("^/[A-Za-z0-9_.$/~\"'@:+&*?-]{0,127}$", path))])
    error_message = "paths: not a path that a load balancer compares with: ${join(", ", [for path in var.paths : path if !can(regex("^/[A-Za-z0-9_.$/~\"'@:+&*?-]{0,127}$", path))])}. Begin with /, and write letters, digits and _-.$/~\"'@:+& with * and ? as wildcards, in at most 128 characters."
  }

  validation {
    condition     = length(distinct(var.paths)) <= 3
    error_message = "A load balancer's condition takes at most three values, and paths has ${length(distinct(var.paths))}. Write a wildcard such as /api/*."
  }

  validation {
    # The address that nobody has needs one of the five; in the header's rule the header needs another.
    condition     = length(distinct(var.hostnames)) + length(distinct(var.paths)) <= (var.canary_header == null ? 4 : 3)
    error_message = "hostnames and paths have ${length(distinct(var.hostnames)) + length(distinct(var.paths))} values together, and there is room for ${var.canary_header == null ? 4 : 3}: a load balancer's rule takes five, and the canary's source address${var.canary_header == null ? " needs one" : " and header need two"} of them. Write a wildcard."
  }
}

variable "priority" {
  description = "Priority of the traffic rule on the listener. The numbers right before it are the canary's: priority - 1 for the canary rule, one more for each further slot, and one more for the header's rule."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.priority <= 50000 && floor(var.priority) == var.priority && var.priority - var.canary_slots - (var.canary_header == null ? 0 : 1) >= 1
    error_message = "priority = ${var.priority}: write a whole number from ${1 + var.canary_slots + (var.canary_header == null ? 0 : 1)} to 50000. The numbers before it must be free too: the canary has ${var.canary_slots + (var.canary_header == null ? 0 : 1)} of them."
  }
}

variable "canary_slots" {
  description = "How many rules for canary addresses there are, each with room for a few (README.md). Fixed when the service is set up: a release creates no rule."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.canary_slots >= 1 && var.canary_slots <= 10 && floor(var.canary_slots) == var.canary_slots
    error_message = "canary_slots = ${var.canary_slots}: write a whole number from 1 to 10."
  }
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
    condition     = length(distinct(var.canary_source_ips)) <= local.room_for_canary * var.canary_slots
    error_message = "canary_source_ips has ${length(distinct(var.canary_source_ips))} blocks, and there is room for ${local.room_for_canary * var.canary_slots}: a load balancer's rule takes five values in all and three in one condition, the hosts and paths need ${local.service_values}, and canary_slots is ${var.canary_slots}. Write a wider block, fewer hostnames with a wildcard, or more slots."
  }
}

variable "canary_header" {
  description = "A header that sends a request to the candidate while activate_canary is true, for testers whose addresses a proxy or CDN hides. The value is a secret that the testers share. It is not marked as sensitive, since Terraform would then hide all conditions of the rule in every plan; Bluegreen masks the value."
  type = object({
    name  = string
    value = string
  })
  default = null

  validation {
    condition     = var.canary_header == null || can(regex("^[0-9A-Za-z_!#$%&'+.^`|~-]{1,40}$", try(var.canary_header.name, "")))
    error_message = "canary_header: the name can't be a header's. Write 1 to 40 letters, digits and hyphens, e.g. X-Canary."
  }

  validation {
    condition     = !contains(["host", "cookie"], lower(try(var.canary_header.name, "")))
    error_message = "canary_header: Host and Cookie are every client's own. Write a header of the canary's, e.g. X-Canary."
  }

  validation {
    condition     = var.canary_header == null || can(regex("^[A-Za-z0-9_.~+/=-]{16,128}$", try(var.canary_header.value, "")))
    error_message = "canary_header: the value must be one that nobody guesses. Write 16 to 128 letters, digits and _.~+/=- (a load balancer takes * and ? as wildcards, and doesn't heed case)."
  }
}

variable "stickiness_seconds" {
  description = "How long a user stays on the version that answered first (a cookie, AWSALBTG), at weights 1 to 99. Off at 0 and 100 whatever it says, so that a rollback and a promotion reach everyone. 0: off."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.stickiness_seconds >= 0 && var.stickiness_seconds <= 604800 && floor(var.stickiness_seconds) == var.stickiness_seconds
    error_message = "stickiness_seconds = ${var.stickiness_seconds}: write a whole number of seconds up to 604800 (seven days), or 0 for none."
  }
}
