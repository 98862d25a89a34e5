# What a plan holds, as sentences. The mistake that a reader of a change would not see: a member, a limit or a time-out
# in one place that no longer fits what is said in another.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  mock_data "google_cloud_run_v2_service" {
    defaults = { urls = ["https://confsync-sync-calendar-123456789012.europe-west1.run.app"] }
  }

  mock_resource "google_secret_manager_secret_version" {
    defaults = { version = "1" }
  }
}

# Who is who, so that plans can be asked for it.
override_resource {
  target          = google_service_account.invoker
  override_during = plan
  values = {
    email  = "confsync-invoker@acme-prod.iam.gserviceaccount.com"
    member = "serviceAccount:confsync-invoker@acme-prod.iam.gserviceaccount.com"
    name   = "projects/acme-prod/serviceAccounts/confsync-invoker@acme-prod.iam.gserviceaccount.com"
  }
}

override_resource {
  target          = google_service_account.build
  override_during = plan
  values = {
    email  = "confsync-build@acme-prod.iam.gserviceaccount.com"
    member = "serviceAccount:confsync-build@acme-prod.iam.gserviceaccount.com"
    name   = "projects/acme-prod/serviceAccounts/confsync-build@acme-prod.iam.gserviceaccount.com"
  }
}

override_resource {
  target          = google_service_account.delegate[0]
  override_during = plan
  values = {
    email  = "confsync-delegate@acme-prod.iam.gserviceaccount.com"
    member = "serviceAccount:confsync-delegate@acme-prod.iam.gserviceaccount.com"
    name   = "projects/acme-prod/serviceAccounts/confsync-delegate@acme-prod.iam.gserviceaccount.com"
  }
}

override_resource {
  target          = module.receiver.google_service_account.main
  override_during = plan
  values = {
    email  = "confsync-receiver@acme-prod.iam.gserviceaccount.com"
    member = "serviceAccount:confsync-receiver@acme-prod.iam.gserviceaccount.com"
    name   = "projects/acme-prod/serviceAccounts/confsync-receiver@acme-prod.iam.gserviceaccount.com"
  }
}

override_resource {
  target          = module.worker.google_service_account.main
  override_during = plan
  values = {
    email  = "confsync-worker@acme-prod.iam.gserviceaccount.com"
    member = "serviceAccount:confsync-worker@acme-prod.iam.gserviceaccount.com"
    name   = "projects/acme-prod/serviceAccounts/confsync-worker@acme-prod.iam.gserviceaccount.com"
  }
}

override_resource {
  target          = module.renewal.google_service_account.main
  override_during = plan
  values = {
    email  = "confsync-renewal@acme-prod.iam.gserviceaccount.com"
    member = "serviceAccount:confsync-renewal@acme-prod.iam.gserviceaccount.com"
    name   = "projects/acme-prod/serviceAccounts/confsync-renewal@acme-prod.iam.gserviceaccount.com"
  }
}

variables {
  project_id           = "acme-prod"
  region               = "europe-west1"
  conference_solutions = "[{\"provider\": \"acme\", \"url\": \"https://acme.example/hooks\", \"secrets\": [\"whsec_c2VjcmV0\"]}]"
  oauth_client_secret  = "" # Terraform 1.11 forgets the default of an ephemeral variable in tests
}

run "only_the_receiver_is_public" {
  command = plan

  assert {
    condition     = [for grant in module.receiver.invokers : grant.member] == ["allUsers"]
    error_message = "Calendar sends no token, so everybody may call the receiver."
  }

  assert {
    condition = alltrue([
      for grant in concat(values(module.worker.invokers), values(module.renewal.invokers)) :
      grant.member == google_service_account.invoker.member && grant.role == "roles/run.invoker"
    ])
    error_message = "The worker and the renewal trust whoever may call them: the invoker, nobody else."
  }
}

run "nobody_is_public_where_calendars_are_polled" {
  command = plan

  variables {
    settings = { ingress = "poll" }
  }

  assert {
    condition     = length(module.receiver.invokers) == 0
    error_message = "Nothing calls the receiver with INGRESS=poll."
  }
}

run "an_organisation_without_all_users_puts_something_in_front" {
  command = plan

  variables {
    receiver = {
      is_public = false
      url       = "https://hooks.acme.example"
      callers   = ["serviceAccount:gateway@acme-prod.iam.gserviceaccount.com"]
    }
  }

  assert {
    condition     = [for grant in module.receiver.invokers : grant.member] == ["serviceAccount:gateway@acme-prod.iam.gserviceaccount.com"]
    error_message = "Then the gateway calls the receiver, and nobody else."
  }

  assert {
    condition     = module.worker.function.service_config[0].environment_variables["NOTIFICATION_URL"] == "https://hooks.acme.example"
    error_message = "Channels are opened for the address of the gateway."
  }
}

run "each_function_has_an_account_of_its_own" {
  command = plan

  assert {
    condition = length(distinct([
      for account in [module.receiver.account, module.worker.account, module.renewal.account, google_service_account.invoker, google_service_account.build, google_service_account.delegate[0]] :
      account.account_id
    ])) == 6
    error_message = "No account does the work of two."
  }

  assert {
    condition     = alltrue([for part in [module.receiver, module.worker, module.renewal] : part.function.service_config[0].service_account_email == part.account.email])
    error_message = "Each function runs as its own account."
  }
}

run "the_receiver_makes_syncs_and_reads_the_channel_keys_and_no_more" {
  command = plan

  assert {
    condition     = keys(module.receiver.secret_readers) == ["CHANNEL_TOKEN_KEYS"]
    error_message = "The public function reads no other secret."
  }

  assert {
    condition     = contains(keys(google_cloud_tasks_queue_iam_member.enqueues_syncs), "receiver")
    error_message = "It makes tasks for the queue of the syncs."
  }

  assert {
    condition = alltrue([
      for grants in [google_cloud_tasks_queue_iam_member.enqueues_updates, google_project_iam_member.uses_database, google_service_account_iam_member.signs_for_delegate] :
      alltrue([for grant in grants : grant.member != module.receiver.account.member])
    ])
    error_message = "It makes no conference updates, uses no database and signs for nobody."
  }
}

run "queues_retry_as_the_code_expects" {
  command = plan

  variables {
    task_attempts   = 7
    provider_queues = { acme = { max_dispatches_per_second = 4, max_concurrent_dispatches = 4 } }
  }

  assert {
    condition     = keys(google_cloud_tasks_queue.main) == ["conference", "provider-acme", "sync"]
    error_message = "There is a queue for syncs, one for updates, and one for each provider that has a limit."
  }

  assert {
    condition = alltrue([
      for queue in google_cloud_tasks_queue.main :
      queue.retry_config[0].max_attempts == 7 && queue.retry_config[0].max_retry_duration == "0s"
    ])
    error_message = "All queues give up after the same number of attempts, and never for the time that passed."
  }

  assert {
    condition     = alltrue([for part in [module.worker, module.renewal] : part.function.service_config[0].environment_variables["TASK_ATTEMPTS"] == "7"])
    error_message = "The worker knows which attempt is the last."
  }
}

run "syncs_leave_room_for_renewals" {
  command = plan

  assert {
    condition     = google_cloud_tasks_queue.main["sync"].rate_limits[0].max_dispatches_per_second == 110
    error_message = "A project has 10,000 Calendar calls a minute, and renewals take 3,000 of them."
  }
}

run "a_provider_has_a_queue_at_its_vendors_rate" {
  command = plan

  variables {
    provider_queues = { acme = { max_dispatches_per_second = 4, max_concurrent_dispatches = 2 } }
  }

  assert {
    condition     = google_cloud_tasks_queue.main["provider-acme"].rate_limits[0].max_dispatches_per_second == 4 && google_cloud_tasks_queue.main["provider-acme"].rate_limits[0].max_concurrent_dispatches == 2
    error_message = "The queue keeps to the vendor's limit."
  }

  assert {
    condition     = google_cloud_tasks_queue_iam_member.enqueues_updates["worker provider-acme"].member == module.worker.account.member
    error_message = "The worker may use it."
  }

  assert {
    condition     = google_secret_manager_secret_version.conference_solutions.secret_data_wo_version == parseint(substr(sha256(jsonencode([1, ["acme"]])), 0, 7), 16)
    error_message = "The solutions are written anew, with the queue in them: their version tells queues apart."
  }
}

run "time_outs_agree" {
  command = plan

  variables {
    task_timeout_seconds = 600
  }

  assert {
    condition = alltrue([
      for part in [module.receiver, module.worker, module.renewal] :
      part.function.service_config[0].timeout_seconds == 600 && part.function.service_config[0].environment_variables["TASK_TIMEOUT_S"] == "600"
    ])
    error_message = "The functions are stopped when the tasks' deadline is over, not before."
  }

  assert {
    condition     = google_cloud_scheduler_job.renewal.attempt_deadline == "600s"
    error_message = "The schedule waits as long as the function may take."
  }
}

run "an_instance_has_a_thread_for_each_request" {
  command = plan

  variables {
    receiver = { concurrency = 64 }
  }

  assert {
    condition = alltrue([
      for part in [module.receiver, module.worker, module.renewal] :
      part.function.service_config[0].environment_variables["THREADS"] == tostring(part.function.service_config[0].max_instance_request_concurrency)
    ])
    error_message = "Otherwise requests wait inside the instance."
  }

  assert {
    condition     = module.receiver.function.service_config[0].max_instance_request_concurrency == 64
    error_message = "The variable arrives."
  }
}

run "the_renewal_runs_every_minute_and_proves_who_calls" {
  command = plan

  assert {
    condition     = google_cloud_scheduler_job.renewal.schedule == "* * * * *" && google_cloud_scheduler_job.renewal.http_target[0].http_method == "POST"
    error_message = "The schedule POSTs every minute."
  }

  assert {
    condition     = google_cloud_scheduler_job.renewal.http_target[0].oidc_token[0].service_account_email == google_service_account.invoker.email
    error_message = "It calls as the invoker."
  }
}

run "nothing_stateful_is_destroyed_by_accident" {
  command = plan

  assert {
    condition     = google_firestore_database.main.delete_protection_state == "DELETE_PROTECTION_ENABLED" && google_firestore_database.main.deletion_policy == "ABANDON"
    error_message = "The database outlives a mistake."
  }

  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.main : secret.deletion_protection])
    error_message = "The secrets do, too."
  }

  assert {
    condition     = google_secret_manager_secret_version.channel_token_keys.deletion_policy == "ABANDON"
    error_message = "A key whose channels are open does, too."
  }
}

run "everything_can_be_torn_down_on_purpose" {
  command = plan

  variables {
    enable_deletion_protection = false
  }

  assert {
    condition     = google_firestore_database.main.delete_protection_state == "DELETE_PROTECTION_DISABLED" && google_firestore_database.main.deletion_policy == "DELETE"
    error_message = "The database goes."
  }

  assert {
    condition     = alltrue([for secret in google_secret_manager_secret.main : !secret.deletion_protection])
    error_message = "The secrets go."
  }
}

run "secrets_are_pinned_and_never_plain" {
  command = plan

  assert {
    condition = alltrue([
      for part in [module.receiver, module.worker, module.renewal] :
      length(setintersection(keys(part.function.service_config[0].environment_variables), ["CHANNEL_TOKEN_KEYS", "CONFERENCE_SOLUTIONS", "OAUTH_CLIENT_SECRET"])) == 0
    ])
    error_message = "No secret is a plain variable."
  }

  assert {
    condition = alltrue(flatten([
      for part in [module.receiver, module.worker, module.renewal] :
      [for secret in part.function.service_config[0].secret_environment_variables : can(regex("^[0-9]+$", secret.version))]
    ]))
    error_message = "Each is a numbered version."
  }
}

run "a_new_key_reaches_the_receiver_first" {
  command = plan

  variables {
    channel_token_keys_version = { receiver = "2" }
  }

  assert {
    condition     = module.receiver.function.service_config[0].secret_environment_variables[0].version == "2"
    error_message = "The receiver knows the new key."
  }

  assert {
    condition = alltrue(flatten([
      for part in [module.worker, module.renewal] :
      [for secret in part.function.service_config[0].secret_environment_variables : secret.version == "1" if secret.key == "CHANNEL_TOKEN_KEYS"]
    ]))
    error_message = "Nobody signs with it yet."
  }
}

run "the_delegation_is_held_by_an_account_without_anything_else" {
  command = plan

  assert {
    condition     = keys(google_service_account_iam_member.signs_for_delegate) == ["renewal", "worker"]
    error_message = "Two functions sign for it."
  }

  assert {
    condition     = module.worker.function.service_config[0].environment_variables["DELEGATE"] == google_service_account.delegate[0].email
    error_message = "They know its name."
  }
}

run "without_delegation_there_is_no_delegate" {
  command = plan

  variables {
    sign_in = "shared"
  }

  assert {
    condition     = length(google_service_account.delegate) == 0 && length(google_service_account_iam_member.signs_for_delegate) == 0 && output.delegation == null
    error_message = "Nothing may act for every user of the domain."
  }
}

run "consents_are_read_by_the_worker_and_the_renewal" {
  command = plan

  variables {
    sign_in             = "refresh_token"
    oauth_client_id     = "1-a.apps.googleusercontent.com"
    oauth_client_secret = "s3cret"
  }

  assert {
    condition     = keys(google_project_iam_member.reads_refresh_tokens) == ["renewal", "worker"]
    error_message = "The two that call Calendar read the users' tokens."
  }

  assert {
    condition     = alltrue([for grant in google_project_iam_member.reads_refresh_tokens : endswith(grant.condition[0].expression, "/secrets/confsync-calendar-token-\")")])
    error_message = "They read no other secret by this role."
  }

  assert {
    condition     = contains(keys(module.worker.secret_readers), "OAUTH_CLIENT_SECRET")
    error_message = "The client's secret is one of the secrets."
  }
}

run "the_add_on_finds_its_door" {
  command = plan

  variables {
    settings = { ingress = "addon" }
    addon = {
      service_account = "service-1@gcp-sa-gsuiteaddons.iam.gserviceaccount.com"
      client_id       = "1-a.apps.googleusercontent.com"
    }
  }

  assert {
    condition     = module.receiver.function.service_config[0].environment_variables["ADDON_AUDIENCE"] == "https://confsync-receive-notification-123456789012.europe-west1.run.app/addon"
    error_message = "The audience is the door, as the manifest names it."
  }

  assert {
    condition     = module.worker.function.service_config[0].environment_variables["INGRESS"] == "addon"
    error_message = "The worker opens no channels."
  }
}

run "settings_arrive_where_they_are_read" {
  command = plan

  variables {
    settings = { tenant = "acme", mode = "observe", end_grace_s = 120 }
  }

  assert {
    condition     = alltrue([for part in [module.receiver, module.worker, module.renewal] : part.function.service_config[0].environment_variables["TENANT"] == "acme"])
    error_message = "All functions know the tenant."
  }

  assert {
    condition     = alltrue([for part in [module.worker, module.renewal] : part.function.service_config[0].environment_variables["MODE"] == "observe" && part.function.service_config[0].environment_variables["END_GRACE_S"] == "120"])
    error_message = "The worker and the renewal act as they are told."
  }

  assert {
    condition     = !contains(keys(module.receiver.function.service_config[0].environment_variables), "MODE")
    error_message = "The receiver is told nothing that it does not read."
  }
}

run "the_database_has_the_indexes_of_the_code" {
  command = plan

  assert {
    condition     = length(google_firestore_field.main) == length(jsondecode(file("firestore.json")).fields)
    error_message = "Each declared field is applied."
  }

  assert {
    condition     = length(google_firestore_field.main["conference.body"].index_config[0].indexes) == 0
    error_message = "The body of a record is not indexed."
  }

  assert {
    condition     = one(google_firestore_field.main["calendar.due_at"].index_config[0].indexes).order == "ASCENDING"
    error_message = "What is due is found."
  }

  assert {
    condition     = [for name, field in google_firestore_field.main : name if length(field.ttl_config) > 0] == ["failure.expires_at"]
    error_message = "Failures expire, and nothing else does."
  }
}

run "the_records_of_others_are_out_of_reach" {
  command = plan

  assert {
    condition     = alltrue([for grant in google_project_iam_member.uses_database : grant.condition[0].expression == "resource.name == \"projects/acme-prod/databases/confsync\""])
    error_message = "The role counts for one database."
  }
}

run "somebody_is_told" {
  command = plan

  variables {
    alert_emails   = ["ops@acme.example"]
    alert_channels = ["projects/acme-prod/notificationChannels/1"]
    runbook_url    = "https://acme.example/operating"
  }

  assert {
    condition = alltrue([
      for alert in concat(values(google_monitoring_alert_policy.line), values(google_monitoring_alert_policy.figure)) :
      length(alert.notification_channels) == 2 && strcontains(alert.documentation[0].content, "https://acme.example/operating#")
    ])
    error_message = "Each alert reaches all channels and links to what is to be done."
  }

  assert {
    condition = alltrue([
      for alert in google_monitoring_alert_policy.figure :
      can(regex("\\) (<|>|>=) [0-9.]+$", alert.conditions[0].condition_prometheus_query_language[0].query))
    ])
    error_message = "A figure raises an alert from a number on, and not always."
  }

  assert {
    condition     = length(jsondecode(google_monitoring_dashboard.main.dashboard_json).gridLayout.widgets) == length(google_monitoring_alert_policy.figure)
    error_message = "The dashboard shows each figure that raises an alert."
  }
}

run "an_archive_that_changed_is_built_anew" {
  command = plan

  assert {
    condition     = strcontains(module.worker.package.name, filesha256(module.worker.package.source))
    error_message = "Its name holds its hash."
  }
}

run "a_worker_that_google_calls_otherwise_is_reported" {
  command = plan

  override_data {
    target = data.google_cloud_run_v2_service.worker
    values = { urls = ["https://confsync-sync-calendar-abc123-ew.a.run.app"] }
  }

  expect_failures = [check.urls]
}
