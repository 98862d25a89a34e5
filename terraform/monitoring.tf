# What somebody has to hear of. Each alert has a section of its own in docs/operating.md, which it links to.

locals {
  logs = {
    for name, service in local.names :
    name => "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=\"${service}\""
  }
  all_logs = "resource.type=\"cloud_run_revision\" AND resource.labels.service_name=(${join(" OR ", [for service in values(local.names) : "\"${service}\""])})"

  # As PromQL calls the metrics that are made of the log.
  log_metric = "logging_googleapis_com:user_${replace(var.name, "-", "_")}"
  from_log   = "{monitored_resource=\"cloud_run_revision\"}"

  # What the worker answers. How many tasks wait says nothing: each quiet calendar has one for its reconciliation.
  answers   = "run_googleapis_com:request_count"
  of_worker = "monitored_resource=\"cloud_run_revision\", service_name=\"${local.names.worker}\""

  # A line in the log is news by itself.
  lines = {
    "held-ends" = {
      title    = "ends are held for an operator"
      severity = "CRITICAL"
      filter   = "${local.all_logs} AND severity=CRITICAL AND jsonPayload.message=\"ends are held for an operator: confsync ends list\""
    }
    "wrong-settings" = {
      title    = "a function cannot work with its settings"
      severity = "CRITICAL"
      filter   = "${local.all_logs} AND severity=CRITICAL AND jsonPayload.error=\"SettingsError\""
    }
    "failures" = {
      title    = "the last attempt of a task failed"
      severity = "ERROR"
      filter   = "${local.logs.worker} AND severity=ERROR AND jsonPayload.message=~\"last attempt failed\""
    }
    "quota-pauses" = {
      title    = "a user's quota is spent, and the calendar pauses"
      severity = "WARNING"
      filter   = "${local.logs.worker} AND severity=ERROR AND jsonPayload.sync.reason=~\"^quota: \""
    }
    "refusals" = {
      title    = "a calendar, a channel or a conference needs somebody"
      severity = "WARNING"
      filter   = "${local.all_logs} AND ((severity=ERROR AND (jsonPayload.message=\"conference alert\" OR jsonPayload.message=\"renewal run\")) OR (jsonPayload.sync.alert=true AND NOT jsonPayload.sync.reason=~\"^quota: \") OR jsonPayload.sync.updates.status=\"alert\")"
    }
    "crashes" = {
      title    = "a function broke off unexpectedly"
      severity = "ERROR"
      filter   = "${local.all_logs} AND severity=ERROR AND jsonPayload.stack_trace:*"
    }
  }

  # A figure, in PromQL: other conditions ask for metrics that exist already, and these do only after the first line.
  figures = {
    "renewal-stopped" = {
      title    = "the scheduled run has not succeeded for a quarter of an hour"
      severity = "CRITICAL"
      duration = "300s"
      query    = "sum(increase(${local.log_metric}_renewal_runs${local.from_log}[10m])) or vector(0)"
      when     = "< 1"
    }
    "channels-age" = {
      title    = "a channel is older than it should ever be"
      severity = "ERROR"
      duration = "0s"
      query    = "histogram_quantile(1, sum by (le) (increase(${local.log_metric}_oldest_channel_age_bucket${local.from_log}[15m])))"
      when     = "> ${var.alert_above.oldest_channel_days * 86400}"
    }
    "channels-lapsed" = {
      title    = "channels lapsed before they were renewed"
      severity = "CRITICAL"
      duration = "0s"
      query    = "sum(increase(${local.log_metric}_channels_lapsed_sum${local.from_log}[15m]))"
      when     = "> 0"
    }
    "renewals-behind" = {
      title    = "renewals and overdue work are more than the runs can do"
      severity = "WARNING"
      duration = "1800s"
      query    = "sum(increase(${local.log_metric}_runs_left_more${local.from_log}[10m]))"
      when     = ">= 9"
    }
    "sync-lag" = {
      title    = "syncs wait for minutes"
      severity = "CRITICAL"
      duration = "600s"
      query    = "histogram_quantile(0.95, sum by (le) (rate(cloudtasks_googleapis_com:queue_task_attempt_delays_bucket{monitored_resource=\"cloud_tasks_queue\", queue_id=\"${google_cloud_tasks_queue.main["sync"].name}\"}[10m])))"
      when     = "> ${var.alert_above.sync_lag_seconds * 1000}"
    }
    "update-lag" = {
      title    = "conference updates wait for minutes"
      severity = "WARNING"
      duration = "600s"
      query    = "histogram_quantile(0.95, sum by (le, queue_id) (rate(cloudtasks_googleapis_com:queue_task_attempt_delays_bucket{monitored_resource=\"cloud_tasks_queue\", queue_id=~\"${join("|", [for name in local.queues_of_updates : google_cloud_tasks_queue.main[name].name])}\"}[10m])))"
      when     = "> ${var.alert_above.update_lag_seconds * 1000}"
    }
    "attempts-fail" = {
      title    = "many attempts of tasks fail"
      severity = "ERROR"
      duration = "900s"
      query    = "sum(rate(${local.answers}{${local.of_worker}, response_code_class=\"5xx\"}[10m])) / sum(rate(${local.answers}{${local.of_worker}}[10m]))"
      when     = "> ${var.alert_above.failed_attempts_percent / 100}"
    }
    "missed-notifications" = {
      title    = "notifications are missed"
      severity = "WARNING"
      duration = "0s"
      query    = "sum(increase(${local.log_metric}_missed_notifications_sum${local.from_log}[6h]))"
      when     = "> ${var.alert_above.missed_notifications}"
    }
  }

  # What is counted, and of which lines; value: the field whose numbers are added up, null: the lines themselves.
  metrics = {
    renewal_runs         = { filter = "${local.logs.renewal} AND jsonPayload.message=\"renewal run\"", value = null }
    runs_left_more       = { filter = "${local.logs.renewal} AND jsonPayload.renewal.more=true", value = null }
    oldest_channel_age   = { filter = "${local.logs.renewal} AND jsonPayload.renewal.channels.oldest_age_s>0", value = "jsonPayload.renewal.channels.oldest_age_s" }
    channels_lapsed      = { filter = "${local.logs.renewal} AND jsonPayload.renewal.channels.lapsed>0", value = "jsonPayload.renewal.channels.lapsed" }
    missed_notifications = { filter = "${local.logs.worker} AND jsonPayload.sync.missed>0", value = "jsonPayload.sync.missed" }
  }

  alert_channels = concat(tolist(var.alert_channels), [for channel in google_monitoring_notification_channel.email : channel.name])
}

resource "google_logging_metric" "main" {
  for_each = local.metrics

  name            = "${replace(var.name, "-", "_")}_${each.key}"
  filter          = each.value.filter
  value_extractor = each.value.value == null ? null : "EXTRACT(${each.value.value})"

  metric_descriptor {
    metric_kind = "DELTA"
    value_type  = each.value.value == null ? "INT64" : "DISTRIBUTION"
    unit        = "1"
  }

  # Of the oldest one is asked, so a quarter of a day has its own bucket, up to more than the week that channels live.
  dynamic "bucket_options" {
    for_each = each.key == "oldest_channel_age" ? [true] : []

    content {
      linear_buckets {
        num_finite_buckets = 32
        width              = 21600
        offset             = 0
      }
    }
  }

  depends_on = [google_project_service.main]
}

resource "google_monitoring_notification_channel" "email" {
  for_each = var.alert_emails

  display_name = "${var.name}: ${each.value}"
  type         = "email"
  labels       = { email_address = each.value }

  depends_on = [google_project_service.main]
}

resource "google_monitoring_alert_policy" "line" {
  for_each = local.lines

  display_name          = "${var.name}: ${each.value.title}"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = local.alert_channels

  conditions {
    display_name = each.value.title

    condition_matched_log {
      filter = each.value.filter
    }
  }

  alert_strategy {
    auto_close = "86400s"

    notification_rate_limit {
      period = "3600s"
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "What to do: ${var.runbook_url}#${each.key}"
  }

  depends_on = [google_project_service.main]
}

resource "google_monitoring_alert_policy" "figure" {
  for_each = local.figures

  display_name          = "${var.name}: ${each.value.title}"
  severity              = each.value.severity
  combiner              = "OR"
  notification_channels = local.alert_channels

  conditions {
    display_name = each.value.title

    condition_prometheus_query_language {
      query                     = "(${each.value.query}) ${each.value.when}"
      duration                  = each.value.duration
      evaluation_interval       = "60s"
      disable_metric_validation = true
    }
  }

  documentation {
    mime_type = "text/markdown"
    content   = "What to do: ${var.runbook_url}#${each.key}"
  }

  depends_on = [google_logging_metric.main, google_project_service.main]
}

resource "google_monitoring_dashboard" "main" {
  dashboard_json = jsonencode({
    displayName = var.name
    gridLayout = {
      columns = 2
      widgets = [
        for figure in values(local.figures) : {
          title = "${figure.title}: ${figure.when}"
          xyChart = {
            dataSets = [{
              plotType        = "LINE"
              timeSeriesQuery = { prometheusQuery = figure.query }
            }]
          }
        }
      ]
    }
  })

  depends_on = [google_project_service.main]
}
