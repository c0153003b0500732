# What every family's configuration begins with.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "far"
  region = "us-west-2"
}

# 1 makes the resources, 2 changes all that can be changed of them.
variable "step" {
  type = number
}
