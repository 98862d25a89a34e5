resource "google_cloud_scheduler_job" "renewal" {
  name             = local.names.renewal
  region           = var.region
  description      = "Renews channels and starts whatever is overdue."
  schedule         = "* * * * *"
  time_zone        = "Etc/UTC"
  attempt_deadline = "${var.task_timeout_seconds}s"

  # Not repeated: the next run comes within a minute.
  retry_config {
    retry_count = 0
  }

  http_target {
    http_method = "POST"
    uri         = module.renewal.uri

    oidc_token {
      service_account_email = google_service_account.invoker.email
      audience              = module.renewal.uri
    }
  }

  # Without it the first runs would be refused.
  depends_on = [module.renewal]
}
