variable "project_id" {
  description = "Project of the function."
  type        = string
  nullable    = false
}

variable "region" {
  description = "Region of the function."
  type        = string
  nullable    = false
}

variable "name" {
  description = "Name of the function and of the Cloud Run service behind it."
  type        = string
  nullable    = false
}

variable "account_id" {
  description = "Id of the service account that the function runs as: its own, nobody else's."
  type        = string
  nullable    = false
}

variable "description" {
  description = "What the function is for, as the console shows it."
  type        = string
  nullable    = false
}

variable "entry_point" {
  description = "Name of the Python function in main.py."
  type        = string
  nullable    = false
}

variable "package" {
  description = "Path of the archive that make package built."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.package)
    error_message = "There is no ${var.package}: run make package first."
  }
}

variable "build" {
  description = "What builds the function: Python runtime, bucket of the archives, account of the build, repository of the images."
  type = object({
    runtime         = string
    bucket          = string
    service_account = string
    repository      = string
  })
  nullable = false
}

variable "size" {
  description = "How much of it there is. One thread for each request that an instance takes at a time."
  type = object({
    concurrency   = number
    max_instances = number
    min_instances = number
    memory_mib    = number
  })
  nullable = false
}

variable "timeout_seconds" {
  description = "How long a request may take."
  type        = number
  nullable    = false
}

variable "ingress_settings" {
  description = "From where requests may come; who may call is said by invokers."
  type        = string
  default     = "ALLOW_ALL"
  nullable    = false
}

variable "environment" {
  description = "Settings, by the name of their environment variable."
  type        = map(string)
  nullable    = false
}

variable "secrets" {
  description = "Settings that are secret, by the name of their environment variable: id of the secret, number of its version."
  type        = map(object({ secret = string, version = string }))
  default     = {}
  nullable    = false
}

variable "invokers" {
  description = "Who may call the function, by any name."
  type        = map(string)
  default     = {}
  nullable    = false
}
