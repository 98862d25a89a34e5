# What the project may cost, as an option. Somebody is told; nothing is switched off.

# Its service asks whose quota a call counts for, also when a person calls.
provider "google" {
  alias                 = "billing"
  project               = var.project_id
  billing_project       = var.project_id
  user_project_override = true
}

resource "google_billing_budget" "main" {
  count    = var.budget == null ? 0 : 1
  provider = google.billing

  billing_account = var.budget.billing_account
  display_name    = "${var.project_id}: ${var.name}"

  budget_filter {
    projects = ["projects/${data.google_project.main.number}"]
  }

  amount {
    specified_amount {
      units = tostring(var.budget.amount)
    }
  }

  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1]

    content {
      threshold_percent = threshold_rules.value
      spend_basis       = "CURRENT_SPEND"
    }
  }

  threshold_rules {
    threshold_percent = 1
    spend_basis       = "FORECASTED_SPEND"
  }

  dynamic "all_updates_rule" {
    for_each = length(var.alert_channels) + length(var.alert_emails) > 0 ? [true] : []

    content {
      monitoring_notification_channels = local.alert_channels
    }
  }

  depends_on = [google_project_service.main]
}
