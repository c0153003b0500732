"""Runs crrctl's whole life against ministack and looks at the end state with boto3, never with crrctl.

Not for starting ministack or for its own Python: `run` beside this file does both and calls this.

ministack replicates at once, but gives the replica a version id of its own and leaves it under the
source's key. So an honest crrctl builds everything, sees COMPLETED, and then says which checks of the
replica fail (exit 8). A crrctl that exits 0 here did not look.

Each check prints one line. The exit code is 0 only when every check passed.
"""

import argparse
import json
import os
import subprocess
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

SOURCE, DESTINATION = "us-east-1", "us-west-2"
REGIONS = (SOURCE, DESTINATION)
PAIR = "demo"
ROLE = f"crrctl-{PAIR}-{SOURCE}"
ALIAS = f"alias/crrctl/{PAIR}"

REPLICA_DIFFERS = 8


class Checks:
    """Prints one line a check and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def that(self, what, is_so, seen=""):
        if is_so:
            self.passed += 1
            print(f"ok    {what}")
        else:
            self.failed += 1
            print(f"FAIL  {what}" + (f": {shorten(seen)}" if seen != "" else ""))

    def equal(self, what, seen, wanted):
        self.that(what, seen == wanted, f"{seen!r}, wanted {wanted!r}")

    def section(self, title, body, *args):
        """Runs a group of checks; what it can't read is one failed check, not the end of the run."""
        print(f"\n-- {title}", flush=True)
        try:
            return body(self, *args)
        except Exception as error:  # whatever went wrong, the other groups still tell something
            self.that(f"{title}: could be read to the end", False, f"{type(error).__name__}: {error}")
            return None


def shorten(value, most=600):
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= most else text[:most] + " …"


class Crrctl:
    """The binary under test, in an empty folder and an environment that knows nothing but the test keys."""

    def __init__(self, binary, endpoint, home):
        self.binary, self.endpoint = binary, endpoint
        self.folder = os.path.join(home, "empty")
        os.makedirs(self.folder, exist_ok=True)
        self.environment = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_EC2_METADATA_DISABLED": "true",
            "HOME": home,
            "PATH": os.environ.get("PATH", ""),
        }

    def run(self, *args):
        command = [self.binary, *args, "--name", PAIR, "--source", SOURCE, "--destination", DESTINATION,
                   "--endpoint-url", self.endpoint]
        started = time.monotonic()
        done = subprocess.run(command, cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=300, check=False)
        print(f"      `crrctl {' '.join(args)}` exited {done.returncode} after {time.monotonic() - started:.1f} s")
        return done


def exits(check, done, wanted):
    told = (done.stderr or done.stdout).strip()[-600:]
    check.that(f"exit code {wanted}", done.returncode == wanted, f"{done.returncode}; it said: {told}")


def report(check, done, command):
    """The one JSON object on stdout, or an empty one where there is none."""
    try:
        value = json.loads(done.stdout)
    except ValueError as error:
        check.that("stdout is one JSON object", False, f"{error}; {done.stdout[:300]!r}")
        return {}
    check.that("stdout is one JSON object", isinstance(value, dict), type(value).__name__)
    if not isinstance(value, dict):
        return {}
    check.equal("schema", value.get("schema"), f"crrctl/{command}/v1")
    return value


class Account:
    """boto3's view of the account; the second witness."""

    def __init__(self, endpoint):
        # Credentials and Region are given outright, so that no profile of the caller's is looked at.
        def client(service, region=SOURCE):
            return boto3.client(service, region_name=region, endpoint_url=endpoint, aws_access_key_id="test",
                                aws_secret_access_key="test",
                                config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}))

        self.s3 = {region: client("s3", region) for region in REGIONS}
        self.kms = {region: client("kms", region) for region in REGIONS}
        self.iam = client("iam")
        self.id = client("sts").get_caller_identity()["Account"]

    def bucket(self, region):
        return f"{PAIR}-{self.id}-{region}"

    def tags(self):
        return {"crrctl:pair": PAIR, "crrctl:id": f"{self.id}/{SOURCE}/{self.bucket(SOURCE)}"}

    def alias(self, region):
        """The key id that our alias names, or None."""
        for page in self.kms[region].get_paginator("list_aliases").paginate():
            for entry in page["Aliases"]:
                if entry["AliasName"] == ALIAS:
                    return entry["TargetKeyId"]
        return None

    def keys(self, region):
        """Everything in the Region's KMS that bears our pair's tag, by key id."""
        found = {}
        for page in self.kms[region].get_paginator("list_keys").paginate():
            for entry in page["Keys"]:
                tags = self.kms[region].list_resource_tags(KeyId=entry["KeyId"])["Tags"]
                if {"TagKey": "crrctl:pair", "TagValue": PAIR} in tags:
                    found[entry["KeyId"]] = self.kms[region].describe_key(KeyId=entry["KeyId"])["KeyMetadata"]
        return found

    def bucket_names(self):
        return sorted(bucket["Name"] for bucket in self.s3[SOURCE].list_buckets()["Buckets"])

    def versions(self, region):
        """Each version and delete marker of the bucket, and each unfinished upload."""
        listed = []
        for page in self.s3[region].get_paginator("list_object_versions").paginate(Bucket=self.bucket(region)):
            for kind in ("Versions", "DeleteMarkers"):
                listed += [f"{kind} {entry['Key']} {entry['VersionId']}" for entry in page.get(kind, [])]
        uploads = self.s3[region].list_multipart_uploads(Bucket=self.bucket(region)).get("Uploads", [])
        return listed + [f"Uploads {entry['Key']}" for entry in uploads]


def missing(error):
    return error.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def first_apply(check, crrctl, account):
    done = crrctl.run("apply", "--yes", "-o", "json")
    exits(check, done, REPLICA_DIFFERS)
    told = report(check, done, "apply")
    check.equal("changed", told.get("changed"), True)
    check.that("the object carries the error", bool((told.get("error") or {}).get("message")), told.get("error"))
    resources = told.get("resources", [])
    check.that("every resource has an ARN", bool(resources) and all(entry.get("arn") for entry in resources), resources)

    probes = told.get("probes", [])
    check.that("there are at least two probes, a small one and one in parts", len(probes) >= 2, len(probes))
    for number, probe in enumerate(probes, 1):
        name = f"probe {number}"
        source = probe.get("source", {})
        differs = {entry.get("check"): entry for entry in probe.get("differences", [])}
        marks = probe.get("checks", {})
        check.equal(f"{name} status", probe.get("status"), "COMPLETED")
        check.equal(f"{name} replica status", probe.get("replica_status"), "REPLICA")
        check.equal(f"{name} source bucket", source.get("bucket"), account.bucket(SOURCE))
        check.that(f"{name} names version_id and kms_key as different", {"version_id", "kms_key"} <= set(differs),
                   probe.get("differences"))
        check.equal(f"{name} failed checks say so", (marks.get("version_id"), marks.get("kms_key")), (False, False))
        check.equal(f"{name} size, body and status are right",
                    (marks.get("size"), marks.get("body"), marks.get("status")), (True, True, True))
        ids = differs.get("version_id", {})
        check.that(f"{name} shows both version ids",
                   ids.get("source") == source.get("version_id") != ids.get("replica") and bool(ids.get("replica")), ids)


def keys_are_right(check, account):
    key_id = account.alias(SOURCE)
    check.that("alias in the source Region names a multi-Region key", (key_id or "").startswith("mrk-"), key_id)
    check.equal("alias in the destination Region names the same key", account.alias(DESTINATION), key_id)
    for region, kind in ((SOURCE, "PRIMARY"), (DESTINATION, "REPLICA")):
        ours = account.keys(region)
        check.equal(f"{region}: the pair has exactly one key", sorted(ours), [key_id])
        key = ours[key_id]
        check.equal(f"{region}: key is {kind} and Enabled",
                    (key["MultiRegionConfiguration"]["MultiRegionKeyType"], key["KeyState"]), (kind, "Enabled"))
        seen = account.kms[region].list_resource_tags(KeyId=key_id)["Tags"]
        has_tags(check, f"{region}: key", account, {tag["TagKey"]: tag["TagValue"] for tag in seen})
        policy = json.loads(account.kms[region].get_key_policy(KeyId=key_id, PolicyName="default")["Policy"])
        root = f"arn:aws:iam::{account.id}:root"
        check.that(f"{region}: key policy lets the account in",
                   any(root in many(statement.get("Principal", {}).get("AWS")) for statement in policy["Statement"]
                       if statement["Effect"] == "Allow"), policy)
    rotation = account.kms[SOURCE].get_key_rotation_status(KeyId=key_id)
    check.equal("rotation of the primary", (rotation["KeyRotationEnabled"], rotation["RotationPeriodInDays"]), (True, 365))


def many(value):
    """AWS documents write a list of one as a bare string."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def has_tags(check, what, account, seen):
    check.equal(f"{what} has both tags", {name: seen.get(name) for name in account.tags()}, account.tags())


def buckets_are_right(check, account):
    check.equal("the account's buckets", account.bucket_names(), sorted(account.bucket(region) for region in REGIONS))
    for region in REGIONS:
        s3, bucket = account.s3[region], account.bucket(region)
        head = s3.head_bucket(Bucket=bucket)
        check.equal(f"{region}: bucket lies in its Region", head["BucketRegion"], region)
        check.equal(f"{region}: versioning", s3.get_bucket_versioning(Bucket=bucket).get("Status"), "Enabled")

        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        default = rules[0].get("ApplyServerSideEncryptionByDefault", {})
        key = f"arn:aws:kms:{region}:{account.id}:key/{account.alias(region)}"
        check.equal(f"{region}: encrypts under this Region's key",
                    (len(rules), default.get("SSEAlgorithm"), default.get("KMSMasterKeyID")), (1, "aws:kms", key))
        check.equal(f"{region}: Bucket Key", rules[0].get("BucketKeyEnabled"), True)

        block = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
        wanted = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
        check.that(f"{region}: public access is blocked in all four ways", all(block.get(way) for way in wanted), block)
        owner = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        check.equal(f"{region}: ownership", owner, [{"ObjectOwnership": "BucketOwnerEnforced"}])
        policy = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])
        check.that(f"{region}: bucket policy denies what does not come over TLS",
                   any(denies_plain_http(statement, bucket) for statement in many(policy["Statement"])), policy)
        seen = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
        has_tags(check, f"{region}: bucket", account, {tag["Key"]: tag["Value"] for tag in seen})
        check.equal(f"{region}: no probe is left behind", account.versions(region), [])


def denies_plain_http(statement, bucket):
    secure = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    everyone = statement.get("Principal") in ("*", {"AWS": "*"}, {"AWS": ["*"]})
    everything = {f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"} <= set(many(statement.get("Resource")))
    return (statement.get("Effect") == "Deny" and everyone and everything
            and "s3:*" in many(statement.get("Action")) and [str(value).lower() for value in many(secure)] == ["false"])


def role_is_right(check, account):
    role = account.iam.get_role(RoleName=ROLE)["Role"]
    check.equal("role lies under its path", role["Arn"], f"arn:aws:iam::{account.id}:role/crrctl/{ROLE}")
    trust = many(role["AssumeRolePolicyDocument"]["Statement"])
    check.equal("S3 and nobody else may assume it",
                [(entry["Effect"], entry["Principal"], many(entry["Action"])) for entry in trust],
                [("Allow", {"Service": "s3.amazonaws.com"}, ["sts:AssumeRole"])])
    has_tags(check, "role", account, {tag["Key"]: tag["Value"] for tag in role.get("Tags", [])})
    check.equal("its inline policies", account.iam.list_role_policies(RoleName=ROLE)["PolicyNames"], ["replication"])
    check.equal("its attached policies", account.iam.list_attached_role_policies(RoleName=ROLE)["AttachedPolicies"], [])

    document = account.iam.get_role_policy(RoleName=ROLE, PolicyName="replication")["PolicyDocument"]
    allowed = [statement for statement in many(document["Statement"]) if statement["Effect"] == "Allow"]

    def may(action, resource):
        return any(action in many(entry.get("Action")) and resource in many(entry.get("Resource")) for entry in allowed)

    source, destination = (f"arn:aws:s3:::{account.bucket(region)}" for region in REGIONS)
    keys = {region: f"arn:aws:kms:{region}:{account.id}:key/{account.alias(region)}" for region in REGIONS}
    wanted = [
        ("s3:GetReplicationConfiguration", source), ("s3:ListBucket", source),
        ("s3:GetObjectVersionForReplication", f"{source}/*"), ("s3:GetObjectVersionAcl", f"{source}/*"),
        ("s3:GetObjectVersionTagging", f"{source}/*"),
        ("s3:ReplicateObject", f"{destination}/*"), ("s3:ReplicateTags", f"{destination}/*"),
        ("kms:Decrypt", keys[SOURCE]), ("kms:Encrypt", keys[DESTINATION]),
        ("kms:GenerateDataKey", keys[DESTINATION]), ("kms:Decrypt", keys[DESTINATION]),
    ]
    lacks = [f"{action} on {resource}" for action, resource in wanted if not may(action, resource)]
    check.equal("the policy grants what S3 will call", lacks, [])
    via = json.dumps(document)
    check.that("the policy ties both keys to S3 in their Regions",
               all(f"s3.{region}.amazonaws.com" in via for region in REGIONS), document)


def rule_is_right(check, account):
    found = account.s3[SOURCE].get_bucket_replication(Bucket=account.bucket(SOURCE))["ReplicationConfiguration"]
    check.equal("the configuration's role", found["Role"], f"arn:aws:iam::{account.id}:role/crrctl/{ROLE}")
    check.equal("one rule", len(found["Rules"]), 1)
    rule = found["Rules"][0]
    target = rule["Destination"]
    check.equal("it is on", rule["Status"], "Enabled")
    check.equal("it has a filter, and that takes everything", rule.get("Filter"), {"Prefix": ""})
    check.that("it has a priority", isinstance(rule.get("Priority"), int), rule)
    check.equal("delete markers stay here", rule.get("DeleteMarkerReplication"), {"Status": "Disabled"})
    check.equal("it takes objects under SSE-KMS",
                rule.get("SourceSelectionCriteria", {}).get("SseKmsEncryptedObjects"), {"Status": "Enabled"})
    check.equal("its destination", target["Bucket"], f"arn:aws:s3:::{account.bucket(DESTINATION)}")
    check.equal("the replica's key is the destination Region's",
                target.get("EncryptionConfiguration", {}).get("ReplicaKmsKeyID"),
                f"arn:aws:kms:{DESTINATION}:{account.id}:key/{account.alias(DESTINATION)}")
    try:
        account.s3[DESTINATION].get_bucket_replication(Bucket=account.bucket(DESTINATION))
        check.that("the destination replicates nowhere", False)
    except ClientError as error:
        check.that("the destination replicates nowhere", missing(error), str(error))


def state(account):
    """All that `apply` could write, in one comparable value."""
    bucket = account.bucket(SOURCE)
    keys = {region: account.keys(region) for region in REGIONS}
    read = {
        "keys": keys,
        "key policies": [account.kms[region].get_key_policy(KeyId=key, PolicyName="default")["Policy"]
                         for region in REGIONS for key in keys[region]],
        "role": {key: value for key, value in account.iam.get_role(RoleName=ROLE)["Role"].items() if key != "RoleLastUsed"},
        "role policy": account.iam.get_role_policy(RoleName=ROLE, PolicyName="replication")["PolicyDocument"],
        "rules": account.s3[SOURCE].get_bucket_replication(Bucket=bucket)["ReplicationConfiguration"],
        "bucket policies": [account.s3[region].get_bucket_policy(Bucket=account.bucket(region))["Policy"] for region in REGIONS],
        "buckets": account.bucket_names(),
    }
    return json.dumps(read, default=str, sort_keys=True)


def second_apply(check, crrctl, account):
    before = state(account)
    done = crrctl.run("apply", "--no-probe", "--yes", "-o", "json")
    exits(check, done, 0)
    told = report(check, done, "apply")
    check.equal("changed", told.get("changed"), False)
    check.that("nothing is different afterwards", state(account) == before)

    done = crrctl.run("plan", "--detailed-exitcode", "-o", "json")
    exits(check, done, 0)
    told = report(check, done, "plan")
    acts = [entry for entry in told.get("changes", []) if entry.get("action") != "none"]
    check.equal("the plan does nothing", acts, [])


def destroy(check, crrctl, account):
    keys = {region: account.alias(region) for region in REGIONS}
    done = crrctl.run("destroy", "--yes", "-o", "json")
    exits(check, done, 0)
    told = report(check, done, "destroy")
    check.equal("left", told.get("left"), [])
    check.that("something was removed", bool(told.get("removed")), told)
    check.equal("it names both keys", sorted(entry.get("arn", "") for entry in told.get("keys", [])),
                sorted(f"arn:aws:kms:{region}:{account.id}:key/{keys[region]}" for region in REGIONS))
    check.that("it says when each key goes", all(entry.get("deletes_not_before") for entry in told.get("keys", [])),
               told.get("keys"))
    nothing_is_left(check, account)


def nothing_is_left(check, account):
    check.equal("no bucket", account.bucket_names(), [])
    check.equal("no role", [role["RoleName"] for role in account.iam.list_roles(PathPrefix="/crrctl/")["Roles"]], [])
    for region in REGIONS:
        check.equal(f"{region}: no alias", account.alias(region), None)
        # AWS keeps a primary in PendingReplicaDeletion until its replicas are gone; ministack need not wait.
        states = {key["KeyState"] for key in account.keys(region).values()}
        check.that(f"{region}: keys are pending deletion",
                   bool(states) and states <= {"PendingDeletion", "PendingReplicaDeletion"}, sorted(states))


def second_destroy(check, crrctl, account):
    done = crrctl.run("destroy", "--yes", "-o", "json")
    exits(check, done, 0)
    told = report(check, done, "destroy")
    check.equal("left", told.get("left"), [])
    nothing_is_left(check, account)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crrctl", required=True, help="the binary under test")
    parser.add_argument("--endpoint", required=True, help="where ministack listens")
    parser.add_argument("--home", required=True, help="an empty folder that stands for the home directory")
    args = parser.parse_args()

    check = Checks()
    crrctl = Crrctl(args.crrctl, args.endpoint, args.home)
    account = Account(args.endpoint)

    check.section("apply builds everything and says honestly that the replica differs", first_apply, crrctl, account)
    check.section("keys", keys_are_right, account)
    check.section("buckets", buckets_are_right, account)
    check.section("role", role_is_right, account)
    check.section("rule", rule_is_right, account)
    check.section("a second apply changes nothing", second_apply, crrctl, account)
    check.section("destroy takes it all away", destroy, crrctl, account)
    check.section("a second destroy has nothing to do", second_destroy, crrctl, account)

    print(f"\n{check.passed} passed, {check.failed} failed")
    return 1 if check.failed else 0


if __name__ == "__main__":
    sys.exit(main())
