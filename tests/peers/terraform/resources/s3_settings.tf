# The other settings of a bucket: ACL, logging, notification.

resource "aws_s3_bucket" "this" {
  bucket = "s3-settings-this"
}

resource "aws_s3_bucket" "logs" {
  bucket = "s3-settings-logs"
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  bucket = aws_s3_bucket.logs.id

  rule {
    object_ownership = "ObjectWriter"
  }
}

resource "aws_s3_bucket_acl" "logs" {
  bucket = aws_s3_bucket.logs.id
  acl    = var.step == 1 ? "private" : "log-delivery-write"

  depends_on = [aws_s3_bucket_ownership_controls.logs]
}

resource "aws_s3_bucket_logging" "this" {
  bucket        = aws_s3_bucket.this.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "step-${var.step}/"
}

resource "aws_s3_bucket_logging" "logs" {
  bucket        = aws_s3_bucket.logs.id
  target_bucket = aws_s3_bucket.logs.id
  target_prefix = "own/"

  target_object_key_format {
    partitioned_prefix {
      partition_date_source = var.step == 1 ? "EventTime" : "DeliveryTime"
    }
  }
}

resource "aws_s3_bucket_notification" "this" {
  bucket      = aws_s3_bucket.this.id
  eventbridge = var.step == 1
}

data "aws_canonical_user_id" "this" {}
