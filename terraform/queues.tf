# Syncs have a queue, conference updates another, and a provider whose vendor sets a limit one of its own:
# a slow conferencing system holds up no calendar. See docs/operating.md, Task queues.

locals {
  # The retries that the code counts on. The retry duration stays unlimited: Google drops a task only when both limits
  # are reached, and the worker has to know which attempt is the last.
  retry = {
    max_attempts       = var.task_attempts
    min_backoff        = "1s"
    max_backoff        = "600s"
    max_doublings      = 16
    max_retry_duration = "0s"
  }

  sent_at_once = sum(concat(
    [var.sync_queue.max_concurrent_dispatches, var.conference_queue.max_concurrent_dispatches],
    [for queue in var.provider_queues : queue.max_concurrent_dispatches],
  ))
}

resource "google_cloud_tasks_queue" "sync" {
  name     = "${var.name}-sync"
  location = var.region

  rate_limits {
    max_dispatches_per_second = var.sync_queue.max_dispatches_per_second
    max_concurrent_dispatches = var.sync_queue.max_concurrent_dispatches
  }

  retry_config {
    max_attempts       = local.retry.max_attempts
    min_backoff        = local.retry.min_backoff
    max_backoff        = local.retry.max_backoff
    max_doublings      = local.retry.max_doublings
    max_retry_duration = local.retry.max_retry_duration
  }

  depends_on = [google_project_service.main]
}

resource "google_cloud_tasks_queue" "conference" {
  name     = "${var.name}-conference"
  location = var.region

  rate_limits {
    max_dispatches_per_second = var.conference_queue.max_dispatches_per_second
    max_concurrent_dispatches = var.conference_queue.max_concurrent_dispatches
  }

  retry_config {
    max_attempts       = local.retry.max_attempts
    min_backoff        = local.retry.min_backoff
    max_backoff        = local.retry.max_backoff
    max_doublings      = local.retry.max_doublings
    max_retry_duration = local.retry.max_retry_duration
  }

  depends_on = [google_project_service.main]
}

resource "google_cloud_tasks_queue" "provider" {
  for_each = var.provider_queues

  name     = "${var.name}-conference-${each.key}"
  location = var.region

  rate_limits {
    max_dispatches_per_second = each.value.max_dispatches_per_second
    max_concurrent_dispatches = each.value.max_concurrent_dispatches
  }

  retry_config {
    max_attempts       = local.retry.max_attempts
    min_backoff        = local.retry.min_backoff
    max_backoff        = local.retry.max_backoff
    max_doublings      = local.retry.max_doublings
    max_retry_duration = local.retry.max_retry_duration
  }

  depends_on = [google_project_service.main]
}

locals {
  queues_of_updates = merge(
    { conference = google_cloud_tasks_queue.conference },
    { for name, queue in google_cloud_tasks_queue.provider : "provider-${name}" => queue },
  )
  queue_paths = {
    for name, queue in merge(local.queues_of_updates, { sync = google_cloud_tasks_queue.sync }) :
    name => "projects/${var.project_id}/locations/${queue.location}/queues/${queue.name}"
  }
}

# The receiver makes syncs, and no other task.
resource "google_cloud_tasks_queue_iam_member" "enqueues_syncs" {
  for_each = local.accounts

  name     = google_cloud_tasks_queue.sync.name
  location = google_cloud_tasks_queue.sync.location
  role     = "roles/cloudtasks.enqueuer"
  member   = each.value
}

resource "google_cloud_tasks_queue_iam_member" "enqueues_updates" {
  for_each = {
    for pair in setproduct(["worker", "renewal"], keys(local.queues_of_updates)) :
    join(" ", pair) => { account = pair[0], queue = pair[1] }
  }

  name     = local.queues_of_updates[each.value.queue].name
  location = local.queues_of_updates[each.value.queue].location
  role     = "roles/cloudtasks.enqueuer"
  member   = local.worker_accounts[each.value.account]
}
