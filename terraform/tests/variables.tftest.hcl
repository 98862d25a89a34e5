# What is refused, one run for each rule. The mistake that a reader of a change would not see: a rule that refuses nothing,
# since its condition is true for whatever is given.

mock_provider "google" {
  override_during = plan

  mock_data "google_project" {
    defaults = { number = "123456789012" }
  }

  mock_data "google_cloud_run_v2_service" {
    defaults = { urls = ["https://confsync-sync-calendar-123456789012.europe-west1.run.app"] }
  }
}

mock_provider "google" {
  alias           = "billing"
  override_during = plan
}

variables {
  project_id           = "acme-prod"
  region               = "europe-west1"
  conference_solutions = "[{\"provider\": \"acme\", \"url\": \"https://acme.example/hooks\", \"secrets\": [\"whsec_c2VjcmV0\"]}]"
  oauth_client_secret  = "" # Terraform 1.11 forgets the default of an ephemeral variable in tests
}

run "three_variables_are_enough" {
  command = plan
}

run "the_name_of_a_project_is_no_id" {
  command = plan

  variables {
    project_id = "Acme Production"
  }

  expect_failures = [var.project_id]
}

run "a_zone_is_no_region" {
  command = plan

  variables {
    region = "europe-west1-b"
  }

  expect_failures = [var.region]
}

run "a_multi_region_is_no_region" {
  command = plan

  variables {
    region = "eur3"
  }

  expect_failures = [var.region]
}

run "solutions_are_json" {
  command = plan

  variables {
    conference_solutions = "acme"
  }

  expect_failures = [var.conference_solutions]
}

run "there_is_at_least_one_solution" {
  command = plan

  variables {
    conference_solutions = "[]"
  }

  expect_failures = [var.conference_solutions]
}

run "a_solution_has_a_provider" {
  command = plan

  variables {
    conference_solutions = "[{\"url\": \"https://acme.example/hooks\", \"secrets\": [\"whsec_c2VjcmV0\"]}]"
  }

  expect_failures = [var.conference_solutions]
}

run "a_vendor_is_called_by_https" {
  command = plan

  variables {
    conference_solutions = "[{\"provider\": \"acme\", \"url\": \"http://acme.example/hooks\", \"secrets\": [\"whsec_c2VjcmV0\"]}]"
  }

  expect_failures = [var.conference_solutions]
}

run "a_solution_has_a_secret" {
  command = plan

  variables {
    conference_solutions = "[{\"provider\": \"acme\", \"url\": \"https://acme.example/hooks\", \"secrets\": []}]"
  }

  expect_failures = [var.conference_solutions]
}

run "a_signing_secret_has_its_prefix" {
  command = plan

  variables {
    conference_solutions = "[{\"provider\": \"acme\", \"url\": \"https://acme.example/hooks\", \"secrets\": [\"hunter2\"]}]"
  }

  expect_failures = [var.conference_solutions]
}

run "the_version_of_the_solutions_is_whole" {
  command = plan

  variables {
    conference_solutions_version = 1.5
  }

  expect_failures = [var.conference_solutions_version]
}

run "a_long_name_is_refused" {
  command = plan

  variables {
    name = "confsync-of-acme-video-inc"
  }

  expect_failures = [var.name]
}

run "a_name_does_not_end_with_a_hyphen" {
  command = plan

  variables {
    name = "acme-"
  }

  expect_failures = [var.name]
}

run "claims_is_one_of_two" {
  command = plan

  variables {
    settings = { claims = "any" }
  }

  expect_failures = [var.settings]
}

run "duplicates_is_one_of_two" {
  command = plan

  variables {
    settings = { duplicates = "copy" }
  }

  expect_failures = [var.settings]
}

run "first_sync_is_one_of_three" {
  command = plan

  variables {
    settings = { first_sync = "past" }
  }

  expect_failures = [var.settings]
}

run "forget_on_remove_is_one_of_two" {
  command = plan

  variables {
    settings = { forget_on_remove = "never" }
  }

  expect_failures = [var.settings]
}

run "ingress_is_one_of_three" {
  command = plan

  variables {
    settings = { ingress = "pull" }
  }

  expect_failures = [var.settings]
}

run "mode_is_one_of_two" {
  command = plan

  variables {
    settings = { mode = "dry-run" }
  }

  expect_failures = [var.settings]
}

run "a_duration_is_above_0" {
  command = plan

  variables {
    settings = { end_grace_s = 0 }
  }

  expect_failures = [var.settings]
}

run "a_brake_is_whole" {
  command = plan

  variables {
    settings = { tenant_brake = 0.5 }
  }

  expect_failures = [var.settings]
}

run "there_are_three_ways_to_sign_in" {
  command = plan

  variables {
    sign_in = "key-file"
  }

  expect_failures = [var.sign_in]
}

run "consents_need_a_client" {
  command = plan

  variables {
    sign_in             = "refresh_token"
    oauth_client_secret = "s"
  }

  expect_failures = [var.oauth_client_id]
}

run "consents_need_the_secret_of_the_client" {
  command = plan

  variables {
    sign_in         = "refresh_token"
    oauth_client_id = "1-a.apps.googleusercontent.com"
  }

  expect_failures = [var.oauth_client_secret]
}

run "a_client_without_consents_is_a_mistake" {
  command = plan

  variables {
    oauth_client_id = "1-a.apps.googleusercontent.com"
  }

  expect_failures = [var.oauth_client_id]
}

run "a_version_of_keys_is_pinned" {
  command = plan

  variables {
    channel_token_keys_version = { receiver = "latest" }
  }

  expect_failures = [var.channel_token_keys_version]
}

run "an_ingress_by_add_on_needs_the_add_on" {
  command = plan

  variables {
    settings = { ingress = "addon" }
  }

  expect_failures = [var.addon]
}

run "the_queue_of_the_syncs_has_a_rate" {
  command = plan

  variables {
    sync_queue = { max_dispatches_per_second = 0 }
  }

  expect_failures = [var.sync_queue]
}

run "no_queue_is_faster_than_cloud_tasks" {
  command = plan

  variables {
    sync_queue = { max_dispatches_per_second = 501 }
  }

  expect_failures = [var.sync_queue]
}

run "a_queue_sends_something_at_once" {
  command = plan

  variables {
    sync_queue = { max_concurrent_dispatches = 0 }
  }

  expect_failures = [var.sync_queue]
}

run "the_queue_of_the_updates_has_a_rate" {
  command = plan

  variables {
    conference_queue = { max_dispatches_per_second = 0 }
  }

  expect_failures = [var.conference_queue]
}

run "the_queue_of_a_provider_has_a_rate" {
  command = plan

  variables {
    provider_queues = { acme = { max_dispatches_per_second = 0, max_concurrent_dispatches = 4 } }
  }

  expect_failures = [var.provider_queues]
}

run "the_queue_of_a_provider_can_have_its_name" {
  command = plan

  variables {
    provider_queues = { "acme meet" = { max_dispatches_per_second = 4, max_concurrent_dispatches = 4 } }
  }

  expect_failures = [var.provider_queues]
}

run "endless_attempts_are_refused" {
  command = plan

  variables {
    task_attempts = -1
  }

  expect_failures = [var.task_attempts]
}

run "a_task_outlasts_a_lease" {
  command = plan

  variables {
    task_timeout_seconds = 60
  }

  expect_failures = [var.task_timeout_seconds]
}

run "no_task_outlasts_its_deadline" {
  command = plan

  variables {
    task_timeout_seconds = 1801
  }

  expect_failures = [var.task_timeout_seconds]
}

run "the_receiver_is_reachable_from_outside" {
  command = plan

  variables {
    receiver = { ingress_settings = "ALLOW_INTERNAL_ONLY" }
  }

  expect_failures = [var.receiver]
}

run "calendar_sends_to_https_only" {
  command = plan

  variables {
    receiver = { url = "http://hooks.acme.example" }
  }

  expect_failures = [var.receiver]
}

run "a_load_balancer_has_a_host" {
  command = plan

  variables {
    load_balancer = { host = "https://hooks.acme.example" }
  }

  expect_failures = [var.load_balancer]
}

run "a_limit_lets_something_through" {
  command = plan

  variables {
    load_balancer = { host = "hooks.acme.example", max_requests_per_minute = 0 }
  }

  expect_failures = [var.load_balancer]
}

run "notifications_arrive_in_one_place" {
  command = plan

  variables {
    load_balancer = { host = "hooks.acme.example" }
    receiver      = { url = "https://gateway.acme.example" }
  }

  expect_failures = [var.load_balancer]
}

run "the_worker_is_never_public" {
  command = plan

  variables {
    worker = { callers = ["allUsers"] }
  }

  expect_failures = [var.worker]
}

run "the_worker_takes_what_the_queues_send" {
  command = plan

  variables {
    worker = { max_instances = 10 }
  }

  expect_failures = [var.worker]
}

run "a_function_takes_at_least_one_request" {
  command = plan

  variables {
    receiver = { concurrency = 0 }
  }

  expect_failures = [var.worker]
}

run "a_function_has_at_least_one_instance" {
  command = plan

  variables {
    renewal = { max_instances = 0 }
  }

  expect_failures = [var.worker]
}

run "a_function_has_room_for_its_libraries" {
  command = plan

  variables {
    renewal = { memory_mib = 128 }
  }

  expect_failures = [var.worker]
}

run "a_runtime_is_one_that_reads_requirements" {
  command = plan

  variables {
    python_runtime = "python314"
  }

  expect_failures = [var.python_runtime]
}

run "an_alert_goes_to_an_address" {
  command = plan

  variables {
    alert_emails = ["ops"]
  }

  expect_failures = [var.alert_emails]
}

run "a_channel_is_named_in_full" {
  command = plan

  variables {
    alert_channels = ["123"]
  }

  expect_failures = [var.alert_channels]
}

run "an_alert_has_a_limit" {
  command = plan

  variables {
    alert_above = { failed_attempts_percent = 0 }
  }

  expect_failures = [var.alert_above]
}

run "a_channel_is_too_old_before_it_lapses" {
  command = plan

  variables {
    alert_above = { oldest_channel_days = 7 }
  }

  expect_failures = [var.alert_above]
}

run "a_budget_belongs_to_a_billing_account" {
  command = plan

  variables {
    budget = { billing_account = "billingAccounts/012345-6789AB-CDEF01", amount = 200 }
  }

  expect_failures = [var.budget]
}

run "a_budget_is_whole" {
  command = plan

  variables {
    budget = { billing_account = "012345-6789AB-CDEF01", amount = 99.5 }
  }

  expect_failures = [var.budget]
}

run "a_budget_tells_five_channels_at_most" {
  command = plan

  variables {
    budget       = { billing_account = "012345-6789AB-CDEF01", amount = 200 }
    alert_emails = ["a@acme.example", "b@acme.example", "c@acme.example", "d@acme.example", "e@acme.example", "f@acme.example"]
  }

  expect_failures = [var.budget]
}

run "a_state_bucket_is_a_name" {
  command = plan

  variables {
    deployment = {
      state_bucket                = "gs://acme-prod-terraform"
      repository                  = "projects/acme-prod/locations/europe-west4/connections/forge/repositories/confsync"
      variables                   = "environments/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/3"
    }
  }

  expect_failures = [var.deployment]
}

run "a_repository_is_a_connection_of_the_second_generation" {
  command = plan

  variables {
    deployment = {
      state_bucket                = "acme-prod-terraform"
      repository                  = "acme/confsync"
      variables                   = "environments/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/3"
    }
  }

  expect_failures = [var.deployment]
}

run "variables_of_builds_are_in_the_repository" {
  command = plan

  variables {
    deployment = {
      state_bucket                = "acme-prod-terraform"
      repository                  = "projects/acme-prod/locations/europe-west4/connections/forge/repositories/confsync"
      variables                   = "/secret/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/3"
    }
  }

  expect_failures = [var.deployment]
}

run "plan_and_apply_read_the_same_solutions" {
  command = plan

  variables {
    deployment = {
      state_bucket                = "acme-prod-terraform"
      repository                  = "projects/acme-prod/locations/europe-west4/connections/forge/repositories/confsync"
      variables                   = "environments/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/latest"
    }
  }

  expect_failures = [var.deployment]
}

run "builds_have_no_secret_of_an_oauth_client" {
  command = plan

  variables {
    sign_in             = "refresh_token"
    oauth_client_id     = "1-a.apps.googleusercontent.com"
    oauth_client_secret = "s"
    deployment = {
      state_bucket                = "acme-prod-terraform"
      repository                  = "projects/acme-prod/locations/europe-west4/connections/forge/repositories/confsync"
      variables                   = "environments/prod.tfvars"
      conference_solutions_secret = "projects/acme-vault/secrets/conference-solutions/versions/3"
    }
  }

  expect_failures = [var.deployment]
}
