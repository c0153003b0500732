"""Has Terraform make, change and destroy in the sandbox each resource that a pair may need.

For every family under `resources/`: apply, an empty plan, apply with every member changed that can
be, an empty plan again, destroy, and nothing is left. What is changed in place, what is replaced
and what stays is compared with what the configuration says: a resource that names `var.step` is
changed in place, or replaced where the line above it says REPLACED.

Not for what crrctl exports: `check.py` beside this file has Terraform import that.

Two sandboxes work side by side. Each resource prints one line a phase. The exit code is 0 only when
every check passed.
"""

import datetime
import hashlib
import hmac
import http.client
import json
import pathlib
import re
import shutil
import sys
import urllib.parse

from check import messages, said, side_by_side

RESOURCES = pathlib.Path(__file__).resolve().parent / "resources"
COMMON = RESOURCES / "common.tf"
# Those in which the provider waits longest come first.
SLOW = ("kms", "s3_lifecycle", "iam_user", "iam_policy")
FAMILIES = sorted(
    (path for path in RESOURCES.glob("*.tf") if path != COMMON),
    key=lambda path: (path.stem not in SLOW, path.stem),
)


def expected(text):
    """Returns what the second step does with each resource of a configuration, by its address."""
    found = {}
    # The expressions of data sources may name the step too: who reads those changes as well.
    stepping = {
        f"data.{kind}.{name}"
        for kind, name, body in re.findall(r'(?ms)^data "(\w+)" "(\w+)" \{$(.*?)^\}$', text)
        if "var.step" in body
    }
    blocks = re.findall(r'(?ms)^(# REPLACED[^\n]*\n)?resource "(\w+)" "(\w+)" \{$(.*?)^\}$', text)
    for replaced, kind, name, body in blocks:
        changes = "var.step" in body or any(f"{source}." in body for source in stepping)
        found[f"{kind}.{name}"] = "replace" if replaced else "update" if changes else "noop"
    return found


def faults_of(told):
    """Returns what went wrong, by the address of the resource it went wrong with."""
    found = {}
    for message in told.get("diagnostic", []):
        what = message["diagnostic"]
        if what["severity"] == "error":
            text = " ".join(f"{what['summary']} {what.get('detail', '')}".split())
            found.setdefault(what.get("address", ""), []).append(text)
    return found


def planned_of(told):
    return {
        it["change"]["resource"]["addr"]: it["change"]["action"]
        for it in told.get("planned_change", [])
        if it["change"]["action"] != "noop"
        and not it["change"]["resource"]["addr"].startswith("data.")
    }


class Family:
    """One configuration, in a folder of its own."""

    def __init__(self, stand, checks, path):
        self.name, self.stand, self.checks = path.stem, stand, checks
        self.text = path.read_text()
        self.resources = expected(self.text)
        self.made = set()
        self.folder = stand.folder(path.stem)
        shutil.copy(path, self.folder)
        shutil.copy(COMMON, self.folder)

    def terraform(self, command, step, *more):
        settings = ("-input=false", "-json", f"-var=step={step}")
        return self.stand.run(self.folder, "terraform", command, *settings, *more)

    def apply(self, step, wanted):
        """Applies, and compares what was done with what is wanted."""
        phase = "create" if step == 1 else "change"
        done = self.terraform("apply", step, "-auto-approve")
        told = messages(done)
        faults, planned = faults_of(told), planned_of(told)
        for address, action in wanted.items():
            wrong = faults.pop(address, None)
            # Where nothing was planned because of a fault, that fault is told below.
            told_so = planned.get(address, "noop") if planned else action
            if step == 2 and address not in self.made:
                action = "create"
            if action != "noop" or wrong or told_so != action:
                seen = wrong or f"{told_so}, not {action}"
                self.that(phase, address, not wrong and told_so == action, seen)
        for address, wrong in faults.items():
            self.that(phase, address or "all", False, wrong)
        if done.returncode != 0 and not faults_of(told):
            self.that(phase, "all", False, said(done))
        kept = self.stand.run(self.folder, "terraform", "state", "list")
        self.made = set(kept.stdout.split())

    def nothing_to_do(self, step):
        phase = "no change" if step == 1 else "no more change"
        done = self.terraform("plan", step, "-detailed-exitcode")
        told = messages(done)
        faults, planned = faults_of(told), planned_of(told)
        for address in self.resources:
            action, wrong = planned.pop(address, None), faults.pop(address, None)
            if action == "create" and address not in self.made:
                wrong = "it was not made"
            seen = wrong or (action and f"{action}: {self.difference(address, step)}")
            self.that(phase, address, not seen, seen)
        for address, seen in {**planned, **faults}.items():
            self.that(phase, address or "all", False, seen)

    def difference(self, address, step):
        """Returns the members that a plan would change."""
        self.stand.run(
            self.folder, "terraform", "plan", "-input=false", f"-var=step={step}", "-out=differs"
        )
        shown = self.stand.run(self.folder, "terraform", "show", "-json", "differs")
        try:
            plan = json.loads(shown.stdout)
        except ValueError:
            return said(shown)
        for it in plan.get("resource_changes", []):
            if it["address"] == address:
                before, after = it["change"]["before"] or {}, it["change"]["after"] or {}
                names = {*before, *after}
                return {
                    name: [before.get(name), after.get(name)]
                    for name in sorted(names)
                    if before.get(name) != after.get(name)
                }
        return "not in the plan"

    def destroy(self, step):
        done = self.terraform("destroy", step, "-auto-approve")
        told = messages(done)
        faults = faults_of(told)
        gone = {
            it["hook"]["resource"]["addr"]
            for it in told.get("apply_complete", [])
            if it["hook"]["action"] == "delete"
        }
        for address in self.resources:
            if address not in self.made:
                continue
            wrong = faults.pop(address, None)
            self.that("destroy", address, not wrong and address in gone, wrong or "it stays")
        for address, wrong in faults.items():
            self.that("destroy", address or "all", False, wrong)
        left = leftovers(self.stand)
        self.that("nothing is left", self.name, not left, left)

    def that(self, phase, address, is_so, seen=""):
        return self.checks.that(f"{self.name}: {phase}: {address}", is_so, f"{seen!s:.1500}")

    def walk(self):
        created = {address: "create" for address in self.resources}
        self.apply(1, created)
        self.nothing_to_do(1)
        self.apply(2, self.resources)
        self.nothing_to_do(2)
        self.destroy(2)


def asked(stand, service, method, path, body="", kind=None):
    """Sends one request, signed by Signature Version 4, and returns the body of its response."""
    region, environment = "us-east-1", stand.environment
    host = urllib.parse.urlsplit(stand.endpoint).netloc
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    digest = hashlib.sha256(body.encode()).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": now}
    if kind:
        headers["x-amz-target"] = kind
    names = ";".join(sorted(headers))
    listed = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    scope = f"{now[:8]}/{region}/{service}/aws4_request"
    canonical = f"{method}\n{path}\n\n{listed}\n{names}\n{digest}"
    to_sign = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{environment['AWS_SECRET_ACCESS_KEY']}".encode()
    for part in (now[:8], region, service, "aws4_request", to_sign):
        key = hmac.digest(key, part.encode(), "sha256")
    credential = f"{environment['AWS_ACCESS_KEY_ID']}/{scope}"
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={names}, Signature={key.hex()}"
    )
    if kind:
        headers["content-type"] = "application/x-amz-json-1.1"
    elif body:
        headers["content-type"] = "application/x-www-form-urlencoded"
    connection = http.client.HTTPConnection(host, timeout=10)
    try:
        connection.request(method, path, body=body, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.status != 200:
            raise RuntimeError(f"{service} {method} {path} {body}: {answer.status} {text}")
        return text
    finally:
        connection.close()


def leftovers(stand):
    """Returns what a family left in the sandbox: buckets, roles, users, policies, aliases, keys."""
    left = re.findall(r"<Bucket>.*?<Name>(.*?)</Name>", asked(stand, "s3", "GET", "/"))
    for listing, element in (
        ("ListRoles", "RoleName"),
        ("ListUsers", "UserName"),
        ("ListPolicies&Scope=Local", "PolicyName"),
    ):
        answer = asked(stand, "iam", "POST", "/", f"Action={listing}&Version=2010-05-08")
        left += re.findall(f"<{element}>(.*?)</{element}>", answer)

    def kms(operation, **members):
        body = json.dumps(members)
        return json.loads(asked(stand, "kms", "POST", "/", body, f"TrentService.{operation}"))

    aliases = [it["AliasName"] for it in kms("ListAliases")["Aliases"]]
    left += [alias for alias in aliases if not alias.startswith("alias/aws/")]
    for key in kms("ListKeys")["Keys"]:
        told = kms("DescribeKey", KeyId=key["KeyId"])["KeyMetadata"]
        if told["KeyManager"] == "CUSTOMER" and not told["KeyState"].startswith("Pending"):
            left.append(f"{told['Arn']} {told['KeyState']}")
    # The role of a service stays with the account, on AWS too.
    return [name for name in left if not name.startswith("AWSServiceRoleFor")]


def ready(stand, checks):
    """Makes the folder in which Terraform has found its provider, where all others find it too."""
    folder = stand.work / "furnish"
    folder.mkdir()
    shutil.copy(COMMON, folder)
    done = stand.terraform(folder, "init", "-input=false")
    told = checks.that("terraform init", done.returncode == 0, said(done))
    formatted = stand.run(RESOURCES, "terraform", "fmt", "-check", "-diff", "-no-color")
    checks.that("the configurations are formatted", formatted.returncode == 0, said(formatted))
    # S3 Control's host has the account in front, which no resolver finds: the sandbox is its own
    # proxy. Go asks it for none of the loopback's own addresses.
    stand.environment["HTTP_PROXY"] = stand.endpoint
    return told


def main():
    def take(stand, checks, path):
        try:
            Family(stand, checks, path).walk()
        finally:
            # What one family could not take away is not told again by the next.
            stand.control("reset")

    return side_by_side("families", FAMILIES, ready, take)


if __name__ == "__main__":
    sys.exit(main())
