# The three functions, and what each of them is told. Every variable is described in the README's table of settings.

locals {
  chosen = { for name, value in var.settings : upper(name) => tostring(value) if value != null }
  of_all = ["COALESCING_WINDOW_S", "CLOCK_SKEW_S", "TENANT"]

  environment_of_all = merge(
    { for name, value in local.chosen : name => value if contains(local.of_all, name) },
    {
      GOOGLE_CLOUD_PROJECT = var.project_id
      TASK_QUEUE           = local.queue_paths.sync
      TASK_TIMEOUT_S       = tostring(var.task_timeout_seconds)
      TASKS_INVOKER        = google_service_account.invoker.email
      SYNC_CALENDAR_URL    = local.worker_url
    },
  )

  environment_of_receiver = merge(local.environment_of_all, {
    for name, value in {
      ADDON_SERVICE_ACCOUNT = try(var.addon.service_account, null)
      ADDON_CLIENT_ID       = try(var.addon.client_id, null)
      ADDON_AUDIENCE        = var.addon == null ? null : "${local.receiver_url}/addon"
    } : name => value if value != null
  })

  environment_of_worker = merge(
    local.environment_of_all,
    { for name, value in local.chosen : name => value if !contains(local.of_all, name) },
    {
      CONFERENCE_QUEUE = local.queue_paths.conference
      TASK_ATTEMPTS    = tostring(var.task_attempts)
      NOTIFICATION_URL = local.receiver_url
      STORE            = "firestore:projects/${var.project_id}/databases/${google_firestore_database.main.name}"
      SIGN_IN          = var.sign_in
    },
    var.sign_in == "delegated" ? { DELEGATE = google_service_account.delegate[0].email } : {},
    var.sign_in == "refresh_token" ? {
      OAUTH_CLIENT_ID      = var.oauth_client_id
      REFRESH_TOKEN_SECRET = "projects/${var.project_id}/secrets/${var.name}-calendar-token-{subject_hash}/versions/latest"
    } : {},
  )

  secrets_of_receiver = {
    CHANNEL_TOKEN_KEYS = {
      secret  = google_secret_manager_secret.main["channel-token-keys"].secret_id
      version = coalesce(var.channel_token_keys_version.receiver, google_secret_manager_secret_version.channel_token_keys.version)
    }
  }

  secrets_of_worker = merge(
    {
      CHANNEL_TOKEN_KEYS = {
        secret  = google_secret_manager_secret.main["channel-token-keys"].secret_id
        version = coalesce(var.channel_token_keys_version.workers, google_secret_manager_secret_version.channel_token_keys.version)
      }
      CONFERENCE_SOLUTIONS = {
        secret  = google_secret_manager_secret.main["conference-solutions"].secret_id
        version = google_secret_manager_secret_version.conference_solutions.version
      }
    },
    var.sign_in == "refresh_token" ? {
      OAUTH_CLIENT_SECRET = {
        secret  = google_secret_manager_secret.main["oauth-client-secret"].secret_id
        version = google_secret_manager_secret_version.oauth_client_secret[0].version
      }
    } : {},
  )

  build = {
    runtime         = var.python_runtime
    bucket          = google_storage_bucket.packages.name
    service_account = google_service_account.build.name
    repository      = google_artifact_registry_repository.images.id
  }
}

module "receiver" {
  source = "./modules/function"

  project_id       = var.project_id
  region           = var.region
  name             = local.names.receiver
  account_id       = "${var.name}-receiver"
  description      = "Takes Calendar's notifications: headers in, one task out."
  entry_point      = "receive_notification"
  package          = "${local.packages_folder}/receive_notification.zip"
  build            = local.build
  size             = var.receiver
  timeout_seconds  = var.task_timeout_seconds
  ingress_settings = local.receiver_ingress
  environment      = local.environment_of_receiver
  secrets          = local.secrets_of_receiver
  invokers = merge(
    local.is_receiver_public ? { everybody = "allUsers" } : {},
    { for member in var.receiver.callers : member => member },
  )

  # A build needs its account's roles.
  depends_on = [
    google_artifact_registry_repository_iam_member.build_writes,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_reads_copies,
    google_storage_bucket_iam_member.build_reads,
  ]
}

module "worker" {
  source = "./modules/function"

  project_id      = var.project_id
  region          = var.region
  name            = local.names.worker
  account_id      = "${var.name}-worker"
  description     = "Syncs calendars and tells the conferencing systems."
  entry_point     = "sync_calendar"
  package         = "${local.packages_folder}/sync_calendar.zip"
  build           = local.build
  size            = var.worker
  timeout_seconds = var.task_timeout_seconds
  environment     = local.environment_of_worker
  secrets         = local.secrets_of_worker
  invokers = merge(
    { invoker = google_service_account.invoker.member },
    { for member in var.worker.callers : member => member },
  )

  depends_on = [
    google_artifact_registry_repository_iam_member.build_writes,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_reads_copies,
    google_storage_bucket_iam_member.build_reads,
  ]
}

module "renewal" {
  source = "./modules/function"

  project_id      = var.project_id
  region          = var.region
  name            = local.names.renewal
  account_id      = "${var.name}-renewal"
  description     = "Renews channels and starts whatever is overdue, once a minute."
  entry_point     = "renew_channels"
  package         = "${local.packages_folder}/renew_channels.zip"
  build           = local.build
  size            = var.renewal
  timeout_seconds = var.task_timeout_seconds
  environment     = local.environment_of_worker
  secrets         = local.secrets_of_worker
  invokers        = { invoker = google_service_account.invoker.member }

  depends_on = [
    google_artifact_registry_repository_iam_member.build_writes,
    google_project_iam_member.build_logs,
    google_project_iam_member.build_reads_copies,
    google_storage_bucket_iam_member.build_reads,
  ]
}

# What the functions call each other is computed; this says whether it is also what Google calls them.
check "urls" {
  data "google_cloud_run_v2_service" "worker" {
    name     = module.worker.name
    location = var.region
  }

  assert {
    condition     = contains(data.google_cloud_run_v2_service.worker.urls, local.worker_url)
    error_message = "The worker does not answer at ${local.worker_url}: no task would reach it. Its URLs: ${join(", ", data.google_cloud_run_v2_service.worker.urls)}."
  }
}
