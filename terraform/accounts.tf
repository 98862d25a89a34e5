# The accounts that are no function's own; those of the functions are in modules/function.

resource "google_service_account" "invoker" {
  account_id   = "${var.name}-invoker"
  display_name = "confsync invoker"
  description  = "In its name Cloud Tasks and Cloud Scheduler call the private functions."

  depends_on = [google_project_service.main]
}

# Whoever makes a task in the invoker's name has to be allowed to act as it.
resource "google_service_account_iam_member" "acts_as_invoker" {
  for_each = local.accounts

  service_account_id = google_service_account.invoker.name
  role               = "roles/iam.serviceAccountUser"
  member             = each.value
}

# Holds the domain-wide delegation and nothing else; it has no key. With it one may act for every user of the domain.
resource "google_service_account" "delegate" {
  count = var.sign_in == "delegated" ? 1 : 0

  account_id   = "${var.name}-delegate"
  display_name = "confsync delegate"
  description  = "Holds the domain-wide delegation for Calendar; signed for by IAM, never by a key."

  depends_on = [google_project_service.main]
}

resource "google_service_account_iam_member" "signs_for_delegate" {
  for_each = { for name, member in local.worker_accounts : name => member if var.sign_in == "delegated" }

  service_account_id = google_service_account.delegate[0].name
  role               = "roles/iam.serviceAccountTokenCreator"
  member             = each.value
}

resource "google_service_account" "build" {
  account_id   = "${var.name}-build"
  display_name = "confsync build"
  description  = "Cloud Build makes the images of the functions in its name."

  depends_on = [google_project_service.main]
}

resource "google_project_iam_member" "build_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.build.member
}

locals {
  # By name, since who they are is known only when they exist.
  worker_accounts = {
    worker  = module.worker.account.member
    renewal = module.renewal.account.member
  }
  accounts = merge(local.worker_accounts, { receiver = module.receiver.account.member })
}
