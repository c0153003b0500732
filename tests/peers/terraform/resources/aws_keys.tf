# The keys that AWS manages, asked for before anything is encrypted under them.

data "aws_kms_alias" "s3" {
  name = "alias/aws/s3"
}

data "aws_kms_key" "s3" {
  key_id = "alias/aws/s3"
}

resource "aws_s3_bucket" "this" {
  bucket = "aws-keys-this"

  tags = {
    step = var.step
  }
}

resource "aws_s3_object" "this" {
  bucket                 = aws_s3_bucket.this.id
  key                    = "secret"
  content                = "step ${var.step}"
  server_side_encryption = "aws:kms"
  kms_key_id             = data.aws_kms_key.s3.arn
}
