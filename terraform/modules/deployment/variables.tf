variable "project_id" {
  description = "Project that is deployed to, and whose Cloud Build deploys."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region that is deployed to."
  type        = string
  nullable    = false
}

variable "name" {
  description = "What the names of accounts and triggers begin with."
  type        = string
  nullable    = false
}

variable "repository" {
  description = "The repository, as a connection of Cloud Build (2nd generation)."
  type        = string
  nullable    = false
}

variable "branch" {
  description = "Branch that is deployed."
  type        = string
  nullable    = false
}

variable "variables" {
  description = "Path of the variables file below terraform/."
  type        = string
  nullable    = false
}

variable "state_bucket" {
  description = "Bucket of the state, and of the plans."
  type        = string
  nullable    = false
}

variable "state_prefix" {
  description = "Prefix of the state in it."
  type        = string
  nullable    = false
}

variable "conference_solutions_secret" {
  description = "Version of the secret with the value of conference_solutions."
  type        = string
  nullable    = false
}

variable "acts_as" {
  description = "Full names of the accounts whose functions and schedules are deployed, by what they are for."
  type        = map(string)
  nullable    = false
}

variable "written_secret" {
  description = "Id of the secret that the functions read it from."
  type        = string
  nullable    = false
}

variable "packages_bucket" {
  description = "Bucket of the archives."
  type        = string
  nullable    = false
}

variable "images" {
  description = "Repository of the images."
  type        = object({ location = string, name = string })
  nullable    = false
}

variable "reads_load_balancer" {
  description = "Whether there is a load balancer to be read."
  type        = bool
  nullable    = false
}

variable "reads_budget_of" {
  description = "Billing account whose budget is to be read; null: there is none."
  type        = string
  default     = null
}
