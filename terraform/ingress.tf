# Who reaches the receiver, and by which way. Null in var.load_balancer: at Cloud Run's own address.

module "load_balancer" {
  source = "./modules/load_balancer"
  count  = var.load_balancer == null ? 0 : 1

  project_id              = var.project_id
  region                  = var.region
  name                    = local.names.receiver
  service                 = module.receiver.name
  host                    = var.load_balancer.host
  max_requests_per_minute = var.load_balancer.max_requests_per_minute

  depends_on = [google_project_service.main]
}

locals {
  ingress = coalesce(var.settings.ingress, "push")

  # Calendar and add-ons send no token that Cloud Run could check, so whoever is to hear of them has to be public.
  is_receiver_public = coalesce(var.receiver.is_public, local.ingress != "poll")

  # Behind a load balancer nobody is to go round it.
  receiver_ingress = var.load_balancer == null ? var.receiver.ingress_settings : "ALLOW_INTERNAL_AND_GCLB"
}

# Without allUsers the check of the caller may be off, by a command that Terraform has no argument for on a function.
check "receiver" {
  data "google_cloud_run_v2_service" "receiver" {
    name     = module.receiver.name
    location = var.region
  }

  assert {
    condition = anytrue([
      local.is_receiver_public,
      local.ingress == "poll",
      length(var.receiver.callers) > 0,
      coalesce(data.google_cloud_run_v2_service.receiver.invoker_iam_disabled, false),
    ])
    error_message = "Nobody may call the receiver: gcloud run services update ${module.receiver.name} --no-invoker-iam-check --region=${var.region} --project=${var.project_id}"
  }
}
