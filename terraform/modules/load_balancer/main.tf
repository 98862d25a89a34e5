# A public HTTPS address in front of one Cloud Run service. It does not prove to the service who calls: that check is the
# service's own, and a load balancer has no identity to pass it with.

resource "google_compute_global_address" "main" {
  project     = var.project_id
  name        = var.name
  description = "Where ${var.host} points to."
}

resource "google_compute_region_network_endpoint_group" "main" {
  project               = var.project_id
  name                  = var.name
  region                = var.region
  network_endpoint_type = "SERVERLESS"

  # A function has a Cloud Run service of the same name.
  cloud_run {
    service = var.service
  }
}

resource "google_compute_backend_service" "main" {
  project               = var.project_id
  name                  = var.name
  description           = "Hands requests on to ${var.service}."
  load_balancing_scheme = "EXTERNAL_MANAGED"
  security_policy       = one(google_compute_security_policy.main[*].id)

  backend {
    group = google_compute_region_network_endpoint_group.main.id
  }

  # Cloud Run logs what arrives there; this is for what does not.
  log_config {
    enable      = var.max_requests_per_minute != null
    sample_rate = var.max_requests_per_minute != null ? 1 : null
  }
}

resource "google_compute_security_policy" "main" {
  #checkov:skip=CKV_GCP_73:Nothing behind it is written in Java
  count = var.max_requests_per_minute == null ? 0 : 1

  project     = var.project_id
  name        = var.name
  description = "No address sends more to ${var.host} than is agreed."

  rule {
    description = "Too many requests of one address"
    priority    = 1000
    action      = "throttle"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }

    rate_limit_options {
      conform_action = "allow"
      exceed_action  = "deny(502)" # after 502 Calendar sends a notification again; after 429 it is lost
      enforce_on_key = "IP"

      rate_limit_threshold {
        count        = var.max_requests_per_minute
        interval_sec = 60
      }
    }
  }

  rule {
    description = "Everything else"
    priority    = 2147483647
    action      = "allow"

    match {
      versioned_expr = "SRC_IPS_V1"

      config {
        src_ip_ranges = ["*"]
      }
    }
  }
}

resource "google_compute_managed_ssl_certificate" "main" {
  project = var.project_id
  name    = "${var.name}-${substr(sha256(var.host), 0, 8)}" # another host is another certificate

  managed {
    domains = [var.host]
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "google_compute_ssl_policy" "main" {
  project         = var.project_id
  name            = var.name
  profile         = "MODERN"
  min_tls_version = "TLS_1_2"
}

resource "google_compute_url_map" "main" {
  project         = var.project_id
  name            = var.name
  default_service = google_compute_backend_service.main.id
}

resource "google_compute_target_https_proxy" "main" {
  project          = var.project_id
  name             = var.name
  url_map          = google_compute_url_map.main.id
  ssl_certificates = [google_compute_managed_ssl_certificate.main.id]
  ssl_policy       = google_compute_ssl_policy.main.id
}

# HTTPS alone: Calendar and add-ons call nothing else.
resource "google_compute_global_forwarding_rule" "main" {
  project               = var.project_id
  name                  = var.name
  load_balancing_scheme = "EXTERNAL_MANAGED"
  ip_address            = google_compute_global_address.main.id
  port_range            = "443"
  target                = google_compute_target_https_proxy.main.id
}
