# Objects and copies of objects.

resource "aws_s3_bucket" "this" {
  bucket = "s3-objects-this"
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_kms_key" "this" {
  description = "of objects"
}

resource "aws_s3_object" "this" {
  bucket              = aws_s3_bucket_versioning.this.bucket
  key                 = "a folder/ä b+c%"
  content             = "step ${var.step}"
  content_type        = var.step == 1 ? "text/plain" : "text/html"
  cache_control       = "max-age=${var.step}"
  content_disposition = "attachment"
  content_encoding    = "identity"
  content_language    = var.step == 1 ? "en" : "de"
  storage_class       = var.step == 1 ? "STANDARD" : "STANDARD_IA"
  checksum_algorithm  = var.step == 1 ? "SHA256" : "CRC32"

  metadata = {
    step = var.step
  }

  tags = {
    step = var.step
  }
}

resource "aws_s3_object" "tagged" {
  bucket  = aws_s3_bucket_versioning.this.bucket
  key     = "only its tags change"
  content = "hello"

  tags = {
    step = var.step
  }
}

resource "aws_s3_object" "secret" {
  bucket             = aws_s3_bucket_versioning.this.bucket
  key                = "secret"
  content            = "hello"
  kms_key_id         = var.step == 1 ? aws_kms_key.this.arn : null
  bucket_key_enabled = var.step == 1
}

resource "aws_s3_object_copy" "this" {
  bucket             = aws_s3_bucket_versioning.this.bucket
  key                = "copy"
  source             = "${aws_s3_object.tagged.bucket}/${aws_s3_object.tagged.key}"
  storage_class      = var.step == 1 ? "STANDARD_IA" : "ONEZONE_IA"
  metadata_directive = "REPLACE"
  tagging_directive  = "REPLACE"

  metadata = {
    step = var.step
  }

  tags = {
    step = var.step
  }
}

data "aws_s3_object" "this" {
  bucket        = aws_s3_object.tagged.bucket
  key           = aws_s3_object.tagged.key
  checksum_mode = "ENABLED"
}

data "aws_s3_objects" "this" {
  bucket     = aws_s3_bucket.this.id
  prefix     = "a folder/"
  depends_on = [aws_s3_object.this]
}
