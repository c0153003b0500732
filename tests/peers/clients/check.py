"""Runs the walks of all clients, two at a time, against whatever AWS_ENDPOINT_URL names.

Not for starting the sandbox or for installing the clients: `run` beside this file does both and
calls this.

Each step prints one line. The exit code is 0 only when every step passed.
"""

import concurrent.futures
import pathlib
import sys
import tempfile
import time

import with_boto3
import with_minio
import with_rclone
import with_s3cmd
import with_s5cmd
from steps import Steps, admin

WALKS = {
    "boto3": with_boto3.walk,
    "minio-py": with_minio.walk,
    "rclone": with_rclone.walk,
    "s3cmd": with_s3cmd.walk,
    "s5cmd": with_s5cmd.walk,
}
AT_ONCE = 2


def walked(client):
    step, began = Steps(client), time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, step("goes to its end"):
        WALKS[client](step, pathlib.Path(scratch))
    print(f"     {client}: {time.monotonic() - began:.0f} s", flush=True)
    return step.passed, step.failed


def main():
    wanted = sys.argv[1:] or list(WALKS)
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as workers:
        sums = list(workers.map(walked, wanted))
    passed, failed = (sum(one) for one in zip(*sums))
    left = [bucket["Name"] for bucket in admin().list_buckets()["Buckets"]]
    if left:
        failed += 1
        print(f"FAIL buckets are left: {left}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
