"""Reads what a pair consists of, in a form in which the same work of two tools is equal: ids of keys and order aside, tags aside.

Not for making anything: what each tool makes is held against what this reads. A state is also the order that the other tools are
given, so that all do the same.
"""

import json
import sys

import boto3

SOURCE, DESTINATION = "us-east-1", "us-west-2"
ACCOUNT = "111122223333"
NAME = "demo"
BUCKETS = {region: f"{NAME}-{ACCOUNT}-{region}" for region in (SOURCE, DESTINATION)}
ALIAS = f"alias/crrctl/{NAME}"
ROLE = f"crrctl-{NAME}-{SOURCE}"
# Stands for the id of the key, which every run draws anew.
KEY_ID = "KEY-ID"


def bucket_state(s3, bucket):
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
    encryption = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]
    for rule in encryption["Rules"]:
        rule.pop("BlockedEncryptionTypes", None)
    return {
        "versioning": s3.get_bucket_versioning(Bucket=bucket).get("Status"),
        "encryption": encryption,
        "public_access_block": blocked,
        "ownership": rules[0]["ObjectOwnership"],
        "policy": json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
    }


def key_state(kms, region):
    key = kms.describe_key(KeyId=ALIAS)["KeyMetadata"]
    state = {
        "state": key["KeyState"],
        "description": key["Description"],
        "kind": key["MultiRegionConfiguration"]["MultiRegionKeyType"],
        "policy": json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"]),
    }
    if region == SOURCE:
        state["rotation_days"] = kms.get_key_rotation_status(KeyId=key["KeyId"]).get("RotationPeriodInDays")
    return key["KeyId"], state


def read():
    """Returns the state; any part that is missing is an error of its own."""
    keys, buckets, ids = {}, {}, set()
    for region in (SOURCE, DESTINATION):
        key_id, keys[region] = key_state(boto3.client("kms", region), region)
        ids.add(key_id)
        buckets[region] = bucket_state(boto3.client("s3", region), BUCKETS[region])
    if len(ids) != 1:
        raise SystemExit(f"the aliases name {len(ids)} keys: {ids}")
    iam = boto3.client("iam", SOURCE)
    role = iam.get_role(RoleName=ROLE)["Role"]
    (name,) = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    replication = boto3.client("s3", SOURCE).get_bucket_replication(Bucket=BUCKETS[SOURCE])
    for rule in replication["ReplicationConfiguration"]["Rules"]:
        # An empty filter is one with an empty prefix.
        rule["Filter"] = rule["Filter"] or {"Prefix": ""}
    state = {
        "keys": keys,
        "buckets": buckets,
        "role": {
            "path": role["Path"],
            "trust": role["AssumeRolePolicyDocument"],
            "policy_name": name,
            "policy": iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"],
        },
        "replication": replication["ReplicationConfiguration"],
    }
    return json.loads(json.dumps(state, sort_keys=True).replace(ids.pop(), KEY_ID))


if __name__ == "__main__":
    json.dump(read(), sys.stdout, indent=1, sort_keys=True)
