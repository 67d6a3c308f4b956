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
  description = "Whether canary_source_ips, and requests with canary_header, are sent to the candidate, whatever the weight."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.activate_canary || length(var.canary_source_ips) > 0 || var.canary_header != null
    error_message = "activate_canary = true needs somebody to send to the candidate: write their addresses in canary_source_ips, e.g. [\"203.0.113.7/32\"], or a canary_header that they send."
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
    # Calls at a time that are kept for this function, and that it never exceeds; -1: none.
    reserved_concurrency = optional(number, -1)
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
    # Calls at a time that are kept for this function, and that it never exceeds; -1: none.
    reserved_concurrency = optional(number, -1)
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
