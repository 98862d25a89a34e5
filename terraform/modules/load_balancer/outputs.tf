output "address" {
  description = "IPv4 address that the host's A record names."
  value       = google_compute_global_address.main.address
}

output "endpoint_group" {
  description = "The service, as the load balancer sees it."
  value       = google_compute_region_network_endpoint_group.main
}

output "certificate" {
  description = "Its certificate."
  value       = google_compute_managed_ssl_certificate.main
}

output "forwarding_rule" {
  description = "Where it listens."
  value       = google_compute_global_forwarding_rule.main
}

output "security_policies" {
  description = "Its policies of Cloud Armor: one or none."
  value       = google_compute_security_policy.main
}
