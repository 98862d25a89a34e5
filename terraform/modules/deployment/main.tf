# Cloud Build plans and applies: its account, its triggers, and the account of what runs for pull requests.
# It changes what runs; who may do what, and what is open to the world, a person changes. docs/permissions.md has the list.

locals {
  location = split("/", var.repository)[3] # a trigger is where its connection is

  # What the project holds is read as a whole, and changed service by service.
  project_roles = toset(concat(
    [
      "roles/cloudfunctions.developer",
      "roles/cloudscheduler.admin",
      "roles/cloudtasks.queueAdmin",
      "roles/datastore.indexAdmin",
      "roles/iam.securityReviewer",
      "roles/logging.configWriter",
      "roles/logging.logWriter",
      "roles/monitoring.alertPolicyEditor",
      "roles/monitoring.dashboardEditor",
      "roles/monitoring.notificationChannelEditor",
      "roles/secretmanager.viewer",
    ],
    var.reads_load_balancer ? ["roles/compute.viewer"] : [],
    var.reads_budget_of == null ? [] : ["roles/serviceusage.serviceUsageConsumer"],
  ))

  substitutions = {
    _REGION                      = var.region
    _STATE_BUCKET                = var.state_bucket
    _STATE_PREFIX                = var.state_prefix
    _VARIABLES                   = var.variables
    _CONFERENCE_SOLUTIONS_SECRET = var.conference_solutions_secret
  }
}

resource "google_service_account" "deploy" {
  project      = var.project_id
  account_id   = "${var.name}-deploy"
  display_name = "confsync deploy"
  description  = "Cloud Build plans and applies in its name."
}

resource "google_service_account" "check" {
  project      = var.project_id
  account_id   = "${var.name}-check"
  display_name = "confsync check"
  description  = "Cloud Build tests pull requests in its name; it may do nothing but log."
}

resource "google_project_iam_member" "deploys" {
  for_each = local.project_roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.deploy.member
}

resource "google_project_iam_member" "check_logs" {
  project = var.project_id
  role    = "roles/logging.logWriter"
  member  = google_service_account.check.member
}

# Whoever deploys a function, or a schedule, decides what happens in the name of its account.
resource "google_service_account_iam_member" "acts_as" {
  for_each = var.acts_as

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deploy.member
}

# A new version when the value changed; what is in the former ones it cannot read there.
resource "google_secret_manager_secret_iam_member" "writes_conference_solutions" {
  project   = var.project_id
  secret_id = var.written_secret
  role      = "roles/secretmanager.secretVersionManager"
  member    = google_service_account.deploy.member
}

# The value itself, and who else may read it: the secret may be in another project.
resource "google_secret_manager_secret_iam_member" "reads_conference_solutions" {
  for_each = toset(["roles/secretmanager.secretAccessor", "roles/secretmanager.viewer"])

  project   = split("/", var.conference_solutions_secret)[1]
  secret_id = split("/", var.conference_solutions_secret)[3]
  role      = each.value
  member    = google_service_account.deploy.member
}

# State and plans.
resource "google_storage_bucket_iam_member" "keeps_state" {
  bucket = var.state_bucket
  role   = "roles/storage.objectUser"
  member = google_service_account.deploy.member
}

resource "google_storage_bucket_iam_member" "uploads" {
  bucket = var.packages_bucket
  role   = "roles/storage.admin"
  member = google_service_account.deploy.member
}

resource "google_artifact_registry_repository_iam_member" "cleans_up" {
  project    = var.project_id
  location   = var.images.location
  repository = var.images.name
  role       = "roles/artifactregistry.admin"
  member     = google_service_account.deploy.member
}

resource "google_billing_account_iam_member" "reads_budget" {
  count = var.reads_budget_of == null ? 0 : 1

  billing_account_id = var.reads_budget_of
  role               = "roles/billing.viewer"
  member             = google_service_account.deploy.member
}

resource "google_cloudbuild_trigger" "plan" {
  project         = var.project_id
  location        = local.location
  name            = "${var.name}-plan"
  description     = "Checks, tests, packages and plans what arrived in ${var.branch}."
  filename        = "cloudbuild.yaml"
  service_account = google_service_account.deploy.id
  substitutions   = local.substitutions

  repository_event_config {
    repository = var.repository

    push {
      branch = "^${var.branch}$"
    }
  }
}

# Started by hand for a commit whose plan somebody has read, and held until somebody approves.
resource "google_cloudbuild_trigger" "apply" {
  project         = var.project_id
  location        = local.location
  name            = "${var.name}-apply"
  description     = "Applies the plan of a commit, once somebody has approved."
  service_account = google_service_account.deploy.id
  substitutions   = local.substitutions

  source_to_build {
    repository = var.repository
    ref        = "refs/heads/${var.branch}"
    repo_type  = "UNKNOWN" # the connection knows
  }

  git_file_source {
    path       = "cloudbuild.apply.yaml"
    repository = var.repository
    revision   = "refs/heads/${var.branch}"
    repo_type  = "UNKNOWN"
  }

  approval_config {
    approval_required = true
  }
}

# What strangers wrote runs here, so it has no role and no substitutions that would tell of anything.
resource "google_cloudbuild_trigger" "pull_requests" {
  project         = var.project_id
  location        = local.location
  name            = "${var.name}-pull-requests"
  description     = "Checks and tests pull requests."
  filename        = "cloudbuild.pull-requests.yaml"
  service_account = google_service_account.check.id

  repository_event_config {
    repository = var.repository

    pull_request {
      branch          = "^${var.branch}$"
      comment_control = "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
    }
  }
}
