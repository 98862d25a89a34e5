# One function: its account, its archive, its secrets, and who may call it.

resource "google_service_account" "main" {
  project      = var.project_id
  account_id   = var.account_id
  display_name = var.name
  description  = "Runs ${var.name}."
}

resource "google_storage_bucket_object" "package" {
  # The hash is in the name: a function is built anew when, and only when, its archive changed.
  name   = "${var.name}-${filesha256(var.package)}.zip"
  bucket = var.build.bucket
  source = var.package

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_secret_manager_secret_iam_member" "reader" {
  for_each = var.secrets

  project   = var.project_id
  secret_id = each.value.secret
  role      = "roles/secretmanager.secretAccessor"
  member    = google_service_account.main.member
}

resource "google_cloudfunctions2_function" "main" {
  #checkov:skip=CKV_GCP_124:Calendar and the vendor's add-on call from outside; who may call is said by roles/run.invoker
  project     = var.project_id
  location    = var.region
  name        = var.name
  description = var.description

  build_config {
    runtime           = var.build.runtime
    entry_point       = var.entry_point
    service_account   = var.build.service_account
    docker_repository = var.build.repository

    source {
      storage_source {
        bucket = google_storage_bucket_object.package.bucket
        object = google_storage_bucket_object.package.name
      }
    }
  }

  service_config {
    service_account_email            = google_service_account.main.email
    ingress_settings                 = var.ingress_settings
    available_cpu                    = "1" # less is refused with more than one request at a time
    available_memory                 = "${var.size.memory_mib}Mi"
    timeout_seconds                  = var.timeout_seconds
    max_instance_request_concurrency = var.size.concurrency
    min_instance_count               = var.size.min_instances
    max_instance_count               = var.size.max_instances
    all_traffic_on_latest_revision   = true
    environment_variables            = merge(var.environment, { THREADS = tostring(var.size.concurrency) })

    dynamic "secret_environment_variables" {
      for_each = var.secrets

      content {
        key        = secret_environment_variables.key
        project_id = var.project_id
        secret     = secret_environment_variables.value.secret
        version    = secret_environment_variables.value.version
      }
    }
  }

  # An instance reads its secrets when it starts.
  depends_on = [google_secret_manager_secret_iam_member.reader]
}

# On the Cloud Run service behind the function: the function itself does not take this role.
resource "google_cloud_run_v2_service_iam_member" "invoker" {
  for_each = var.invokers

  project  = var.project_id
  location = google_cloudfunctions2_function.main.location
  name     = google_cloudfunctions2_function.main.name
  role     = "roles/run.invoker"
  member   = each.value
}
