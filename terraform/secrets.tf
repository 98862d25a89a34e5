# Values are write-only: they pass through Terraform and are in no state and no plan.

locals {
  secrets = toset(concat(
    ["channel-token-keys", "conference-solutions"],
    var.sign_in == "refresh_token" ? ["oauth-client-secret"] : [],
  ))

  # A provider with a queue of its own is told so where its conference updates start.
  solutions = [
    for solution in jsondecode(var.conference_solutions) :
    merge({ queue = lookup(local.queue_paths, "provider-${solution.provider}", null) }, solution)
  ]

  # A new value is written when this number changes: by hand, or because another provider has a queue.
  solutions_version = parseint(substr(sha256(jsonencode([var.conference_solutions_version, keys(var.provider_queues)])), 0, 7), 16)
}

resource "google_secret_manager_secret" "main" {
  for_each = local.secrets

  secret_id           = "${var.name}-${each.value}"
  deletion_protection = var.enable_deletion_protection

  replication {
    auto {}
  }

  depends_on = [google_project_service.main]
}

ephemeral "random_password" "channel_token_key" {
  length  = 32
  special = false
}

# The first key. Later ones are versions that an operator adds, and names in var.channel_token_keys_version.
resource "google_secret_manager_secret_version" "channel_token_keys" {
  secret                 = google_secret_manager_secret.main["channel-token-keys"].id
  secret_data_wo         = "k1:${base64encode(ephemeral.random_password.channel_token_key.result)}"
  secret_data_wo_version = 1
  deletion_policy        = "ABANDON" # channels that it signed may still be open
}

resource "google_secret_manager_secret_version" "conference_solutions" {
  secret                 = google_secret_manager_secret.main["conference-solutions"].id
  secret_data_wo         = jsonencode(local.solutions)
  secret_data_wo_version = local.solutions_version
  deletion_policy        = "ABANDON" # the former revision reads it until it is gone

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_version" "oauth_client_secret" {
  count = var.sign_in == "refresh_token" ? 1 : 0

  secret                 = google_secret_manager_secret.main["oauth-client-secret"].id
  secret_data_wo         = var.oauth_client_secret
  secret_data_wo_version = var.oauth_client_secret_version
  deletion_policy        = "ABANDON"

  lifecycle {
    create_before_destroy = true
  }
}

# The users' refresh tokens: your consent page makes one secret for each, so the role goes by their names.
resource "google_project_iam_member" "reads_refresh_tokens" {
  for_each = { for name, member in local.worker_accounts : name => member if var.sign_in == "refresh_token" }

  project = var.project_id
  role    = "roles/secretmanager.secretAccessor"
  member  = each.value

  condition {
    title      = "refresh tokens of ${var.name}"
    expression = "resource.name.startsWith(\"projects/${data.google_project.main.number}/secrets/${var.name}-calendar-token-\")"
  }
}
