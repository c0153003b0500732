# Replication rules, between Regions and within one.

resource "aws_s3_bucket" "source" {
  bucket = "s3-replication-source"
}

resource "aws_s3_bucket" "destination" {
  provider = aws.far
  bucket   = "s3-replication-destination"
}

resource "aws_s3_bucket" "near" {
  bucket = "s3-replication-near"
}

resource "aws_s3_bucket_versioning" "source" {
  bucket = aws_s3_bucket.source.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_versioning" "destination" {
  provider = aws.far
  bucket   = aws_s3_bucket.destination.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_versioning" "near" {
  bucket = aws_s3_bucket.near.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_kms_key" "far" {
  provider = aws.far
}

# REPLACED: its name changes, so that the rules get another role.
resource "aws_iam_role" "this" {
  name = "s3-replication-${var.step}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sts:AssumeRole"
      },
    ]
  })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_s3_bucket_replication_configuration" "this" {
  bucket = aws_s3_bucket.source.id
  role   = aws_iam_role.this.arn

  rule {
    id       = "encrypted"
    priority = var.step
    status   = "Enabled"

    filter {
      prefix = "step-${var.step}/"
    }

    delete_marker_replication {
      status = var.step == 1 ? "Disabled" : "Enabled"
    }

    source_selection_criteria {
      sse_kms_encrypted_objects {
        status = "Enabled"
      }

      replica_modifications {
        status = var.step == 1 ? "Enabled" : "Disabled"
      }
    }

    destination {
      bucket        = aws_s3_bucket.destination.arn
      storage_class = var.step == 1 ? "STANDARD_IA" : "GLACIER_IR"

      encryption_configuration {
        replica_kms_key_id = aws_kms_key.far.arn
      }

      metrics {
        status = "Enabled"

        event_threshold {
          minutes = 15
        }
      }

      replication_time {
        status = "Enabled"

        time {
          minutes = 15
        }
      }
    }
  }

  rule {
    id       = "tagged"
    priority = 10
    status   = var.step == 1 ? "Enabled" : "Disabled"

    filter {
      tag {
        key   = "step"
        value = var.step
      }
    }

    delete_marker_replication {
      status = "Disabled"
    }

    destination {
      bucket = aws_s3_bucket.near.arn
    }
  }

  rule {
    id       = "both"
    priority = 11
    status   = "Enabled"

    filter {
      and {
        prefix = "both/"
        tags   = { a = "1", b = var.step }
      }
    }

    delete_marker_replication {
      status = "Disabled"
    }

    destination {
      bucket = aws_s3_bucket.near.arn
    }
  }

  depends_on = [
    aws_s3_bucket_versioning.source,
    aws_s3_bucket_versioning.destination,
    aws_s3_bucket_versioning.near,
  ]
}
