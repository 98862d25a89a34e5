# confsync in one project and region, for one tenant. docs/deploying.md says how to apply it.

provider "google" {
  project = var.project_id
  region  = var.region

  default_labels = { app = var.name }
}

data "google_project" "main" {
  project_id = var.project_id
}

locals {
  names = {
    receiver = "${var.name}-receive-notification"
    worker   = "${var.name}-sync-calendar"
    renewal  = "${var.name}-renew-channels"
  }

  # Cloud Run's deterministic URLs. They are known before the services exist, which the worker needs, since it makes
  # tasks for itself. https://docs.cloud.google.com/run/docs/triggering/https-request#deterministic
  url_suffix   = "${data.google_project.main.number}.${var.region}.run.app"
  worker_url   = "https://${local.names.worker}-${local.url_suffix}"
  receiver_url = coalesce(var.receiver.url, local.balanced_url, "https://${local.names.receiver}-${local.url_suffix}")
  balanced_url = var.load_balancer == null ? null : "https://${var.load_balancer.host}"

  packages_folder = coalesce(var.packages_folder, "${path.module}/../dist")
}
