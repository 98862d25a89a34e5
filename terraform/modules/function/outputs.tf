output "function" {
  description = "The function."
  value       = google_cloudfunctions2_function.main
}

output "uri" {
  description = "Where it is called."
  value       = google_cloudfunctions2_function.main.service_config[0].uri
}

output "name" {
  description = "Its name, which is that of its Cloud Run service."
  value       = google_cloudfunctions2_function.main.name
}

output "account" {
  description = "The service account that it runs as."
  value       = google_service_account.main
}

output "package" {
  description = "The archive that it was built from."
  value       = google_storage_bucket_object.package
}

output "secret_readers" {
  description = "Its roles on secrets, by environment variable."
  value       = google_secret_manager_secret_iam_member.reader
}

output "invokers" {
  description = "Who may call it, by name."
  value       = google_cloud_run_v2_service_iam_member.invoker
}
