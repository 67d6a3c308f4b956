output "traffic_rule_arn" {
  description = "The rule that divides the users' traffic."
  value       = aws_lb_listener_rule.traffic.arn
}

output "canary_rule_arn" {
  description = "The rule that sends the canary addresses to the candidate."
  value       = aws_lb_listener_rule.canary.arn
}

output "canary_rule_arns" {
  description = "The rules of all slots for canary addresses, in the slots' order; the first one is canary_rule_arn."
  value = concat([aws_lb_listener_rule.canary.arn], [
    for slot in range(2, var.canary_slots + 1) : aws_lb_listener_rule.canary_slot[tostring(slot)].arn
  ])
}

output "header_rule_arn" {
  description = "The rule that sends requests with canary_header to the candidate; null without one."
  value       = one(aws_lb_listener_rule.header[*].arn)
}

output "blue_target_group_arn" {
  description = "Blue's target group."
  value       = aws_lb_target_group.blue.arn
}

output "green_target_group_arn" {
  description = "Green's target group."
  value       = aws_lb_target_group.green.arn
}

output "blue_target_group_name" {
  description = "Blue's target group, by name."
  value       = aws_lb_target_group.blue.name
}

output "green_target_group_name" {
  description = "Green's target group, by name."
  value       = aws_lb_target_group.green.name
}

output "target_group_arn_suffixes" {
  description = "What CloudWatch calls the target groups: the dimension TargetGroup of their metrics."
  value       = { blue = aws_lb_target_group.blue.arn_suffix, green = aws_lb_target_group.green.arn_suffix }
}

output "blue_function_name" {
  description = "Blue's function."
  value       = aws_lambda_function.blue.function_name
}

output "green_function_name" {
  description = "Green's function."
  value       = aws_lambda_function.green.function_name
}

output "blue_function_arn" {
  description = "Blue's function, without a version."
  value       = aws_lambda_function.blue.arn
}

output "green_function_arn" {
  description = "Green's function, without a version."
  value       = aws_lambda_function.green.arn
}

output "alias_name" {
  description = "The alias's name, the same on both functions."
  value       = aws_lambda_alias.blue.name
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

output "priorities" {
  description = "The priorities that the rules have on the listener, from the first to be looked at to the last."
  value       = range(var.priority - var.canary_slots - (var.canary_header == null ? 0 : 1), var.priority + 1)
}

output "role_arn" {
  description = "The functions' execution role, given or made here."
  value       = local.role_arn
}

output "log_group_names" {
  description = "The functions' log groups, whether they are managed here or Lambda's."
  value       = local.log_group_names
}
