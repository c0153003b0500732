"""Asks cfn-lint about the templates of `crrctl export cloudformation`, for each manifest under `examples/manifests/` and `tests/peers/shapes/`.

Beside that: the list of resources to import names every resource of its template, by the identifiers that cfn-lint's copy of
the registry's schemas calls primary. Not for its own Python: `run` beside this file makes that and calls this.

Each check prints one line. The exit code is 0 only when every check passed.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

import boto3

ROOT = pathlib.Path(__file__).resolve().parents[3]
MANIFESTS = [*sorted((ROOT / "examples" / "manifests").glob("*.yaml")), *sorted((ROOT / "tests" / "peers" / "shapes").glob("*.yaml"))]
# Backfilled first, so that the role and the reports of batch jobs are in the templates: in a bucket of their own, and beside the data.
BACKFILLED = ("minimal", "three-regions")
EVERYTHING = ["--include-checks", "I", "--non-zero-exit-code", "informational"]


class Sandbox:
    """`crrctl sandbox`, and the environment that points at it."""

    def __init__(self, crrctl):
        self.environment = dict(os.environ)
        self.server = subprocess.Popen([crrctl, "sandbox", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        for _ in range(4):
            name, _, value = self.server.stdout.readline().strip().removeprefix("export ").partition("=")
            self.environment[name] = value
        # In the sandbox the id of an account is its root's access key.
        profiles = pathlib.Path(os.environ["TMPDIR"]) / "credentials"
        secret = self.environment["AWS_SECRET_ACCESS_KEY"]
        profiles.write_text(f"[archive]\naws_access_key_id = 444455556666\naws_secret_access_key = {secret}\n")
        self.environment["AWS_SHARED_CREDENTIALS_FILE"] = str(profiles)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(10)


def primary(kind, region):
    """Returns the names of the properties that identify a resource of this type."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema(region, kind).schema
    return [name.removeprefix("/properties/") for name in schema["primaryIdentifier"]]


def import_is_whole(template, listed, region):
    """Returns what the list of resources to import lacks or has too much."""
    faults = []
    resources = json.loads(template)["Resources"]
    entries = {entry["LogicalResourceId"]: entry for entry in json.loads(listed)}
    if set(entries) != set(resources):
        faults.append(f"other resources than the template's: {set(entries) ^ set(resources)}")
    for name, entry in entries.items():
        kind = entry["ResourceType"]
        if kind != resources[name]["Type"]:
            faults.append(f"{name} is no {kind}")
        if sorted(entry["ResourceIdentifier"]) != sorted(primary(kind, region)):
            faults.append(f"{name} is identified by {primary(kind, region)}")
    return faults


def document(**more):
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **more}]})


def client(environment, service, region="us-east-1", **keys):
    given = {
        "aws_access_key_id": environment["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": environment["AWS_SECRET_ACCESS_KEY"],
        **keys,
    }
    return boto3.client(service, region_name=region, endpoint_url=environment["AWS_ENDPOINT_URL"], **given)


def make_role(iam, arn, trusted, actions):
    path, name = re.search(r":role(/.*?)([^/]+)$", arn).groups()
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document(Principal=trusted, Action="sts:AssumeRole"))
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document(Action=actions, Resource="*"))


def furnish(environment, example):
    """Makes what an example says exists: a role, keys, another account's role, buckets for access logs, a topic for alerts."""
    text = example.read_text()
    if given := re.search(r'logging: \{bucket: "(.*?)\{account\}-\{region\}"', text):
        for region in ("us-east-1", "us-west-2"):
            s3, name = client(environment, "s3", region), f"{given[1]}111122223333-{region}"
            place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
            s3.create_bucket(Bucket=name, **place)
            logs = {"Principal": {"Service": "logging.s3.amazonaws.com"}, "Action": "s3:PutObject"}
            s3.put_bucket_policy(Bucket=name, Policy=document(**logs, Resource=f"arn:aws:s3:::{name}/*"))
    if given := re.search(r'alerts: \{sns: "(arn:.*:(.*?))"\}', text):
        publish = {"Principal": {"Service": "s3.amazonaws.com"}, "Action": "sns:Publish"}
        topic = {"Policy": document(**publish, Resource=given[1])}
        client(environment, "sns", "us-east-1").create_topic(Name=given[2], Attributes=topic)
    if given := re.search(r'^role: \{arn: "(.*)"\}', text, re.M):
        make_role(client(environment, "iam"), given[1], {"Service": "s3.amazonaws.com"}, ["s3:*", "kms:*"])
    for region in re.findall(r"([a-z]{2}-[a-z]+-\d): alias/theirs", text):
        kms = client(environment, "kms", region)
        kms.create_alias(AliasName="alias/theirs", TargetKeyId=kms.create_key()["KeyMetadata"]["KeyId"])
    if given := re.search(r'assume_role: "(arn:aws:iam::(\d+):.*?)"', text):
        there = client(environment, "iam", aws_access_key_id=given[2])
        make_role(there, given[1], {"AWS": "arn:aws:iam::111122223333:root"}, ["s3:*", "kms:*", "iam:*"])
        # Roles may not be assumed by an account's root.
        iam = client(environment, "iam")
        iam.create_user(UserName="operator")
        iam.put_user_policy(UserName="operator", PolicyName="all", PolicyDocument=document(Action="*", Resource="*"))
        key = iam.create_access_key(UserName="operator")["AccessKey"]
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"] = key["AccessKeyId"], key["SecretAccessKey"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--crrctl", required=True)
    crrctl = parser.parse_args().crrctl
    passed = failed = 0
    for example in MANIFESTS:
        folder = pathlib.Path(os.environ["TMPDIR"]) / example.stem
        with Sandbox(crrctl) as sandbox:
            furnish(sandbox.environment, example)
            backfill = [["backfill", "--yes", "--watch", "-q"]] if example.stem in BACKFILLED else []
            for command in (["apply", "--yes", "--no-probe", "-q"], *backfill, ["export", "cloudformation", "--out", str(folder)]):
                subprocess.run([crrctl, *command, "-f", example], env=sandbox.environment, check=True, stdout=subprocess.DEVNULL)
        templates = sorted(folder.glob("*.template.json"))
        if not templates:
            failed += 1
            print(f"FAIL {example.stem}: no template")
        for template in templates:
            # The file bears the pair's name, which need not be the example's.
            region = re.search(r"([a-z]{2}-[a-z]+-\d+)\.template\.json$", template.name)[1]
            lint = subprocess.run(
                ["cfn-lint", *EVERYTHING, "--regions", region, "--", template], capture_output=True, text=True
            )
            listed = template.with_name(template.name.replace(".template.", ".import."))
            faults = import_is_whole(template.read_text(), listed.read_text(), region)
            if lint.returncode == 0 and not faults:
                passed += 1
                print(f"ok   {template.name}")
            else:
                failed += 1
                print(f"FAIL {template.name}: {faults}\n{lint.stdout}{lint.stderr}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
