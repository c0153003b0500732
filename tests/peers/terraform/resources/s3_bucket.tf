# A bucket and the settings of it that replication needs.

resource "aws_s3_bucket" "this" {
  bucket        = "s3-bucket-this"
  force_destroy = var.step == 2

  tags = {
    step    = var.step
    "a b"   = "c+d=e/f@g"
    removed = var.step == 1 ? "soon" : null
  }
}

resource "aws_s3_bucket" "far" {
  provider      = aws.far
  bucket_prefix = "s3-bucket-far-"

  tags = var.step == 1 ? {} : { now = "it has some" }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = var.step == 1 ? "Enabled" : "Suspended"
  }
}

resource "aws_s3_bucket_versioning" "far" {
  provider = aws.far
  bucket   = aws_s3_bucket.far.id

  versioning_configuration {
    status = var.step == 1 ? "Disabled" : "Enabled"
  }
}

resource "aws_kms_key" "this" {
  description = "of the bucket"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    bucket_key_enabled = var.step == 2

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.step == 1 ? "AES256" : "aws:kms"
      kms_master_key_id = var.step == 1 ? null : aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "far" {
  provider = aws.far
  bucket   = aws_s3_bucket.far.id

  rule {
    bucket_key_enabled = var.step == 1

    apply_server_side_encryption_by_default {
      sse_algorithm = var.step == 1 ? "aws:kms" : "aws:kms:dsse"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = var.step == 1
  block_public_policy     = true
  ignore_public_acls      = var.step == 2
  restrict_public_buckets = var.step == 1
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = var.step == 1 ? "BucketOwnerPreferred" : "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.this.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_request_payment_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  payer  = var.step == 1 ? "Requester" : "BucketOwner"
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "Step${var.step}"
    effect    = "Deny"
    actions   = ["s3:PutBucketWebsite", var.step == 1 ? "s3:PutBucketCORS" : "s3:PutBucketAcl"]
    resources = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

data "aws_s3_bucket" "this" {
  bucket = aws_s3_bucket.this.id
}

data "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket_policy.this.id
}

data "aws_canonical_user_id" "this" {}
