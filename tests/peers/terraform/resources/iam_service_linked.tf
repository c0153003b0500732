# A role that a service made for itself, here the one of KMS's multi-Region keys.

resource "aws_iam_service_linked_role" "this" {
  aws_service_name = "mrk.kms.amazonaws.com"
  description      = "step ${var.step}"

  tags = {
    step = var.step
  }
}
