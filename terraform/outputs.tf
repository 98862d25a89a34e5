output "receiver_url" {
  description = "Where Calendar sends notifications; the only public address."
  value       = module.worker.function.service_config[0].environment_variables["NOTIFICATION_URL"]
}

output "load_balancer_address" {
  description = "What the A record of the host has to be, before the certificate is made and notifications arrive. Null without a load balancer."
  value       = one(module.load_balancer[*].address)
}

output "worker_url" {
  description = "Where the add-on calls POST /initialize, with an identity token whose audience is this."
  value       = module.receiver.function.service_config[0].environment_variables["SYNC_CALENDAR_URL"]
}

output "function_uris" {
  description = "What Google calls the functions."
  value = {
    receive_notification = module.receiver.uri
    sync_calendar        = module.worker.uri
    renew_channels       = module.renewal.uri
  }
}

output "accounts" {
  description = "The service accounts, by what they are for."
  value = merge(
    {
      receiver = module.receiver.account.email
      worker   = module.worker.account.email
      renewal  = module.renewal.account.email
      invoker  = google_service_account.invoker.email
      build    = google_service_account.build.email
    },
    { for delegate in google_service_account.delegate : "delegate" => delegate.email },
    { for name, account in try(module.deployment[0].accounts, {}) : name => account.email },
  )
}

output "delegation" {
  description = "What the administrator of the domain enters: Admin console, Security, API controls, Domain-wide delegation, Add new. Null without delegation."
  value = one([
    for delegate in google_service_account.delegate :
    { client_id = delegate.unique_id, scopes = "https://www.googleapis.com/auth/calendar.events" }
  ])
}

output "queues" {
  description = "The task queues, by what is in them."
  value       = { for name, queue in google_cloud_tasks_queue.main : name => queue.id }
}

output "database" {
  description = "STORE, for the commands of confsync."
  value       = module.worker.function.service_config[0].environment_variables["STORE"]
}

output "secrets" {
  description = "The secrets, by what is in them."
  value       = { for name, secret in google_secret_manager_secret.main : name => secret.id }
}

output "next_command" {
  description = "Registers a first calendar, once the administrator has authorised the client id. Who types it needs roles/iam.serviceAccountTokenCreator on the invoker."
  value       = <<-EOT
    curl --fail-with-body -X POST ${local.worker_url}/initialize -H "Content-Type: application/json" \
      -H "Authorization: Bearer $(gcloud auth print-identity-token --impersonate-service-account=${google_service_account.invoker.email} --include-email --audiences=${local.worker_url})" \
      -d '{"calendar_id": "CALENDAR", "subject": "USER@YOUR-DOMAIN"}'
  EOT
}
