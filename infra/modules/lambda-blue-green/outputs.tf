output "traffic_rule_arn" {
  description = "The rule that divides the users' traffic."
  value       = aws_lb_listener_rule.traffic.arn
}

output "canary_rule_arn" {
  description = "The rule that sends the canary addresses to the candidate."
  value       = aws_lb_listener_rule.canary.arn
}

output "blue_target_group_arn" {
  description = "Blue's target group."
  value       = aws_lb_target_group.blue.arn
}

output "green_target_group_arn" {
  description = "Green's target group."
  value       = aws_lb_target_group.green.arn
}

output "blue_function_name" {
  description = "Blue's function."
  value       = aws_lambda_function.blue.function_name
}

output "green_function_name" {
  description = "Green's function."
  value       = aws_lambda_function.green.function_name
}

output "blue_alias_arn" {
  description = "The alias of blue that the load balancer calls."
  value       = aws_lambda_alias.blue.arn
}

output "green_alias_arn" {
  description = "The alias of green that the load balancer calls."
  value       = aws_lambda_alias.green.arn
}

output "blue_version" {
  description = "The published version that blue's alias points to."
  value       = aws_lambda_alias.blue.function_version
}

output "green_version" {
  description = "The published version that green's alias points to."
  value       = aws_lambda_alias.green.function_version
}

output "listener_arn" {
  description = "The listener that has the rules."
  value       = local.listener_arn
}

output "weights" {
  description = "Each colour's share of the users' traffic, in percent."
  value       = { blue = 100 - var.green_weight, green = var.green_weight }
}
