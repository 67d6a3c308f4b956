output "services" {
  description = "What was made, by service: rules, target groups, functions, published versions, weights."
  value       = module.service
}
