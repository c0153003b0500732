# A managed policy found by its name, among those of AWS.

resource "aws_iam_policy" "this" {
  name = "iam-policy-by-name-this"
  path = "/theirs/"

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:ListBucket", Resource = "*" }]
  })
}

data "aws_iam_policy" "by_name" {
  name        = aws_iam_policy.this.name
  path_prefix = "/theirs/"
}
