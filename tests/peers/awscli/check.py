"""Takes a replicated pair through its whole life with the AWS CLI and with boto3, against whatever AWS_ENDPOINT_URL names.

Not for starting the sandbox or for its own Python: `run` beside this file does both and calls this.
The clients get no special handling: no path style, no signature version, no checksum settings.

Each check prints one line. The exit code is 0 only when every check passed.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SOURCE, DESTINATION = "us-east-1", "us-west-2"
ACCOUNT = "111122223333"


class Checks:
    """Prints one line a check and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def that(self, what, is_so, seen=""):
        if is_so:
            self.passed += 1
            print(f"ok   {what}")
        else:
            self.failed += 1
            print(f"FAIL {what}: {seen}")


checks = Checks()


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


TRUST = policy({"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sts:AssumeRole"})
ROLE = policy({"Effect": "Allow", "Action": ["s3:*", "kms:*"], "Resource": "*"})


def rules(bucket, key, role):
    return {
        "Role": role,
        "Rules": [
            {
                "ID": "all",
                "Priority": 1,
                "Status": "Enabled",
                "Filter": {"Prefix": ""},
                "DeleteMarkerReplication": {"Status": "Disabled"},
                "SourceSelectionCriteria": {"SseKmsEncryptedObjects": {"Status": "Enabled"}},
                "Destination": {
                    "Bucket": f"arn:aws:s3:::{bucket}",
                    "EncryptionConfiguration": {"ReplicaKmsKeyID": key},
                },
            }
        ],
    }


def encryption(key):
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    return {"Rules": [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]}


def settled(head):
    """Asks until a version is no longer PENDING."""
    for _ in range(200):
        status = head().get("ReplicationStatus")
        if status != "PENDING":
            return status
        time.sleep(0.02)
    return "PENDING"


def refused(what, code, call):
    try:
        call()
        checks.that(what, False, "it was done")
    except ClientError as error:
        seen = error.response["Error"]["Code"]
        checks.that(what, seen == code, seen)


def with_boto3(scratch):
    source, destination = f"boto-src-{ACCOUNT}", f"boto-dst-{ACCOUNT}"
    clients = {
        (service, region): boto3.client(service, region_name=region)
        for service in ("s3", "kms", "iam", "sts")
        for region in (SOURCE, DESTINATION)
    }
    kms, there = clients["kms", SOURCE], clients["kms", DESTINATION]
    s3, west, iam = clients["s3", SOURCE], clients["s3", DESTINATION], clients["iam", SOURCE]
    who = clients["sts", SOURCE].get_caller_identity()
    checks.that("boto3: who am I", who["Account"] == ACCOUNT, who)

    key = kms.create_key(MultiRegion=True, Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
    replica = kms.replicate_key(KeyId=key["KeyId"], ReplicaRegion=DESTINATION)["ReplicaKeyMetadata"]
    checks.that("boto3: one id in both Regions", key["KeyId"] == replica["KeyId"], replica)
    kms.create_alias(AliasName="alias/boto", TargetKeyId=key["KeyId"])
    listed = [alias["AliasName"] for page in kms.get_paginator("list_aliases").paginate() for alias in page["Aliases"]]
    checks.that("boto3: the alias is listed", "alias/boto" in listed, listed)
    kms.enable_key_rotation(KeyId=key["KeyId"], RotationPeriodInDays=180)
    rotation = there.get_key_rotation_status(KeyId=replica["KeyId"])
    checks.that("boto3: rotation is shared", rotation["RotationPeriodInDays"] == 180, rotation)
    secret = kms.encrypt(KeyId="alias/boto", Plaintext=b"hello", EncryptionContext={"for": "tests"})
    opened = there.decrypt(CiphertextBlob=secret["CiphertextBlob"], EncryptionContext={"for": "tests"})
    checks.that("boto3: decrypts in the other Region", opened["Plaintext"] == b"hello", opened)
    refused("boto3: not without the context", "InvalidCiphertextException", lambda: there.decrypt(CiphertextBlob=secret["CiphertextBlob"]))

    s3.create_bucket(Bucket=source)
    west.create_bucket(Bucket=destination, CreateBucketConfiguration={"LocationConstraint": DESTINATION})
    s3.get_waiter("bucket_exists").wait(Bucket=source)
    for client, bucket, own in ((s3, source, key), (west, destination, replica)):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        client.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=encryption(own["Arn"]))
    role = iam.create_role(RoleName="boto", Path="/service-role/", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    iam.put_role_policy(RoleName="boto", PolicyName="p", PolicyDocument=ROLE)
    kept = iam.get_role_policy(RoleName="boto", PolicyName="p")["PolicyDocument"]
    checks.that("boto3: the role's policy comes back", kept == json.loads(ROLE), kept)
    configuration = rules(destination, replica["Arn"], role)
    s3.put_bucket_replication(Bucket=source, ReplicationConfiguration=configuration)
    kept = s3.get_bucket_replication(Bucket=source)["ReplicationConfiguration"]
    checks.that("boto3: the rule comes back", kept == configuration, kept)

    version = s3.put_object(Bucket=source, Key="a/ä b+c", Body=b"hello", Tagging="team=storage", Metadata={"colour": "blue"})["VersionId"]
    status = settled(lambda: s3.head_object(Bucket=source, Key="a/ä b+c", VersionId=version))
    checks.that("boto3: COMPLETED", status == "COMPLETED", status)
    copy = west.get_object(Bucket=destination, Key="a/ä b+c", VersionId=version, ChecksumMode="ENABLED")
    body = copy["Body"].read()
    checks.that("boto3: the replica's body", body == b"hello", body)
    seen = (copy["ReplicationStatus"], copy["SSEKMSKeyId"], copy["Metadata"], copy["TagCount"])
    checks.that("boto3: the replica's head", seen == ("REPLICA", replica["Arn"], {"colour": "blue"}, 1), seen)

    big = os.path.join(scratch, "big")
    data = os.urandom(1 << 20) * 20
    with open(big, "wb") as file:
        file.write(data)
    s3.upload_file(big, source, "big")
    status = settled(lambda: s3.head_object(Bucket=source, Key="big"))
    checks.that("boto3: a multipart upload is COMPLETED", status == "COMPLETED", status)
    west.download_file(destination, "big", big + ".back")
    with open(big + ".back", "rb") as file:
        same = hashlib.sha256(file.read()).digest() == hashlib.sha256(data).digest()
    checks.that("boto3: and comes back whole from the other side", same)
    # boto3 still presigns with Signature Version 2 unless told otherwise, which S3 refuses for every bucket made since June 2020.
    signer = boto3.client("s3", region_name=DESTINATION, config=Config(signature_version="s3v4"))
    url = signer.generate_presigned_url("get_object", Params={"Bucket": destination, "Key": "a/ä b+c"})
    body = urllib.request.urlopen(url).read()
    checks.that("boto3: presigned", body == b"hello", body)
    status = west.get_bucket_versioning(Bucket=source)["Status"]
    checks.that("boto3: is sent on to the bucket's own Region", status == "Enabled", status)
    refused("boto3: a bucket with objects stays", "BucketNotEmpty", lambda: s3.delete_bucket(Bucket=source))

    iam.create_user(UserName="limited")
    iam.put_user_policy(UserName="limited", PolicyName="p", PolicyDocument=policy({"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}))
    own = iam.create_access_key(UserName="limited")["AccessKey"]
    limited = boto3.client("s3", region_name=SOURCE, aws_access_key_id=own["AccessKeyId"], aws_secret_access_key=own["SecretAccessKey"])
    listed = limited.list_objects_v2(Bucket=source)["KeyCount"]
    checks.that("boto3: a limited user lists", listed == 2, listed)
    refused("boto3: and reads nothing", "AccessDenied", lambda: limited.get_object(Bucket=source, Key="big"))
    simulated = iam.simulate_principal_policy(PolicySourceArn=f"arn:aws:iam::{ACCOUNT}:user/limited", ActionNames=["s3:ListBucket", "s3:GetObject"])
    decisions = [result["EvalDecision"] for result in simulated["EvaluationResults"]]
    checks.that("boto3: the simulator agrees", decisions == ["allowed", "implicitDeny"], decisions)
    iam.delete_access_key(UserName="limited", AccessKeyId=own["AccessKeyId"])
    iam.delete_user_policy(UserName="limited", PolicyName="p")
    iam.delete_user(UserName="limited")

    s3.delete_bucket_replication(Bucket=source)
    for region, bucket in ((SOURCE, source), (DESTINATION, destination)):
        boto3.resource("s3", region_name=region).Bucket(bucket).object_versions.delete()
        clients["s3", region].delete_bucket(Bucket=bucket)
    iam.delete_role_policy(RoleName="boto", PolicyName="p")
    iam.delete_role(RoleName="boto")
    kms.delete_alias(AliasName="alias/boto")
    there.schedule_key_deletion(KeyId=replica["KeyId"], PendingWindowInDays=7)
    state = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)["KeyState"]
    checks.that("boto3: the primary waits for its replica", state == "PendingReplicaDeletion", state)
    left = s3.list_buckets()["Buckets"]
    checks.that("boto3: no bucket is left", left == [], left)


# S3 Control's host has the account in front, which no resolver finds: the sandbox is its own proxy.
BY_PROXY = {"HTTP_PROXY": os.environ["AWS_ENDPOINT_URL"]}
BATCH_TRUST = TRUST.replace("s3.amazonaws.com", "batchoperations.s3.amazonaws.com")


def job(bucket, role):
    return {
        "Operation": {"S3ReplicateObject": {}},
        "Report": {"Enabled": True, "Bucket": f"arn:aws:s3:::{bucket}", "Prefix": "reports", "Format": "Report_CSV_20180820", "ReportScope": "AllTasks"},
        "ManifestGenerator": {
            "S3JobManifestGenerator": {
                "SourceBucket": f"arn:aws:s3:::{bucket}",
                "EnableManifestOutput": False,
                "Filter": {"EligibleForReplication": True, "ObjectReplicationStatuses": ["NONE", "FAILED"]},
            }
        },
        "Priority": 1,
        "RoleArn": role,
    }


def ended(describe):
    """Polls until a batch job has ended and returns it."""
    for _ in range(200):
        found = describe()["Job"]
        if found["Status"] in ("Complete", "Failed", "Cancelled"):
            break
        time.sleep(0.05)
    return found


def batch_with_boto3(_scratch):
    s3, iam = boto3.client("s3", region_name=SOURCE), boto3.client("iam", region_name=SOURCE)
    west = boto3.client("s3", region_name=DESTINATION)
    control = boto3.client("s3control", region_name=SOURCE, config=Config(proxies={"http": os.environ["AWS_ENDPOINT_URL"]}))
    source, destination = "boto-batch-src", "boto-batch-dst"
    s3.create_bucket(Bucket=source)
    west.create_bucket(Bucket=destination, CreateBucketConfiguration={"LocationConstraint": DESTINATION})
    for client, bucket in ((s3, source), (west, destination)):
        client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    roles = {}
    for name, trust in (("boto-live", TRUST), ("boto-batch", BATCH_TRUST)):
        roles[name] = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=ROLE)
    s3.put_object(Bucket=source, Key="old/ä b", Body=b"before the rule")
    rule = {"ID": "all", "Priority": 1, "Status": "Enabled", "Filter": {"Prefix": "old/"}, "DeleteMarkerReplication": {"Status": "Disabled"}}
    rule["Destination"] = {"Bucket": f"arn:aws:s3:::{destination}"}
    s3.put_bucket_replication(Bucket=source, ReplicationConfiguration={"Role": roles["boto-live"], "Rules": [rule]})
    made = control.create_job(AccountId=ACCOUNT, ConfirmationRequired=True, ClientRequestToken="t", **job(source, roles["boto-batch"]))
    found = {"Status": ""}
    for _ in range(200):
        found = control.describe_job(AccountId=ACCOUNT, JobId=made["JobId"])["Job"]
        if found["Status"] == "Suspended":
            break
        time.sleep(0.05)
    checks.that("boto3: a batch job waits for confirmation", found["Status"] == "Suspended", found)
    control.update_job_status(AccountId=ACCOUNT, JobId=made["JobId"], RequestedJobStatus="Ready")
    found = ended(lambda: control.describe_job(AccountId=ACCOUNT, JobId=made["JobId"]))
    summary = found.get("ProgressSummary", {})
    checks.that("boto3: the batch job is Complete", found["Status"] == "Complete" and summary["NumberOfTasksSucceeded"] == 1, found)
    checks.that("boto3: and shows what it was asked", found["ManifestGenerator"] == job(source, "")["ManifestGenerator"], found)
    status = west.head_object(Bucket=destination, Key="old/ä b")["ReplicationStatus"]
    checks.that("boto3: the old object is a replica", status == "REPLICA", status)
    report = f"reports/job-{made['JobId']}/manifest.json"
    report = json.loads(s3.get_object(Bucket=source, Key=report)["Body"].read())
    rows = s3.get_object(Bucket=source, Key=report["Results"][0]["Key"])["Body"].read().decode()
    checks.that("boto3: the report names it", rows.startswith(f"{source},old/%C3%A4%20b,"), rows)
    arn = f"arn:aws:s3:::{source}"
    control.tag_resource(AccountId=ACCOUNT, ResourceArn=arn, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    control.untag_resource(AccountId=ACCOUNT, ResourceArn=arn, TagKeys=["a"])
    tags = control.list_tags_for_resource(AccountId=ACCOUNT, ResourceArn=arn)["Tags"]
    checks.that("boto3: tags of a bucket", tags == [{"Key": "b", "Value": "2"}], tags)
    s3.delete_bucket_replication(Bucket=source)
    for region, bucket in ((SOURCE, source), (DESTINATION, destination)):
        boto3.resource("s3", region_name=region).Bucket(bucket).object_versions.delete()
        boto3.client("s3", region_name=region).delete_bucket(Bucket=bucket)
    for name in roles:
        iam.delete_role_policy(RoleName=name, PolicyName="p")
        iam.delete_role(RoleName=name)


def aws(*arguments, region=SOURCE, **more):
    """Runs the AWS CLI and returns what it printed, parsed where it is JSON."""
    command = ["aws", "--region", region, "--output", "json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env={**os.environ, **more})
    if done.returncode != 0:
        raise RuntimeError(f"aws {' '.join(arguments)}: {done.stderr.strip()}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        return done.stdout


def with_the_cli(scratch):
    source, destination = f"cli-src-{ACCOUNT}", f"cli-dst-{ACCOUNT}"
    key = aws("kms", "create-key", "--multi-region")["KeyMetadata"]
    replica = aws("kms", "replicate-key", "--key-id", key["KeyId"], "--replica-region", DESTINATION)["ReplicaKeyMetadata"]
    aws("kms", "create-alias", "--alias-name", "alias/cli", "--target-key-id", key["KeyId"])
    checks.that("aws: keys", key["KeyId"] == replica["KeyId"])
    aws("s3", "mb", f"s3://{source}")
    aws("s3", "mb", f"s3://{destination}", region=DESTINATION)
    for region, bucket, own in ((SOURCE, source, key), (DESTINATION, destination, replica)):
        aws("s3api", "put-bucket-versioning", "--bucket", bucket, "--versioning-configuration", "Status=Enabled", region=region)
        aws("s3api", "put-bucket-encryption", "--bucket", bucket, "--server-side-encryption-configuration", json.dumps(encryption(own["Arn"])), region=region)
    role = aws("iam", "create-role", "--role-name", "cli", "--assume-role-policy-document", TRUST)["Role"]["Arn"]
    aws("iam", "put-role-policy", "--role-name", "cli", "--policy-name", "p", "--policy-document", ROLE)
    aws("s3api", "put-bucket-replication", "--bucket", source, "--replication-configuration", json.dumps(rules(destination, replica["Arn"], role)))
    checks.that("aws: buckets, role and rule", True)

    small, big = os.path.join(scratch, "small"), os.path.join(scratch, "cli-big")
    for path, size in ((small, 1000), (big, 20 << 20)):
        with open(path, "wb") as file:
            file.write(os.urandom(size))
        name = os.path.basename(path)
        aws("s3", "cp", path, f"s3://{source}/{name}")
        status = settled(lambda name=name: aws("s3api", "head-object", "--bucket", source, "--key", name))
        checks.that(f"aws: {name} is COMPLETED", status == "COMPLETED", status)
        aws("s3", "cp", f"s3://{destination}/{name}", path + ".back", region=DESTINATION)
        with open(path, "rb") as one, open(path + ".back", "rb") as other:
            checks.that(f"aws: {name} comes back whole from the other side", one.read() == other.read())
    listed = aws("s3", "ls", f"s3://{destination}", region=DESTINATION)
    checks.that("aws: s3 ls", "small" in listed and "cli-big" in listed, listed)

    aws("iam", "create-role", "--role-name", "cli-batch", "--assume-role-policy-document", BATCH_TRUST)
    aws("iam", "put-role-policy", "--role-name", "cli-batch", "--policy-name", "p", "--policy-document", ROLE)
    asked = job(source, f"arn:aws:iam::{ACCOUNT}:role/cli-batch")
    asked["ManifestGenerator"]["S3JobManifestGenerator"]["Filter"] = {"ObjectReplicationStatuses": ["COMPLETED"]}
    asked = json.dumps({**asked, "AccountId": ACCOUNT, "ConfirmationRequired": False, "ClientRequestToken": "cli"})
    made = aws("s3control", "create-job", "--cli-input-json", asked, **BY_PROXY)["JobId"]
    found = ended(lambda: aws("s3control", "describe-job", "--account-id", ACCOUNT, "--job-id", made, **BY_PROXY))
    summary = found.get("ProgressSummary", {})
    checks.that("aws: a batch job finds nothing left to do", summary.get("NumberOfTasksFailed") == 2, found)
    listed = aws("s3control", "list-jobs", "--account-id", ACCOUNT, "--job-statuses", "Complete", **BY_PROXY)["Jobs"]
    checks.that("aws: jobs are listed", made in [entry["JobId"] for entry in listed], listed)
    aws("iam", "delete-role-policy", "--role-name", "cli-batch", "--policy-name", "p")
    aws("iam", "delete-role", "--role-name", "cli-batch")

    aws("s3api", "delete-bucket-replication", "--bucket", source)
    for region, bucket in ((SOURCE, source), (DESTINATION, destination)):
        versions = aws("s3api", "list-object-versions", "--bucket", bucket, region=region)["Versions"]
        for version in versions:
            aws("s3api", "delete-object", "--bucket", bucket, "--key", version["Key"], "--version-id", version["VersionId"], region=region)
        aws("s3", "rb", f"s3://{bucket}", region=region)
    aws("iam", "delete-role-policy", "--role-name", "cli", "--policy-name", "p")
    aws("iam", "delete-role", "--role-name", "cli")
    aws("kms", "delete-alias", "--alias-name", "alias/cli")
    for region in (DESTINATION, SOURCE):
        aws("kms", "schedule-key-deletion", "--key-id", key["KeyId"], "--pending-window-in-days", "7", region=region)
    roles = aws("iam", "list-roles")["Roles"]
    checks.that("aws: all is taken away", "cli" not in [role["RoleName"] for role in roles], roles)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for walk in (with_boto3, batch_with_boto3, with_the_cli):
            try:
                walk(scratch)
            except Exception as error:  # the walk can't go on, and that is a failure like any other
                checks.that(walk.__name__, False, error)
    print(f"{checks.passed} passed, {checks.failed} failed")
    sys.exit(1 if checks.failed else 0)


main()
