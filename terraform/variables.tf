# The first three are all that a first apply needs.

variable "project_id" {
  description = "Project that everything is made in."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{4,28}[a-z0-9]$", var.project_id))
    error_message = "project_id is the id of a project (6 to 30 small letters, digits and hyphens), not its name or number."
  }
}

variable "region" {
  description = "Region of functions, queues, schedule and images, such as europe-west1."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+-[a-z]+[0-9]+$", var.region))
    error_message = "region is a region such as europe-west1, not a zone or a multi-region."
  }
}

variable "conference_solutions" {
  description = "CONFERENCE_SOLUTIONS, a JSON list with the vendor's endpoint and signing secret; kept in Secret Manager only. Best given as TF_VAR_conference_solutions."
  type        = string
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = can([for solution in jsondecode(var.conference_solutions) : solution.provider][0])
    error_message = "conference_solutions is a JSON list with at least one entry, each with its provider; see the README's settings."
  }

  validation {
    condition     = can([for solution in jsondecode(var.conference_solutions) : regex("^https://", solution.url)])
    error_message = "Each entry of conference_solutions needs a url that begins with https://."
  }

  validation {
    condition     = can([for solution in jsondecode(var.conference_solutions) : [for secret in solution.secrets : regex("^(whsec_|secret:)", secret)][0]])
    error_message = "Each entry of conference_solutions needs secrets: one or two texts that begin with whsec_, or references that begin with secret:."
  }
}

variable "conference_solutions_version" {
  description = "Raise it to have a changed conference_solutions written: Terraform does not remember what it wrote."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.conference_solutions_version >= 1 && floor(var.conference_solutions_version) == var.conference_solutions_version
    error_message = "conference_solutions_version is a whole number from 1."
  }
}

variable "name" {
  description = "Begins the name of everything, so that a project may hold several deployments."
  type        = string
  default     = "confsync"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,18}[a-z0-9]$", var.name))
    error_message = "name has 4 to 20 small letters, digits and hyphens, begins with a letter and ends with none of the hyphens."
  }
}

variable "settings" {
  description = "Settings that differ from the code's defaults, by their name in small letters; the README's table says what they mean."
  type = object({
    calendar_brake       = optional(number)
    claims               = optional(string)
    clock_skew_s         = optional(number)
    coalescing_window_s  = optional(number)
    draft_grace_s        = optional(number)
    duplicates           = optional(string)
    end_grace_s          = optional(number)
    first_sync           = optional(string)
    forget_on_remove     = optional(string)
    ingress              = optional(string)
    list_lag_s           = optional(number)
    mode                 = optional(string)
    overdue_after_s      = optional(number)
    poll_interval_s      = optional(number)
    reconcile_interval_s = optional(number)
    tenant               = optional(string)
    tenant_brake         = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["registered", "matching"], coalesce(var.settings.claims, "registered"))
    error_message = "settings.claims is registered or matching."
  }

  validation {
    condition     = contains(["share", "mint"], coalesce(var.settings.duplicates, "share"))
    error_message = "settings.duplicates is share or mint."
  }

  validation {
    condition     = contains(["future", "recent", "everything"], coalesce(var.settings.first_sync, "future"))
    error_message = "settings.first_sync is future, recent or everything."
  }

  validation {
    condition     = contains(["later", "now"], coalesce(var.settings.forget_on_remove, "later"))
    error_message = "settings.forget_on_remove is later or now."
  }

  validation {
    condition     = contains(["push", "poll", "addon"], coalesce(var.settings.ingress, "push"))
    error_message = "settings.ingress is push, poll or addon."
  }

  validation {
    condition     = contains(["act", "observe"], coalesce(var.settings.mode, "act"))
    error_message = "settings.mode is act or observe."
  }

  validation {
    condition     = alltrue([for name, value in var.settings : value == null ? true : tonumber(value) > 0 if endswith(name, "_s")])
    error_message = "Each of the settings that end with _s is a number of seconds above 0."
  }

  validation {
    condition     = alltrue([for value in [var.settings.calendar_brake, var.settings.tenant_brake] : value == null ? true : value >= 1 && floor(value) == value])
    error_message = "settings.calendar_brake and settings.tenant_brake are whole numbers from 1."
  }
}

variable "sign_in" {
  description = "How Calendar is called in users' names: delegated, shared or refresh_token; see docs/operating.md, Signing in."
  type        = string
  default     = "delegated"
  nullable    = false

  validation {
    condition     = contains(["delegated", "shared", "refresh_token"], var.sign_in)
    error_message = "sign_in is delegated, shared or refresh_token."
  }
}

variable "oauth_client_id" {
  description = "With sign_in = \"refresh_token\": the OAuth client that users gave their consent to."
  type        = string
  default     = null

  validation {
    condition     = (var.oauth_client_id != null) == (var.sign_in == "refresh_token")
    error_message = "oauth_client_id belongs to sign_in = \"refresh_token\", which needs it; the others take none."
  }
}

variable "oauth_client_secret" {
  description = "With sign_in = \"refresh_token\": that client's secret; kept in Secret Manager only."
  type        = string
  default     = ""
  ephemeral   = true
  sensitive   = true
  nullable    = false

  validation {
    condition     = (var.oauth_client_secret != "") == (var.sign_in == "refresh_token")
    error_message = "oauth_client_secret belongs to sign_in = \"refresh_token\", which needs it; the others take none."
  }
}

variable "oauth_client_secret_version" {
  description = "Raise it to have a changed oauth_client_secret written."
  type        = number
  default     = 1
  nullable    = false
}

variable "channel_token_keys_version" {
  description = "Versions of the secret of the channel token keys that the functions read; null: the first, which Terraform made. To replace a key, the receiver comes first; see docs/operating.md."
  type = object({
    receiver = optional(string)
    workers  = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for version in values(var.channel_token_keys_version) : version == null ? true : can(regex("^[1-9][0-9]*$", version))])
    error_message = "channel_token_keys_version names numbers of versions, not latest: a deployment has to be repeatable."
  }
}

variable "addon" {
  description = "The Workspace add-on whose notifications the receiver takes at /addon; null: none. See docs/ingress.md."
  type = object({
    service_account = string
    client_id       = string
  })
  default = null

  validation {
    condition     = coalesce(var.settings.ingress, "push") != "addon" || var.addon != null
    error_message = "settings.ingress = \"addon\" needs addon: without it the receiver refuses what the add-on sends."
  }
}

variable "sync_queue" {
  description = "Rate of the syncs. A project has 10,000 Calendar calls a minute: 110 a second leaves room for renewals; see docs/renewals.md."
  type = object({
    max_dispatches_per_second = optional(number, 110)
    max_concurrent_dispatches = optional(number, 300)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.sync_queue.max_dispatches_per_second > 0 && var.sync_queue.max_dispatches_per_second <= 500
    error_message = "sync_queue.max_dispatches_per_second is above 0 and at most 500, which is the most that Cloud Tasks takes."
  }

  validation {
    condition = alltrue([
      for queue in concat([var.sync_queue, var.conference_queue], values(var.provider_queues)) :
      queue.max_concurrent_dispatches >= 1 && queue.max_concurrent_dispatches <= 5000
    ])
    error_message = "max_concurrent_dispatches of each queue is 1 to 5000."
  }
}

variable "conference_queue" {
  description = "Rate of the conference updates of all providers without a queue of their own."
  type = object({
    max_dispatches_per_second = optional(number, 50)
    max_concurrent_dispatches = optional(number, 50)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.conference_queue.max_dispatches_per_second > 0 && var.conference_queue.max_dispatches_per_second <= 500
    error_message = "conference_queue.max_dispatches_per_second is above 0 and at most 500."
  }
}

variable "provider_queues" {
  description = "Providers whose conference updates have a queue of their own, at the rate that the vendor allows, by the provider's name in conference_solutions."
  type = map(object({
    max_dispatches_per_second = number
    max_concurrent_dispatches = number
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for name in keys(var.provider_queues) : can(regex("^[A-Za-z0-9-]{1,60}$", name))])
    error_message = "The name of a provider with a queue of its own has letters, digits and hyphens only, as the queue's name."
  }

  validation {
    condition     = alltrue([for queue in var.provider_queues : queue.max_dispatches_per_second > 0 && queue.max_dispatches_per_second <= 500])
    error_message = "max_dispatches_per_second of each of the provider_queues is above 0 and at most 500."
  }
}

variable "task_attempts" {
  description = "Attempts of a task; after the last one the scheduled run goes on."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.task_attempts >= 1 && var.task_attempts <= 100 && floor(var.task_attempts) == var.task_attempts
    error_message = "task_attempts is a whole number from 1 to 100: without a limit no attempt would be the last."
  }
}

variable "task_timeout_seconds" {
  description = "TASK_TIMEOUT_S: dispatch deadline of a task, and time-out of the functions."
  type        = number
  default     = 300
  nullable    = false

  validation {
    condition     = var.task_timeout_seconds > 60 && var.task_timeout_seconds <= 1800 && floor(var.task_timeout_seconds) == var.task_timeout_seconds
    error_message = "task_timeout_seconds is a whole number above 60, which a lease lasts, and at most 1800, which Cloud Tasks and Cloud Scheduler wait."
  }
}

variable "receiver" {
  description = "The public function. is_public: whether everybody may call it (null: unless settings.ingress is poll). url: where notifications arrive, when something stands in front of it. callers: who else may call it."
  type = object({
    concurrency      = optional(number, 32)
    max_instances    = optional(number, 20)
    min_instances    = optional(number, 0)
    memory_mib       = optional(number, 512)
    is_public        = optional(bool)
    url              = optional(string)
    ingress_settings = optional(string, "ALLOW_ALL")
    callers          = optional(set(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["ALLOW_ALL", "ALLOW_INTERNAL_AND_GCLB"], var.receiver.ingress_settings)
    error_message = "receiver.ingress_settings is ALLOW_ALL, or ALLOW_INTERNAL_AND_GCLB behind a load balancer: Calendar calls from outside."
  }

  validation {
    condition     = var.receiver.url == null ? true : can(regex("^https://[^/]+$", var.receiver.url))
    error_message = "receiver.url is https://HOST, without a path or a slash at its end: Calendar sends to https only."
  }
}

variable "load_balancer" {
  description = "A load balancer of its own in front of the receiver, for Cloud Armor or where your policy wants one; null: none. host: where notifications arrive. max_requests_per_minute: what Cloud Armor lets one address send (null: no Cloud Armor). See README.md, When allUsers is forbidden."
  type = object({
    host                    = string
    max_requests_per_minute = optional(number)
  })
  default = null

  validation {
    condition     = var.load_balancer == null ? true : can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.load_balancer.host))
    error_message = "load_balancer.host is the name of a host, such as hooks.example.com, without https:// and without a path."
  }

  validation {
    condition     = try(var.load_balancer.max_requests_per_minute, null) == null ? true : var.load_balancer.max_requests_per_minute >= 1 && var.load_balancer.max_requests_per_minute <= 1000000 && floor(var.load_balancer.max_requests_per_minute) == var.load_balancer.max_requests_per_minute
    error_message = "load_balancer.max_requests_per_minute is a whole number from 1 to 1,000,000."
  }

  validation {
    condition     = var.load_balancer == null || var.receiver.url == null
    error_message = "load_balancer says where notifications arrive, and so does receiver.url: leave out one of them."
  }
}

variable "worker" {
  description = "The private function that tasks call. callers: who else may, such as the account of the vendor's add-on for /initialize."
  type = object({
    concurrency   = optional(number, 16)
    max_instances = optional(number, 25)
    min_instances = optional(number, 0)
    memory_mib    = optional(number, 512)
    callers       = optional(set(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = length(setintersection(var.worker.callers, ["allUsers", "allAuthenticatedUsers"])) == 0
    error_message = "worker.callers names accounts and groups: the worker trusts whoever may call it."
  }

  validation {
    condition     = local.sent_at_once <= var.worker.max_instances * var.worker.concurrency
    error_message = "The queues may send more at once than the worker takes (worker.max_instances times worker.concurrency): raise these, or lower max_concurrent_dispatches."
  }

  validation {
    condition     = alltrue([for size in [var.receiver, var.worker, var.renewal] : size.concurrency >= 1 && size.concurrency <= 1000 && size.max_instances >= 1 && size.min_instances >= 0 && size.min_instances <= size.max_instances])
    error_message = "Of each function concurrency is 1 to 1000, max_instances at least 1, and min_instances 0 to max_instances."
  }

  validation {
    condition     = alltrue([for size in [var.receiver, var.worker, var.renewal] : size.memory_mib >= 256])
    error_message = "Each function needs 256 MiB: one takes 90 when it has done nothing yet; see docs/benchmarks.md."
  }
}

variable "renewal" {
  description = "The private function that the schedule calls once a minute; a run that takes longer overlaps with the next."
  type = object({
    concurrency   = optional(number, 2)
    max_instances = optional(number, 3)
    min_instances = optional(number, 0)
    memory_mib    = optional(number, 512)
  })
  default  = {}
  nullable = false
}

variable "python_runtime" {
  description = "Runtime that the functions are built for."
  type        = string
  default     = "python312"
  nullable    = false

  validation {
    condition     = contains(["python311", "python312", "python313"], var.python_runtime)
    error_message = "python_runtime is python311, python312 or python313: from 3.14 on Google's builders read requirements in another way."
  }
}

variable "packages_folder" {
  description = "Folder of the archives that make package built; null: dist/ beside this folder."
  type        = string
  default     = null
}

variable "database_location" {
  description = "Location of the database, which never changes; null: the region."
  type        = string
  default     = null
}

variable "enable_deletion_protection" {
  description = "Whether database and secrets are kept when Terraform would delete them. Apply false first to tear everything down."
  type        = bool
  default     = true
  nullable    = false
}

variable "enable_point_in_time_recovery" {
  description = "Whether the database can be read as it was at any minute of the last seven days (charged for)."
  type        = bool
  default     = false
  nullable    = false
}

variable "alert_emails" {
  description = "Addresses that alerts are sent to."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.alert_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "alert_emails are e-mail addresses."
  }
}

variable "alert_channels" {
  description = "Other notification channels that alerts are sent to: projects/PROJECT/notificationChannels/ID."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for channel in var.alert_channels : can(regex("^projects/[^/]+/notificationChannels/[^/]+$", channel))])
    error_message = "alert_channels are full names: projects/PROJECT/notificationChannels/ID."
  }
}

variable "budget" {
  description = "What the project may cost a month, in whole units of the billing account's currency: alert_emails, alert_channels and the account's administrators hear of it at 50, 90 and 100 %, and when 100 % is foreseen. Nothing is switched off. Null: no budget."
  type = object({
    billing_account = string
    amount          = number
  })
  default = null

  validation {
    condition     = var.budget == null ? true : can(regex("^[0-9A-F]{6}-[0-9A-F]{6}-[0-9A-F]{6}$", var.budget.billing_account))
    error_message = "budget.billing_account is the id of a billing account, such as 012345-6789AB-CDEF01."
  }

  validation {
    condition     = var.budget == null ? true : var.budget.amount >= 1 && floor(var.budget.amount) == var.budget.amount
    error_message = "budget.amount is a whole number from 1."
  }

  validation {
    condition     = var.budget == null ? true : length(var.alert_emails) + length(var.alert_channels) <= 5
    error_message = "A budget tells at most five channels: with budget, alert_emails and alert_channels are five together."
  }
}

variable "deployment" {
  description = "Cloud Build plans and, once somebody has approved, applies; null: people do. state_bucket (in this project), state_prefix: as for terraform init. repository: the connection of Cloud Build (2nd generation) to this repository. variables: path of the variables file below terraform/. conference_solutions_secret: version of a secret of yours with the value of conference_solutions."
  type = object({
    state_bucket                = string
    state_prefix                = optional(string, "confsync")
    repository                  = string
    branch                      = optional(string, "main")
    variables                   = string
    conference_solutions_secret = string
  })
  default = null

  validation {
    condition     = var.deployment == null ? true : can(regex("^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$", var.deployment.state_bucket))
    error_message = "deployment.state_bucket is the name of a bucket, without gs://."
  }

  validation {
    condition     = var.deployment == null ? true : can(regex("^projects/[^/]+/locations/[^/]+/connections/[^/]+/repositories/[^/]+$", var.deployment.repository))
    error_message = "deployment.repository is projects/PROJECT/locations/REGION/connections/CONNECTION/repositories/REPOSITORY."
  }

  validation {
    condition     = var.deployment == null ? true : can(regex("^([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+\\.tfvars$", var.deployment.variables))
    error_message = "deployment.variables is a path below terraform/ that ends with .tfvars, such as environments/prod.tfvars."
  }

  validation {
    condition     = var.deployment == null ? true : can(regex("^projects/[^/]+/secrets/[^/]+/versions/[1-9][0-9]*$", var.deployment.conference_solutions_secret))
    error_message = "deployment.conference_solutions_secret is projects/PROJECT/secrets/SECRET/versions/NUMBER; latest might be another one when the plan is applied."
  }

  validation {
    condition     = var.deployment == null || var.sign_in != "refresh_token"
    error_message = "deployment has no oauth_client_secret to give: with sign_in = \"refresh_token\", people apply."
  }
}

variable "alert_above" {
  description = "From where on somebody hears of it: 95th percentile of how late tasks start, age of the oldest channel (in quarters of a day), share of the worker's answers that are errors, missed notifications in six hours."
  type = object({
    sync_lag_seconds        = optional(number, 300)
    update_lag_seconds      = optional(number, 600)
    oldest_channel_days     = optional(number, 6.5)
    failed_attempts_percent = optional(number, 20)
    missed_notifications    = optional(number, 100)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for value in values(var.alert_above) : value > 0])
    error_message = "Each number of alert_above is above 0."
  }

  validation {
    condition     = var.alert_above.oldest_channel_days < 7 && floor(var.alert_above.oldest_channel_days * 4) == var.alert_above.oldest_channel_days * 4
    error_message = "alert_above.oldest_channel_days is below 7, when channels lapse, and in quarters of a day: 6.25, 6.5."
  }
}

variable "runbook_url" {
  description = "Where docs/operating.md can be read; the alerts link into it."
  type        = string
  default     = "docs/operating.md"
  nullable    = false
}
