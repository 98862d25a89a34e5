variable "project_id" {
  description = "Project of the load balancer."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the service behind it."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Name of each of its parts."
  type        = string
  nullable    = false
}

variable "service" {
  description = "Name of the Cloud Run service behind it."
  type        = string
  nullable    = false
}

variable "host" {
  description = "Host name that it answers for, as in its certificate."
  type        = string
  nullable    = false
}

variable "max_requests_per_minute" {
  description = "What Cloud Armor lets one address send; null: no Cloud Armor."
  type        = number
  default     = null
}
