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

mock_provider "google" {
  alias           = "billing"
  override_during = plan
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

override_resource {
  target          = module.deployment[0].google_service_account.deploy
  override_during = plan
  values = {
    email  = "confsync-deploy@acme-prod.iam.gserviceaccount.com"
    id     = "projects/acme-prod/serviceAccounts/confsync-deploy@acme-prod.iam.gserviceaccount.com"
    member = "serviceAccount:confsync-deploy@acme-prod.iam.gserviceaccount.com"
    name   = "projects/acme-prod/serviceAccounts/confsync-deploy@acme-prod.iam.gserviceaccount.com"
  }
}

override_resource {
  target          = module.deployment[0].google_service_account.check
  override_during = plan
  values = {
    email  = "confsync-check@acme-prod.iam.gserviceaccount.com"
    id     = "projects/acme-prod/serviceAccounts/confsync-check@acme-prod.iam.gserviceaccount.com"
    member = "serviceAccount:confsync-check@acme-prod.iam.gserviceaccount.com"
    name   = "projects/acme-prod/serviceAccounts/confsync-check@acme-prod.iam.gserviceaccount.com"
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

run "a_receiver_that_nobody_may_call_is_reported" {
  command = plan

  variables {
    receiver = { is_public = false }
  }

  expect_failures = [check.receiver]
}

run "a_receiver_whose_check_of_the_caller_is_off_hears_everybody_without_all_users" {
  command = plan

  variables {
    receiver = { is_public = false }
  }

  override_data {
    target = data.google_cloud_run_v2_service.receiver
    values = { invoker_iam_disabled = true }
  }

  assert {
    condition     = length(module.receiver.invokers) == 0
    error_message = "No member stands for everybody."
  }
}

run "without_options_nothing_of_them_exists" {
  command = plan

  assert {
    condition     = length(module.load_balancer) == 0 && length(module.deployment) == 0 && length(google_billing_budget.main) == 0
    error_message = "Load balancer, Cloud Build's accounts and triggers, and budget are options."
  }

  assert {
    condition     = length(setintersection(keys(google_project_service.main), ["billingbudgets.googleapis.com", "cloudbilling.googleapis.com", "compute.googleapis.com"])) == 0
    error_message = "Neither are their services enabled."
  }

  assert {
    condition     = module.receiver.function.service_config[0].ingress_settings == "ALLOW_ALL" && output.load_balancer_address == null
    error_message = "The receiver is reached at Cloud Run's own address."
  }
}

run "a_load_balancer_is_the_only_way_in" {
  command = plan

  variables {
    load_balancer = { host = "hooks.acme.example" }
  }

  assert {
    condition     = module.receiver.function.service_config[0].ingress_settings == "ALLOW_INTERNAL_AND_GCLB"
    error_message = "Nobody goes round it."
  }

  assert {
    condition     = module.load_balancer[0].endpoint_group.cloud_run[0].service == module.receiver.name
    error_message = "The receiver is behind it, and nothing else."
  }

  assert {
    condition     = module.worker.function.service_config[0].environment_variables["NOTIFICATION_URL"] == "https://hooks.acme.example"
    error_message = "Channels are opened for its host."
  }

  assert {
    condition     = module.load_balancer[0].certificate.managed[0].domains == tolist(["hooks.acme.example"]) && module.load_balancer[0].forwarding_rule.port_range == "443"
    error_message = "Calendar sends to https only, with a certificate for that host."
  }

  assert {
    condition     = [for grant in module.receiver.invokers : grant.member] == ["allUsers"]
    error_message = "A load balancer proves to nobody who calls: the receiver stays public."
  }

  assert {
    condition     = alltrue([for part in [module.worker, module.renewal] : part.function.service_config[0].ingress_settings == "ALLOW_ALL"])
    error_message = "Queues and schedule reach the others as before."
  }

  assert {
    condition     = length(module.load_balancer[0].security_policies) == 0
    error_message = "Cloud Armor costs extra, so it is asked for."
  }
}

run "another_host_is_another_certificate" {
  command = plan

  variables {
    load_balancer = { host = "hooks.acme.example" }
  }

  assert {
    condition     = module.load_balancer[0].certificate.name == "confsync-receive-notification-${substr(sha256("hooks.acme.example"), 0, 8)}"
    error_message = "The new one is made before the old one goes, so it needs a name of its own."
  }
}

run "what_cloud_armor_refuses_comes_again" {
  command = plan

  variables {
    load_balancer = { host = "hooks.acme.example", max_requests_per_minute = 6000 }
  }

  assert {
    condition = one([
      for rule in module.load_balancer[0].security_policies[0].rule : rule.rate_limit_options[0].exceed_action if rule.action == "throttle"
    ]) == "deny(502)"
    error_message = "Calendar repeats a notification after 502, and not after 429."
  }

  assert {
    condition = one([
      for rule in module.load_balancer[0].security_policies[0].rule : rule.rate_limit_options[0].rate_limit_threshold[0].count if rule.action == "throttle"
    ]) == 6000
    error_message = "The limit arrives."
  }
}

run "a_budget_tells_those_who_are_told_of_alerts" {
  command = plan

  variables {
    budget         = { billing_account = "012345-6789AB-CDEF01", amount = 200 }
    alert_emails   = ["ops@acme.example"]
    alert_channels = ["projects/acme-prod/notificationChannels/1"]
  }

  assert {
    condition     = toset(google_billing_budget.main[0].budget_filter[0].projects) == toset(["projects/123456789012"])
    error_message = "It counts what this project costs."
  }

  assert {
    condition     = google_billing_budget.main[0].amount[0].specified_amount[0].units == "200"
    error_message = "The amount arrives."
  }

  assert {
    condition     = [for rule in google_billing_budget.main[0].threshold_rules : "${rule.threshold_percent} ${rule.spend_basis}"] == ["0.5 CURRENT_SPEND", "0.9 CURRENT_SPEND", "1 CURRENT_SPEND", "1 FORECASTED_SPEND"]
    error_message = "Half of it, nine tenths, all of it, and all of it as foreseen."
  }

  assert {
    condition     = length(google_billing_budget.main[0].all_updates_rule[0].monitoring_notification_channels) == 2
    error_message = "All channels hear of it."
  }
}

run "cloud_build_plans_what_arrives_and_applies_what_is_approved" {
  command = plan

  variables {
    deployment = {
      state_bucket                = "acme-prod-terraform"
      repository                  = "projects/acme-prod/locations/europe-west4/connections/forge/repositories/confsync"
      variables                   = "environments/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/3"
    }
  }

  assert {
    condition     = module.deployment[0].triggers.plan.filename == "cloudbuild.yaml" && module.deployment[0].triggers.plan.repository_event_config[0].push[0].branch == "^main$"
    error_message = "What arrives in main is planned."
  }

  assert {
    condition     = module.deployment[0].triggers.apply.git_file_source[0].path == "cloudbuild.apply.yaml" && module.deployment[0].triggers.apply.approval_config[0].approval_required
    error_message = "Nothing is applied that nobody approved."
  }

  assert {
    condition     = length(module.deployment[0].triggers.apply.repository_event_config) == 0
    error_message = "No push starts it."
  }

  assert {
    condition     = module.deployment[0].triggers.plan.substitutions == module.deployment[0].triggers.apply.substitutions
    error_message = "The plan is applied where it was made."
  }

  assert {
    condition     = module.deployment[0].triggers.plan.substitutions["_STATE_PREFIX"] == "confsync" && module.deployment[0].triggers.plan.substitutions["_VARIABLES"] == "environments/prod.tfvars"
    error_message = "The builds know where the state is and which variables count."
  }

  assert {
    condition     = alltrue([for trigger in values(module.deployment[0].triggers) : trigger.location == "europe-west4"])
    error_message = "A trigger is where its connection is."
  }
}

run "what_strangers_wrote_runs_without_any_right" {
  command = plan

  variables {
    deployment = {
      state_bucket                = "acme-prod-terraform"
      repository                  = "projects/acme-prod/locations/europe-west4/connections/forge/repositories/confsync"
      variables                   = "environments/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/3"
    }
  }

  assert {
    condition     = module.deployment[0].triggers.pull_requests.service_account == module.deployment[0].accounts.check.id && module.deployment[0].accounts.check.id != module.deployment[0].accounts.deploy.id
    error_message = "A pull request is tested by an account of its own."
  }

  assert {
    condition     = module.deployment[0].triggers.pull_requests.repository_event_config[0].pull_request[0].comment_control == "COMMENTS_ENABLED_FOR_EXTERNAL_CONTRIBUTORS_ONLY"
    error_message = "A stranger's waits for a comment of one of you."
  }

  assert {
    condition     = module.deployment[0].triggers.pull_requests.substitutions == null
    error_message = "It is told of no bucket and no secret."
  }
}

run "cloud_build_deploys_and_gives_nobody_a_right" {
  command = plan

  variables {
    deployment = {
      state_bucket                = "acme-prod-terraform"
      repository                  = "projects/acme-prod/locations/europe-west4/connections/forge/repositories/confsync"
      variables                   = "environments/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/3"
    }
  }

  assert {
    condition = length(setintersection(keys(module.deployment[0].project_roles), [
      "roles/editor", "roles/iam.securityAdmin", "roles/iam.serviceAccountAdmin", "roles/iam.serviceAccountTokenCreator",
      "roles/iam.serviceAccountUser", "roles/owner", "roles/resourcemanager.projectIamAdmin", "roles/run.admin", "roles/secretmanager.admin",
    ])) == 0
    error_message = "Who may do what is changed by a person."
  }

  assert {
    condition     = keys(module.deployment[0].acts_as) == ["build", "invoker", "receiver", "renewal", "worker"]
    error_message = "It deploys in the name of these accounts, and never as the delegate."
  }
}

run "cloud_build_reads_the_options_that_there_are" {
  command = plan

  variables {
    deployment = {
      state_bucket                = "acme-prod-terraform"
      repository                  = "projects/acme-prod/locations/europe-west4/connections/forge/repositories/confsync"
      variables                   = "environments/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/3"
    }
    load_balancer = { host = "hooks.acme.example" }
    budget        = { billing_account = "012345-6789AB-CDEF01", amount = 200 }
  }

  assert {
    condition     = length(setintersection(keys(module.deployment[0].project_roles), ["roles/compute.viewer", "roles/serviceusage.serviceUsageConsumer"])) == 2
    error_message = "A plan reads all of it; these two are changed by a person."
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

run "a_channels_age_is_told_apart_where_the_alert_looks" {
  command = plan

  assert {
    condition = alltrue([
      for buckets in [google_logging_metric.main["oldest_channel_age"].bucket_options[0].linear_buckets[0]] :
      buckets.num_finite_buckets * buckets.width >= 8 * 86400 && (var.alert_above.oldest_channel_days * 86400) % buckets.width == 0
    ])
    error_message = "The limit is where one bucket ends and another begins, or the alert comes too early or too late."
  }

  assert {
    condition     = alltrue([for name, metric in google_logging_metric.main : length(metric.bucket_options) == (name == "oldest_channel_age" ? 1 : 0)])
    error_message = "What is added up needs no buckets of its own."
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
