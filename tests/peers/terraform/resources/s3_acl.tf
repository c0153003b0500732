# ACLs of buckets: canned, and by an access control policy.

resource "aws_s3_bucket" "this" {
  bucket = "s3-acl-this"
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_acl" "this" {
  bucket = aws_s3_bucket.this.id

  access_control_policy {
    grant {
      permission = "FULL_CONTROL"

      grantee {
        type = "CanonicalUser"
        id   = data.aws_canonical_user_id.this.id
      }
    }

    grant {
      permission = var.step == 1 ? "WRITE" : "READ_ACP"

      grantee {
        type = "Group"
        uri  = "http://acs.amazonaws.com/groups/s3/LogDelivery"
      }
    }

    owner {
      id = data.aws_canonical_user_id.this.id
    }
  }

  depends_on = [aws_s3_bucket_ownership_controls.this]
}

data "aws_canonical_user_id" "this" {}

resource "aws_s3_bucket" "canned" {
  bucket = "s3-acl-canned"
}

resource "aws_s3_bucket_ownership_controls" "canned" {
  bucket = aws_s3_bucket.canned.id

  rule {
    object_ownership = "ObjectWriter"
  }
}

resource "aws_s3_bucket_acl" "canned" {
  bucket = aws_s3_bucket.canned.id
  acl    = var.step == 1 ? "private" : "log-delivery-write"

  depends_on = [aws_s3_bucket_ownership_controls.canned]
}
