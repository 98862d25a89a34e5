# A database of its own. Which indexes there are is declared by the code: firestore.json is made from it.

locals {
  layout = jsondecode(file("${path.module}/firestore.json"))
}

resource "google_firestore_database" "main" {
  name                              = var.name
  location_id                       = coalesce(var.database_location, var.region)
  type                              = "FIRESTORE_NATIVE"
  database_edition                  = "STANDARD"
  concurrency_mode                  = "PESSIMISTIC"
  point_in_time_recovery_enablement = var.enable_point_in_time_recovery ? "POINT_IN_TIME_RECOVERY_ENABLED" : "POINT_IN_TIME_RECOVERY_DISABLED"
  delete_protection_state           = var.enable_deletion_protection ? "DELETE_PROTECTION_ENABLED" : "DELETE_PROTECTION_DISABLED"
  deletion_policy                   = var.enable_deletion_protection ? "ABANDON" : "DELETE"

  depends_on = [google_project_service.main]

  lifecycle {
    precondition {
      condition     = length(local.layout.composite_indexes) == 0
      error_message = "firestore.json declares composite indexes, and firestore.tf applies none: add google_firestore_index."
    }
  }
}

resource "google_firestore_field" "main" {
  for_each = { for field in local.layout.fields : "${field.collection}.${field.field}" => field }

  database   = google_firestore_database.main.name
  collection = each.value.collection
  field      = each.value.field

  # Empty: no index at all, where Firestore would make three.
  index_config {
    dynamic "indexes" {
      for_each = each.value.indexes

      content {
        order        = indexes.value == "CONTAINS" ? null : indexes.value
        array_config = indexes.value == "CONTAINS" ? "CONTAINS" : null
        query_scope  = "COLLECTION"
      }
    }
  }

  dynamic "ttl_config" {
    for_each = each.value.ttl ? [true] : []

    content {}
  }
}

# On this database alone: others in the project are none of our business.
resource "google_project_iam_member" "uses_database" {
  for_each = local.worker_accounts

  project = var.project_id
  role    = "roles/datastore.user"
  member  = each.value

  condition {
    title      = "database ${google_firestore_database.main.name}"
    expression = "resource.name == \"projects/${var.project_id}/databases/${google_firestore_database.main.name}\""
  }
}
