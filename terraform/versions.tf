terraform {
  required_version = ">= 1.11" # write-only arguments

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 6.50, < 8"
    }
    random = {
      source  = "hashicorp/random"
      version = ">= 3.7, < 4" # ephemeral passwords
    }
  }

  # A versioned bucket; see README.md. terraform init -backend-config=bucket=NAME
  backend "gcs" {
    prefix = "confsync"
  }
}
