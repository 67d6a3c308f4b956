output "address" {
  description = "The load balancer's name in DNS: what your hosts' CNAME or alias records lead to."
  value       = aws_lb.this.dns_name
}

output "listener_arn" {
  description = "The HTTPS listener: what Bluegreen asks for when you add a service of yours."
  value       = aws_lb_listener.https.arn
}

output "priorities" {
  description = "The priority of each service's traffic rule; the numbers right before it are the canary's."
  value       = local.priorities
}

output "services" {
  description = "What was made, by service: rules, target groups, functions, published versions, weights."
  value       = module.service
}
