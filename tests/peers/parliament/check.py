"""Renders the documents of several manifests and has parliament judge each of them.

A finding counts unless it is one of `KNOWN`, each of which is a gap of parliament with the reason beside it. A gap that
no document shows any more fails too, so that the list stays short.
"""

import argparse
import json
import subprocess
import sys

import parliament

VALUES = ["--account", "111122223333", "--key-id", "mrk-1234abcd12ab34cd56ef1234567890ab"]

MANIFESTS = {
    "plain": """
name: plain
source: {region: us-east-1}
destinations: [{region: us-west-2}]
""",
    "full": """
name: full
source: {region: ap-southeast-1}
destinations: [{region: ap-southeast-2}, {region: ap-southeast-3}]
key:
  administrators: ["arn:aws:iam::111122223333:role/key-admin"]
  usable_by_accounts: ["444455556666"]
buckets: {deny_other_keys: true}
replication: {prefix: "data/", delete_markers: true}
""",
    "strict": """
name: strict
source: {region: us-east-1}
destinations: [{region: eu-central-1}]
key: {rotation_days: false}
buckets: {bucket_key: false, tls_only: false}
policy: {profile: strict}
""",
    "china": """
name: china
source: {region: cn-north-1}
destinations: [{region: cn-northwest-1}]
""",
    "gov": """
name: gov
source: {region: us-gov-west-1}
destinations: [{region: us-gov-east-1}]
replication: {prefix: "a b/"}
""",
    "europe": """
name: europe
source: {region: eusc-de-east-1}
destinations: [{region: eusc-de-west-1}]
""",
}

# What the document's name has in it, parliament's issue, a part of what it says, and why it is no fault of the document.
KNOWN = [
    (
        "role-trust",
        "MALFORMED",
        "neither Resource nor NotResource",
        "it knows no trust policies, whose resource is their own role",
    ),
    (
        "key.",
        "RESOURCE_STAR",
        "kms:",
        "it knows no key policies, where `*` is the key that the policy is on",
    ),
    (
        "-bucket",
        "MISMATCHED_TYPE_BUT_USABLE",
        "StringNotEquals requires",
        "usable, as it says; AWS's own examples compare the key's header as a string",
    ),
    (
        "operator-apply",
        "RESOURCE_POLICY_PRIVILEGE_ESCALATION",
        "s3:PutBucketPolicy",
        "whoever sets up a bucket's policy can let itself in: that is the job, and the README says so",
    ),
    (
        "smoke-apply",
        "RESOURCE_POLICY_PRIVILEGE_ESCALATION",
        "s3:PutBucketPolicy",
        "as operator-apply",
    ),
    (
        "operator-prune",
        "RESOURCE_POLICY_PRIVILEGE_ESCALATION",
        "s3:PutBucketPolicy",
        "as operator-apply: it takes the pair's statements out of a bucket policy",
    ),
    (
        "-plan",
        "UNKNOWN_ACTION",
        "kms:GetKeyLastUsage",
        "its list of actions ends before GetKeyLastUsage (KMS API Reference)",
    ),
    (
        "",
        "INVALID_ARN",
        "arn:aws-eusc:",
        "its list of partitions ends before aws-eusc",
    ),
]


def rendered(crrctl, manifest):
    """Returns every document of a manifest, the operator's too."""
    documents = {}
    for command in ("render", "operator"):
        answer = subprocess.run(
            [crrctl, "policy", command, "-o", "json", "-f", "-", *VALUES],
            input=manifest,
            text=True,
            capture_output=True,
            check=True,
        )
        documents.update(json.loads(answer.stdout)["documents"])
    return documents


def is_known(name, finding, said, shown):
    for gap in KNOWN:
        document, issue, part, _ = gap
        if document in name and finding.issue == issue and part in said:
            shown.add(gap)
            return True
    return False


def judge(name, document, shown):
    """Returns what parliament has against a document, but for its known gaps."""
    text = json.dumps(document)
    policy = parliament.analyze_policy_string(text)
    findings = []
    for finding in policy.findings:
        said = f"{finding.issue}: {finding.title} {finding.detail} {finding.location}"
        if not is_known(name, finding, said, shown):
            findings.append(said)
    return findings


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--crrctl", required=True)
    crrctl = parser.parse_args().crrctl
    passed = failed = 0
    shown = set()
    for manifest, text in MANIFESTS.items():
        for name, document in rendered(crrctl, text).items():
            # A bucket's document without statements means that no policy is wanted there.
            if not document["Statement"]:
                continue
            findings = judge(name, document, shown)
            if findings:
                failed += 1
                print(f"FAILED {manifest} {name}")
                for finding in findings:
                    print(f"    {finding}")
            else:
                passed += 1
    for gap in KNOWN:
        if gap in shown:
            print(f"known gap: {gap[1]} ({gap[0] or 'any'}): {gap[3]}")
        else:
            failed += 1
            print(f"FAILED known gap that no document shows any more: {gap[:3]}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
