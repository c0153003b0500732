# What some manifests say exists already: made by Terraform before any pair is.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "far"
  region = "us-west-2"
}

provider "aws" {
  alias   = "archive"
  region  = "eu-west-1"
  profile = "archive"
}

# existing-role: may do all that replication needs, as somebody else wrote it.
resource "aws_iam_role" "replication" {
  name = "replication"
  path = "/service-role/"

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
}

resource "aws_iam_role_policy" "replication" {
  name = "theirs"
  role = aws_iam_role.replication.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:GetReplicationConfiguration", "s3:ListBucket"]
        Resource = ["arn:aws:s3:::existing-role-111122223333-*"]
      },
      {
        Effect = "Allow"
        Action = [
          "s3:GetObjectVersionForReplication",
          "s3:GetObjectVersionAcl",
          "s3:GetObjectVersionTagging",
          "s3:ReplicateObject",
          "s3:ReplicateDelete",
          "s3:ReplicateTags",
        ]
        Resource = ["arn:aws:s3:::existing-role-111122223333-*/*"]
      },
      {
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"]
        Resource = "arn:aws:kms:*:111122223333:key/*"
      },
    ]
  })
}

# existing-keys: one a Region, each under the same alias.
resource "aws_kms_key" "near" {
  description = "somebody else's"
}

resource "aws_kms_alias" "near" {
  name          = "alias/theirs"
  target_key_id = aws_kms_key.near.key_id
}

resource "aws_kms_key" "far" {
  provider    = aws.far
  description = "somebody else's"
}

resource "aws_kms_alias" "far" {
  provider      = aws.far
  name          = "alias/theirs"
  target_key_id = aws_kms_key.far.key_id
}

# assumed-role: the other account lets the source's account in.
resource "aws_iam_role" "setup" {
  provider = aws.archive
  name     = "replication-setup"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::111122223333:root" }
        Action    = "sts:AssumeRole"
      },
    ]
  })
}

resource "aws_iam_role_policy" "setup" {
  provider = aws.archive
  name     = "setup"
  role     = aws_iam_role.setup.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:*", "kms:*", "iam:*"]
        Resource = "*"
      },
    ]
  })
}

# Roles may not be assumed by an account's root: both tools work as this user.
resource "aws_iam_user" "operator" {
  name = "operator"
}

resource "aws_iam_user_policy" "operator" {
  name = "all"
  user = aws_iam_user.operator.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = ["s3:*", "kms:*", "iam:*", "sts:*", "cloudwatch:*"]
        Resource = "*"
      },
    ]
  })
}

resource "aws_iam_access_key" "operator" {
  user = aws_iam_user.operator.name
}

output "key" {
  value = aws_iam_access_key.operator.id
}

output "secret" {
  value     = aws_iam_access_key.operator.secret
  sensitive = true
}

# logging: buckets for access logs, one a Region.
resource "aws_s3_bucket" "logs_near" {
  bucket = "access-logs-111122223333-us-east-1"
}

resource "aws_s3_bucket_policy" "logs_near" {
  bucket = aws_s3_bucket.logs_near.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.logs_near.arn}/*"
        Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
      },
    ]
  })
}

resource "aws_s3_bucket" "logs_far" {
  provider = aws.far
  bucket   = "access-logs-111122223333-us-west-2"
}

resource "aws_s3_bucket_policy" "logs_far" {
  provider = aws.far
  bucket   = aws_s3_bucket.logs_far.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "logging.s3.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.logs_far.arn}/*"
        Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
      },
    ]
  })
}

# alerts: a topic that S3 may publish to.
resource "aws_sns_topic" "alerts" {
  name = "replication-alerts"
}

resource "aws_sns_topic_policy" "alerts" {
  arn = aws_sns_topic.alerts.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "s3.amazonaws.com" }
        Action    = "sns:Publish"
        Resource  = aws_sns_topic.alerts.arn
        Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
      },
    ]
  })
}
