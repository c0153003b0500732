"""Has Terraform import what `crrctl export terraform` hands over, and find nothing to change.

For manifests under `examples/manifests/` (TRIED says which): crrctl builds the pair in its sandbox; Terraform plans (every resource imported, no change), applies
(not one call that writes), plans again; crrctl still finds nothing to change, and takes everything away.
Not for finding Terraform: `run` beside this file does that and calls this.

Each check prints one line. The exit code is 0 only when every check passed.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import time
import urllib.request

EXAMPLES = pathlib.Path(__file__).resolve().parents[3] / "examples" / "manifests"
# What has been handed over so far; the others are named and left out.
TRIED = ("minimal", "no-bucket-keys", "no-kms", "three-regions")


class Checks:
    """Prints one line a check and counts."""

    def __init__(self):
        self.passed = self.failed = 0

    def that(self, what, is_so, seen=""):
        if is_so:
            self.passed += 1
            print(f"ok   {what}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL {what}: {seen}", flush=True)
        return is_so


checks = Checks()


class Stand:
    """A sandbox, and both tools pointed at it."""

    def __init__(self, crrctl, mirror, work):
        self.crrctl_path, self.work = crrctl, pathlib.Path(work)
        settings = self.work / "terraform.rc"
        settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
        self.environment = {
            "PATH": subprocess.os.environ["PATH"],
            "HOME": str(self.work),
            "TMPDIR": str(self.work),
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self.folder = self.work / "pair"
        self.folder.mkdir()
        self.server = subprocess.Popen(
            [crrctl, "sandbox", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True, env=self.environment
        )
        for _ in range(4):
            name, _, value = self.server.stdout.readline().strip().removeprefix("export ").partition("=")
            self.environment[name] = value
        self.endpoint = self.environment["AWS_ENDPOINT_URL"]

    def stop(self):
        self.server.terminate()
        self.server.wait(10)

    def control(self, path, method="POST"):
        request = urllib.request.Request(f"{self.endpoint}/_crrctl/{path}", method=method, data=b"" if method == "POST" else None)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or "null")

    def run(self, *command, input=None):
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, input=input or "", text=True, capture_output=True, timeout=300
        )

    def crrctl(self, manifest, *arguments):
        return self.run(self.crrctl_path, *arguments, "-f", "-", "-o", "json", input=manifest)

    def terraform(self, *arguments):
        return self.run("terraform", *arguments, "-no-color")


def said(answer):
    return f"exit {answer.returncode}\n{answer.stdout[-2000:]}{answer.stderr[-2000:]}"


def take_over(stand, name, manifest, is_first):
    """Builds a pair with crrctl, hands it to Terraform, and takes it away again."""
    stand.control("reset")
    for left in ("terraform.tfstate", "terraform.tfstate.backup", "plan"):
        (stand.folder / left).unlink(missing_ok=True)
    for old in stand.folder.glob("*.tf"):
        old.unlink()
    built = stand.crrctl(manifest, "apply", "--yes")
    if not checks.that(f"{name}: crrctl apply proves the pair", built.returncode == 0, said(built)):
        return
    exported = stand.crrctl(manifest, "export", "terraform", "--out", ".")
    if not checks.that(f"{name}: crrctl export terraform", exported.returncode == 0, said(exported)):
        return
    text = (stand.folder / f"{name}.tf").read_text()
    formatted = stand.terraform("fmt", "-check", "-diff")
    checks.that(f"{name}: it is formatted as terraform fmt would", formatted.returncode == 0, said(formatted))
    if is_first:
        ready = stand.terraform("init", "-input=false")
        if not checks.that("terraform init finds the provider in the mirror", ready.returncode == 0, said(ready)):
            return
    planned = stand.terraform("plan", "-input=false", "-out=plan")
    if not checks.that(f"{name}: terraform plan", planned.returncode == 0, said(planned)):
        return
    shown = json.loads(stand.terraform("show", "-json", "plan").stdout)
    changes = shown["resource_changes"]
    changed = [it["address"] for it in changes if it["change"]["actions"] != ["no-op"]]
    imported = [it for it in changes if "importing" in it["change"]]
    resources = len(re.findall(r'^resource "', text, re.MULTILINE))
    checks.that(
        f"{name}: all {resources} resources are imported",
        resources == len(changes) == len(imported) and resources > 14,
        f"{len(imported)} of {len(changes)}, {resources} written",
    )
    checks.that(f"{name}: no change is planned", not changed, f"{changed}\n{planned.stdout[-4000:]}")
    stand.control("calls/reset")
    applied = stand.terraform("apply", "-input=false", "plan")
    checks.that(f"{name}: terraform apply", applied.returncode == 0, said(applied))
    calls = stand.control("calls", "GET")
    checks.that(f"{name}: it made no call that writes", calls["writes"] == 0 < calls["reads"], calls)
    again = stand.terraform("plan", "-input=false", "-detailed-exitcode")
    checks.that(f"{name}: a second terraform plan shows no change", again.returncode == 0, said(again))
    same = stand.crrctl(manifest, "plan", "--detailed-exitcode")
    checks.that(f"{name}: crrctl plan shows no change either", same.returncode == 0, said(same))
    gone = stand.crrctl(manifest, "destroy", "--yes", "--purge-keys")
    left = json.loads(gone.stdout).get("left")
    checks.that(f"{name}: crrctl destroy leaves nothing", gone.returncode == 0 and left == [], said(gone))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--crrctl", required=True)
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--work", required=True)
    arguments = parser.parse_args()
    began = time.monotonic()
    stand = Stand(arguments.crrctl, arguments.mirror, arguments.work)
    try:
        for example in sorted(EXAMPLES.glob("*.yaml")):
            if example.stem in TRIED:
                take_over(stand, example.stem, example.read_text(), example.stem == TRIED[0])
            else:
                print(f"skip {example.stem}: not handed over to Terraform yet")
    finally:
        stand.stop()
    print(f"{checks.passed} passed, {checks.failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if checks.failed else 0


if __name__ == "__main__":
    sys.exit(main())
