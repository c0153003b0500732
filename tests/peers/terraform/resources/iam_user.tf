# Users, their policies and access keys.

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
  name   = "iam-user-one"
  policy = data.aws_iam_policy_document.all.json
}

resource "aws_iam_policy" "two" {
  name   = "iam-user-two"
  policy = data.aws_iam_policy_document.all.json
}

resource "aws_iam_user" "this" {
  name                 = "iam-user-this"
  permissions_boundary = var.step == 1 ? aws_iam_policy.one.arn : null
  force_destroy        = true

  tags = {
    step = var.step
  }
}

# Its tags stay: the provider looks for the tags of a renamed user under its new name too early.
resource "aws_iam_user" "renamed" {
  name = "iam-user-step-${var.step}"
  path = var.step == 1 ? "/" : "/moved/"
}

resource "aws_iam_user" "holder" {
  name = "iam-user-holder"
}

resource "aws_iam_user_policy" "this" {
  name   = "inline"
  user   = aws_iam_user.holder.name
  policy = data.aws_iam_policy_document.rights.json
}

# REPLACED: an attachment cannot be changed.
resource "aws_iam_user_policy_attachment" "this" {
  user       = aws_iam_user.holder.name
  policy_arn = var.step == 1 ? aws_iam_policy.one.arn : aws_iam_policy.two.arn
}

resource "aws_iam_access_key" "this" {
  user   = aws_iam_user.holder.name
  status = var.step == 1 ? "Active" : "Inactive"
}

data "aws_iam_user" "this" {
  user_name = aws_iam_user.this.name
}
