"""Makes a pair with boto3 as a careful script would: one call after another, or with 16 threads wherever nothing has to wait.

Not for judging what came of it (see `state`).
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import boto3

from state import ALIAS, BUCKETS, DESTINATION, KEY_ID, ROLE, SOURCE


class Pair:
    def __init__(self, order):
        self.order = order
        self.kms = {region: boto3.client("kms", region) for region in (SOURCE, DESTINATION)}
        self.s3 = {region: boto3.client("s3", region) for region in (SOURCE, DESTINATION)}
        self.iam = boto3.client("iam", SOURCE)
        self.key_id = None

    def text(self, part):
        return json.dumps(part).replace(KEY_ID, self.key_id or KEY_ID)

    def key(self):
        wanted = self.order["keys"][SOURCE]
        made = self.kms[SOURCE].create_key(
            MultiRegion=True, Description=wanted["description"], Policy=self.text(wanted["policy"])
        )
        self.key_id = made["KeyMetadata"]["KeyId"]

    def alias(self, region):
        self.kms[region].create_alias(AliasName=ALIAS, TargetKeyId=self.key_id)

    def rotation(self):
        days = self.order["keys"][SOURCE]["rotation_days"]
        self.kms[SOURCE].enable_key_rotation(KeyId=self.key_id, RotationPeriodInDays=days)

    def replica(self):
        wanted = self.order["keys"][DESTINATION]
        self.kms[SOURCE].replicate_key(
            KeyId=self.key_id,
            ReplicaRegion=DESTINATION,
            Description=wanted["description"],
            Policy=self.text(wanted["policy"]),
        )
        while self.kms[DESTINATION].describe_key(KeyId=self.key_id)["KeyMetadata"]["KeyState"] != "Enabled":
            time.sleep(0.5)

    def bucket(self, region):
        place = {} if region == SOURCE else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        ownership = self.order["buckets"][region]["ownership"]
        self.s3[region].create_bucket(Bucket=BUCKETS[region], ObjectOwnership=ownership, **place)

    def settings(self, region):
        """Returns the calls that need nothing but the bucket."""
        s3, bucket, wanted = self.s3[region], BUCKETS[region], self.order["buckets"][region]
        return [
            lambda: s3.put_public_access_block(
                Bucket=bucket, PublicAccessBlockConfiguration=wanted["public_access_block"]
            ),
            lambda: s3.put_bucket_versioning(
                Bucket=bucket, VersioningConfiguration={"Status": wanted["versioning"]}
            ),
            lambda: s3.put_bucket_policy(Bucket=bucket, Policy=self.text(wanted["policy"])),
        ]

    def encryption(self, region):
        wanted = json.loads(self.text(self.order["buckets"][region]["encryption"]))
        self.s3[region].put_bucket_encryption(
            Bucket=BUCKETS[region], ServerSideEncryptionConfiguration=wanted
        )

    def role(self):
        role = self.order["role"]
        self.iam.create_role(RoleName=ROLE, Path=role["path"], AssumeRolePolicyDocument=self.text(role["trust"]))

    def role_policy(self):
        role = self.order["role"]
        self.iam.put_role_policy(
            RoleName=ROLE, PolicyName=role["policy_name"], PolicyDocument=self.text(role["policy"])
        )

    def replication(self):
        self.s3[SOURCE].put_bucket_replication(
            Bucket=BUCKETS[SOURCE],
            ReplicationConfiguration=json.loads(self.text(self.order["replication"])),
        )

    def one_after_another(self):
        self.key()
        self.alias(SOURCE)
        self.rotation()
        self.replica()
        self.alias(DESTINATION)
        self.role()
        self.role_policy()
        for region in (SOURCE, DESTINATION):
            self.bucket(region)
            for call in self.settings(region):
                call()
            self.encryption(region)
        self.replication()

    def with_threads(self):
        """Three waves: what needs nothing, what needs the key or the buckets, and the rules."""
        pool = ThreadPoolExecutor(16)

        def together(*calls):
            for future in [pool.submit(call) for call in calls]:
                future.result()

        def whole_bucket(region):
            self.bucket(region)
            together_here = [pool.submit(call) for call in self.settings(region)]
            for future in together_here:
                future.result()

        together(self.key, self.role, *(lambda r=region: whole_bucket(r) for region in BUCKETS))

        def far():
            self.replica()
            pool_alias = pool.submit(self.alias, DESTINATION)
            self.encryption(DESTINATION)
            pool_alias.result()

        together(
            far,
            self.rotation,
            self.role_policy,
            lambda: self.alias(SOURCE),
            lambda: self.encryption(SOURCE),
        )
        self.replication()


if __name__ == "__main__":
    how, order = sys.argv[1:]
    with open(order) as file:
        pair = Pair(json.load(file))
    {"sequential": pair.one_after_another, "threads": pair.with_threads}[how]()
