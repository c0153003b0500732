# Object Lock, of a bucket and of objects.

resource "aws_s3_bucket" "this" {
  bucket              = "s3-lock-this"
  object_lock_enabled = true
  force_destroy       = true
}

resource "aws_s3_bucket_object_lock_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    default_retention {
      mode = "GOVERNANCE"
      days = var.step == 1 ? 1 : 2
    }
  }
}

# Object Lock put on a bucket that is there already.
resource "aws_s3_bucket" "later" {
  bucket = "s3-lock-later"
}

resource "aws_s3_bucket_versioning" "later" {
  bucket = aws_s3_bucket.later.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_object_lock_configuration" "later" {
  bucket = aws_s3_bucket_versioning.later.bucket

  rule {
    default_retention {
      mode  = var.step == 1 ? "GOVERNANCE" : "COMPLIANCE"
      years = 1
    }
  }
}

resource "aws_s3_object" "held" {
  bucket                        = aws_s3_bucket.this.id
  key                           = "held"
  content                       = "hello"
  object_lock_legal_hold_status = var.step == 1 ? "ON" : "OFF"
  object_lock_mode              = "GOVERNANCE"
  object_lock_retain_until_date = var.step == 1 ? "2090-01-01T00:00:00Z" : "2091-01-01T00:00:00Z"
  force_destroy                 = true
}
