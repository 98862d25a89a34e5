# A realistic deployment; make terraform-check plans it. Copy it to terraform.tfvars and say what is yours.
# CONFERENCE_SOLUTIONS is secret and comes from the environment: TF_VAR_conference_solutions.
project_id        = "acme-confsync-prod"
region            = "europe-west1"
database_location = "eur3"

settings = {
  tenant = "acme"
  mode   = "observe" # until you believe what confsync plan shows
}

# The vendor takes four calls a second.
provider_queues = {
  acme = { max_dispatches_per_second = 4, max_concurrent_dispatches = 4 }
}

worker = {
  callers = ["serviceAccount:addon@acme-addon.iam.gserviceaccount.com"]
}

enable_point_in_time_recovery = true

alert_emails = ["oncall@acme.example"]
runbook_url  = "https://acme.example/confsync/docs/operating.md"
