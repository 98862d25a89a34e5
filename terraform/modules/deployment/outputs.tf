output "accounts" {
  description = "The accounts of Cloud Build, by what they do."
  value       = { deploy = google_service_account.deploy, check = google_service_account.check }
}

output "project_roles" {
  description = "Its roles on the project, by their name."
  value       = google_project_iam_member.deploys
}

output "acts_as" {
  description = "Its roles on accounts, by what these are for."
  value       = google_service_account_iam_member.acts_as
}

output "triggers" {
  description = "The triggers, by what they start."
  value = {
    plan          = google_cloudbuild_trigger.plan
    apply         = google_cloudbuild_trigger.apply
    pull_requests = google_cloudbuild_trigger.pull_requests
  }
}
