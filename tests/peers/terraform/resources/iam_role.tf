# A role, its inline policy and what is attached to it.

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "trust" {
  statement {
    sid     = "Step${var.step}"
    actions = var.step == 1 ? ["sts:AssumeRole"] : ["sts:AssumeRole", "sts:TagSession"]

    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com", "batchoperations.s3.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

data "aws_iam_policy_document" "rights" {
  statement {
    actions   = var.step == 1 ? ["s3:GetObject"] : ["s3:GetObject", "s3:ListBucket"]
    resources = ["arn:aws:s3:::*"]
  }
}

data "aws_iam_policy_document" "all" {
  statement {
    actions   = ["*"]
    resources = ["*"]
  }
}

resource "aws_iam_policy" "one" {
  name   = "iam-role-one"
  policy = data.aws_iam_policy_document.all.json
}

resource "aws_iam_policy" "two" {
  name   = "iam-role-two"
  policy = data.aws_iam_policy_document.all.json
}

resource "aws_iam_role" "this" {
  name                  = "iam-role-this"
  path                  = "/service-role/"
  description           = "step ${var.step}"
  max_session_duration  = 3600 * var.step
  assume_role_policy    = data.aws_iam_policy_document.trust.json
  permissions_boundary  = var.step == 1 ? aws_iam_policy.one.arn : aws_iam_policy.two.arn
  force_detach_policies = true

  tags = {
    step    = var.step
    removed = var.step == 1 ? "soon" : null
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "inline"
  role   = aws_iam_role.this.name
  policy = data.aws_iam_policy_document.rights.json
}

# REPLACED: an attachment cannot be changed.
resource "aws_iam_role_policy_attachment" "this" {
  role       = aws_iam_role.this.name
  policy_arn = var.step == 1 ? aws_iam_policy.one.arn : aws_iam_policy.two.arn
}
