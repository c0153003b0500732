# What is asked of IAM and STS without making anything of it.

data "aws_caller_identity" "this" {}

data "aws_partition" "this" {}

data "aws_region" "this" {}

resource "aws_iam_role" "this" {
  name = "iam-data-this"
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

resource "aws_iam_role_policy" "this" {
  name = "inline"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "s3:GetObject", Resource = "*" }]
  })
}

data "aws_iam_role" "this" {
  name = aws_iam_role.this.name
}

data "aws_iam_roles" "this" {
  path_prefix = "/service-role/"
  depends_on  = [aws_iam_role.this]
}

data "aws_iam_session_context" "this" {
  arn = data.aws_caller_identity.this.arn
}

data "aws_iam_principal_policy_simulation" "this" {
  action_names      = ["s3:GetObject", "s3:PutObject"]
  policy_source_arn = aws_iam_role.this.arn
  depends_on        = [aws_iam_role_policy.this]
}

# What they said, so that it is compared.
resource "terraform_data" "told" {
  input = {
    partition = data.aws_partition.this.partition
    account   = data.aws_caller_identity.this.account_id
    region    = data.aws_region.this.name
    issuer    = data.aws_iam_session_context.this.issuer_arn
    role      = data.aws_iam_role.this.arn
    roles     = join(",", data.aws_iam_roles.this.names)
    allowed   = join(",", data.aws_iam_principal_policy_simulation.this.results[*].allowed)
  }

  lifecycle {
    postcondition {
      condition = self.output == {
        partition = "aws"
        account   = "111122223333"
        region    = "us-east-1"
        issuer    = "arn:aws:iam::111122223333:root"
        role      = "arn:aws:iam::111122223333:role/service-role/iam-data-this"
        roles     = "iam-data-this"
        allowed   = "true,false"
      }
      error_message = "Another answer was expected: ${jsonencode(self.output)}"
    }
  }
}
