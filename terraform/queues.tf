# Syncs have a queue, conference updates another, and a provider whose vendor sets a limit one of its own:
# a slow conferencing system holds up no calendar. See docs/operating.md, Task queues.

locals {
  # By what is in them.
  queues = merge(
    {
      sync       = merge(var.sync_queue, { name = "${var.name}-sync" })
      conference = merge(var.conference_queue, { name = "${var.name}-conference" })
    },
    { for name, queue in var.provider_queues : "provider-${name}" => merge(queue, { name = "${var.name}-conference-${name}" }) },
  )
  queues_of_updates = [for name in keys(local.queues) : name if name != "sync"]
  queue_paths = {
    for name, queue in google_cloud_tasks_queue.main :
    name => "projects/${var.project_id}/locations/${queue.location}/queues/${queue.name}"
  }

  sent_at_once = sum([for queue in local.queues : queue.max_concurrent_dispatches])
}

resource "google_cloud_tasks_queue" "main" {
  for_each = local.queues

  name     = each.value.name
  location = var.region

  rate_limits {
    max_dispatches_per_second = each.value.max_dispatches_per_second
    max_concurrent_dispatches = each.value.max_concurrent_dispatches
  }

  # The retries that the code counts on. Their duration stays unlimited: Google drops a task only when both limits
  # are reached, and the worker has to know which attempt is the last.
  retry_config {
    max_attempts       = var.task_attempts
    min_backoff        = "1s"
    max_backoff        = "600s"
    max_doublings      = 16
    max_retry_duration = "0s"
  }

  depends_on = [google_project_service.main]
}

# The receiver makes syncs, and no other task.
resource "google_cloud_tasks_queue_iam_member" "enqueues_syncs" {
  for_each = local.accounts

  name     = google_cloud_tasks_queue.main["sync"].name
  location = google_cloud_tasks_queue.main["sync"].location
  role     = "roles/cloudtasks.enqueuer"
  member   = each.value
}

resource "google_cloud_tasks_queue_iam_member" "enqueues_updates" {
  for_each = {
    for pair in setproduct(["worker", "renewal"], local.queues_of_updates) :
    join(" ", pair) => { account = pair[0], queue = pair[1] }
  }

  name     = google_cloud_tasks_queue.main[each.value.queue].name
  location = google_cloud_tasks_queue.main[each.value.queue].location
  role     = "roles/cloudtasks.enqueuer"
  member   = local.worker_accounts[each.value.account]
}
