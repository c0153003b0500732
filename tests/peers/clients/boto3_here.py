"""What all walks of boto3 share: its buckets, its settings, and how it is told that it is refused.

Not for any walk.
"""

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from steps import MIB, same

HERE, THERE = "boto3-here", "boto3-there"
BY_PARTS = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB)


def refused(code, call, status=None):
    try:
        call()
    except ClientError as error:
        same(error.response["Error"]["Code"], code)
        if status:
            same(error.response["ResponseMetadata"]["HTTPStatusCode"], status)
        return error.response
    raise AssertionError(f"not refused with {code}")
