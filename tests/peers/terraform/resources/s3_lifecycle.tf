# Lifecycle rules of every kind.

resource "aws_s3_bucket" "this" {
  bucket = "s3-lifecycle-this"
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

locals {
  sizes = ["all_storage_classes_128K", "varies_by_storage_class"]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket                                 = aws_s3_bucket.this.id
  transition_default_minimum_object_size = local.sizes[var.step - 1]

  rule {
    id     = "all"
    status = var.step == 1 ? "Enabled" : "Disabled"

    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.step == 1 ? 7 : 3
    }
  }

  rule {
    id     = "prefix"
    status = "Enabled"

    filter {
      prefix = "logs-${var.step}/"
    }

    transition {
      days          = 30
      storage_class = var.step == 1 ? "STANDARD_IA" : "INTELLIGENT_TIERING"
    }

    transition {
      days          = var.step == 1 ? 90 : 120
      storage_class = "GLACIER"
    }

    expiration {
      days = 365
    }
  }

  rule {
    id     = "versions"
    status = "Enabled"

    filter {
      tag {
        key   = "step"
        value = var.step
      }
    }

    noncurrent_version_transition {
      noncurrent_days = 30
      storage_class   = "DEEP_ARCHIVE"
    }

    noncurrent_version_expiration {
      noncurrent_days           = var.step == 1 ? 60 : 90
      newer_noncurrent_versions = var.step == 1 ? 2 : 5
    }
  }

  rule {
    id     = "sizes"
    status = "Enabled"

    filter {
      and {
        prefix                   = "big/"
        object_size_greater_than = 1000 * var.step
        object_size_less_than    = 100000
        tags                     = { a = "1", b = "2" }
      }
    }

    expiration {
      date = var.step == 1 ? "2090-01-01T00:00:00Z" : "2091-01-01T00:00:00Z"
    }
  }

  rule {
    id     = "markers"
    status = "Enabled"

    filter {
      prefix = "marked/"
    }

    expiration {
      expired_object_delete_marker = true
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}
