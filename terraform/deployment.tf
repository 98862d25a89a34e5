# Cloud Build as the one who plans and applies, as an option. A person makes it with the first apply.

module "deployment" {
  source = "./modules/deployment"
  count  = var.deployment == null ? 0 : 1

  project_id                  = var.project_id
  region                      = var.region
  name                        = var.name
  repository                  = var.deployment.repository
  branch                      = var.deployment.branch
  variables                   = var.deployment.variables
  state_bucket                = var.deployment.state_bucket
  state_prefix                = var.deployment.state_prefix
  conference_solutions_secret = var.deployment.conference_solutions_secret
  written_secret              = google_secret_manager_secret.main["conference-solutions"].secret_id
  packages_bucket             = google_storage_bucket.packages.name
  images                      = google_artifact_registry_repository.images
  reads_load_balancer         = var.load_balancer != null
  reads_budget_of             = try(var.budget.billing_account, null)
  acts_as = {
    receiver = module.receiver.account.name
    worker   = module.worker.account.name
    renewal  = module.renewal.account.name
    invoker  = google_service_account.invoker.name
    build    = google_service_account.build.name
  }

  depends_on = [google_project_service.main]
}
