# Managed policies: their versions, tags and descriptions.

data "aws_iam_policy_document" "rights" {
  statement {
    actions   = var.step == 1 ? ["s3:GetObject"] : ["s3:GetObject", "s3:ListBucket"]
    resources = ["arn:aws:s3:::*"]
  }
}

resource "aws_iam_policy" "this" {
  name        = "iam-policy-this"
  path        = "/theirs/"
  description = "kept"
  policy      = data.aws_iam_policy_document.rights.json

  tags = {
    step = var.step
  }
}

resource "aws_iam_policy" "untagged" {
  name_prefix = "iam-policy-"
  description = "kept"
  policy      = data.aws_iam_policy_document.rights.json
}

data "aws_iam_policy" "this" {
  arn = aws_iam_policy.untagged.arn
}
