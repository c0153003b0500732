# Keys, replica keys, aliases, grants and key policies.

resource "aws_kms_key" "this" {
  description             = "step ${var.step}"
  multi_region            = true
  enable_key_rotation     = true
  rotation_period_in_days = var.step == 1 ? 180 : 365
  deletion_window_in_days = 7

  tags = {
    step = var.step
    kept = "a b+c=d"
  }
}

resource "aws_kms_key" "other" {
  description         = "another"
  is_enabled          = var.step == 1
  enable_key_rotation = var.step == 1

  policy = jsonencode({
    Version = "2012-10-17"
    Id      = "step-${var.step}"
    Statement = [
      {
        Sid       = "Root"
        Effect    = "Allow"
        Principal = { AWS = "arn:aws:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
    ]
  })
}

resource "aws_kms_replica_key" "this" {
  provider                = aws.far
  primary_key_arn         = aws_kms_key.this.arn
  description             = "replica, step ${var.step}"
  deletion_window_in_days = 7
  enabled                 = var.step == 1

  tags = {
    step = var.step
  }
}

resource "aws_kms_key_policy" "this" {
  key_id = aws_kms_key.this.key_id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "Root"
          Effect    = "Allow"
          Principal = { AWS = "*" }
          Action    = "kms:*"
          Resource  = "*"
          Condition = { StringEquals = { "kms:CallerAccount" = local.account } }
        },
      ],
      var.step == 1 ? [] : [
        {
          Sid       = "Role"
          Effect    = "Allow"
          Principal = { AWS = aws_iam_role.grantee.arn }
          Action    = ["kms:Decrypt", "kms:DescribeKey"]
          Resource  = "*"
        },
      ],
    )
  })
}

resource "aws_kms_alias" "this" {
  name          = "alias/kms/this"
  target_key_id = var.step == 1 ? aws_kms_key.this.key_id : aws_kms_key.second.key_id
}

resource "aws_kms_key" "second" {
  description = "what the alias names then"
}

resource "aws_iam_role" "grantee" {
  name = "kms-grantee"

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

# REPLACED: a grant cannot be changed.
resource "aws_kms_grant" "this" {
  name              = "step-${var.step}"
  key_id            = aws_kms_key.this.key_id
  grantee_principal = aws_iam_role.grantee.arn
  operations        = ["Decrypt", var.step == 1 ? "GenerateDataKey" : "DescribeKey"]
}

# REPLACED: a grant cannot be changed.
resource "aws_kms_grant" "constrained" {
  key_id                = aws_kms_key.this.key_id
  grantee_principal     = aws_iam_role.grantee.arn
  retiring_principal    = aws_iam_role.grantee.arn
  operations            = ["Encrypt", "Decrypt"]
  retire_on_delete      = var.step == 1
  grant_creation_tokens = []

  constraints {
    encryption_context_equals = {
      step = var.step
    }
  }
}

data "aws_caller_identity" "this" {}

locals {
  account = data.aws_caller_identity.this.account_id
}

data "aws_kms_key" "this" {
  key_id = aws_kms_key.this.arn
}

data "aws_kms_alias" "this" {
  name = aws_kms_alias.this.name
}

data "aws_kms_ciphertext" "this" {
  key_id    = aws_kms_key.this.key_id
  plaintext = "hello"
  context   = { purpose = "tests" }
}
