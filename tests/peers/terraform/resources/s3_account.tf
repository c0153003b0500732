# What S3 Control keeps of an account.

resource "aws_s3_account_public_access_block" "this" {
  block_public_acls       = var.step == 1
  block_public_policy     = true
  ignore_public_acls      = var.step == 2
  restrict_public_buckets = var.step == 1
}
