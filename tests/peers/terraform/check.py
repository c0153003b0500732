"""Has Terraform import what `crrctl export terraform` hands over, and find nothing to change.

For every manifest under `examples/manifests/` and `tests/peers/shapes/`: crrctl builds the pair in its sandbox and exports it; the
file is formatted as `terraform fmt` would; Terraform validates it, plans (every resource imported, no change), applies (not one call
that writes) and plans again; crrctl still finds nothing to change, and takes everything away.
Not for finding Terraform: `run` beside this file does that and calls this.

Two sandboxes work side by side. Each check prints one line. The exit code is 0 only when every check passed.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[2]
MANIFESTS = [*sorted((ROOT / "examples" / "manifests").glob("*.yaml")), *sorted((HERE.parent / "shapes").glob("*.yaml"))]
# Backfilled first, so that the role and the reports of batch jobs are handed over too: in a bucket of their own, and beside the data.
BACKFILLED = ("minimal", "three-regions")
AT_ONCE = 2
# The provider lives for seconds: what it saves by collecting garbage is less than what that costs.
GARBAGE = {"GOGC": "400"}


class Checks:
    """What one worker found, printed when it is whole, so that lines of two don't mix."""

    def __init__(self):
        self.lines, self.passed, self.failed = [], 0, 0

    def that(self, what, is_so, seen=""):
        if is_so:
            self.passed += 1
            self.lines.append(f"ok   {what}")
        else:
            self.failed += 1
            self.lines.append(f"FAIL {what}: {seen}")
        return is_so


class Stand:
    """A sandbox, and both tools pointed at it."""

    def __init__(self, crrctl, mirror, work):
        self.crrctl_path, self.work = crrctl, pathlib.Path(work)
        self.work.mkdir()
        settings = self.work / "terraform.rc"
        settings.write_text(f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n')
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.work),
            "TMPDIR": str(self.work),
            "TF_CLI_CONFIG_FILE": str(settings),
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            **GARBAGE,
        }
        self.server = subprocess.Popen(
            [crrctl, "sandbox", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True, env=self.environment
        )
        for _ in range(4):
            name, _, value = self.server.stdout.readline().strip().removeprefix("export ").partition("=")
            self.environment[name] = value
        self.endpoint = self.environment["AWS_ENDPOINT_URL"]
        # In the sandbox the id of an account is its root's access key.
        profiles = self.work / "credentials"
        secret = self.environment["AWS_SECRET_ACCESS_KEY"]
        profiles.write_text(f"[archive]\naws_access_key_id = 444455556666\naws_secret_access_key = {secret}\n")
        self.environment["AWS_SHARED_CREDENTIALS_FILE"] = str(profiles)

    def stop(self):
        self.server.terminate()
        self.server.wait(10)

    def control(self, path, method="POST"):
        request = urllib.request.Request(f"{self.endpoint}/_crrctl/{path}", method=method, data=b"" if method == "POST" else None)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read() or "null")

    def run(self, folder, *command, input=None):
        return subprocess.run(
            command, cwd=folder, env=self.environment, input=input or "", text=True, capture_output=True, timeout=300
        )

    def terraform(self, folder, *arguments):
        return self.run(folder, "terraform", *arguments, "-no-color")

    def furnish(self, checks):
        """Has Terraform make what some manifests say exists; its folder is where the provider is found for all others."""
        folder = self.work / "furnish"
        folder.mkdir()
        shutil.copy(HERE / "furnish.tf", folder)
        ready = self.terraform(folder, "init", "-input=false")
        if not checks.that("terraform init finds the provider in the mirror", ready.returncode == 0, said(ready)):
            return False
        made = self.terraform(folder, "apply", "-input=false", "-auto-approve")
        if not checks.that("terraform makes what some manifests say exists", made.returncode == 0, said(made)):
            return False
        outputs = json.loads(self.terraform(folder, "output", "-json").stdout)
        for name, output in (("AWS_ACCESS_KEY_ID", "key"), ("AWS_SECRET_ACCESS_KEY", "secret")):
            self.environment[name] = outputs[output]["value"]
        return True

    def folder(self, name):
        """Makes a folder in which Terraform is initialised."""
        folder = self.work / name
        folder.mkdir()
        shutil.copytree(self.work / "furnish" / ".terraform", folder / ".terraform", symlinks=True)
        shutil.copy(self.work / "furnish" / ".terraform.lock.hcl", folder)
        return folder


def said(answer):
    return f"exit {answer.returncode}\n{answer.stdout[-4000:]}{answer.stderr[-2000:]}"


def messages(answer):
    """Returns what `-json` had Terraform say, by type."""
    found = {}
    for line in answer.stdout.splitlines():
        if line.startswith("{"):
            message = json.loads(line)
            found.setdefault(message["type"], []).append(message)
    return found


def take_over(stand, checks, name, manifest):
    """Builds a pair with crrctl, hands it to Terraform, and takes it away again."""
    folder = stand.folder(name)

    def crrctl(*arguments):
        return stand.run(folder, stand.crrctl_path, *arguments, "-f", "-", "-o", "json", input=manifest)

    def terraform(*arguments):
        return stand.terraform(folder, *arguments)

    built = crrctl("apply", "--yes")
    if not checks.that(f"{name}: crrctl apply proves the pair", built.returncode == 0, said(built)):
        return
    def backfilled(when):
        if name in BACKFILLED:
            filled = crrctl("backfill", "--yes", "--watch")
            checks.that(f"{name}: crrctl backfill {when}", filled.returncode == 0, said(filled))

    backfilled("before")
    exported = crrctl("export", "terraform", "--out", ".")
    if not checks.that(f"{name}: crrctl export terraform", exported.returncode == 0, said(exported)):
        return
    text = next(folder.glob("*.tf")).read_text()
    formatted = terraform("fmt", "-check", "-diff")
    checks.that(f"{name}: it is formatted as terraform fmt would", formatted.returncode == 0, said(formatted))
    # A plan validates first.
    planned = terraform("plan", "-input=false", "-out=plan", "-json")
    if not checks.that(f"{name}: terraform plan", planned.returncode == 0, said(planned)):
        return
    told = messages(planned)
    resources = len(re.findall(r'^resource "', text, re.MULTILINE))
    summary = told["change_summary"][0]["changes"]
    checks.that(f"{name}: all {resources} resources are imported", resources == summary["import"] > 8, summary)
    changes = [it["change"]["resource"]["addr"] for it in told.get("planned_change", []) if it["change"]["action"] not in ("noop", "import")]
    nothing = not changes and summary["add"] == summary["change"] == summary["remove"] == 0
    if not checks.that(f"{name}: no change is planned", nothing, f"{summary} {changes}"):
        checks.lines.append(terraform("show", "plan").stdout)
    stand.control("calls/reset")
    applied = terraform("apply", "-input=false", "plan")
    checks.that(f"{name}: terraform apply", applied.returncode == 0, said(applied))
    calls = stand.control("calls", "GET")
    # To take a role on changes nothing.
    writes = calls["writes"] - calls["by_operation"].get("sts:AssumeRole", 0)
    checks.that(f"{name}: it made no call that writes", writes == 0 < calls["reads"], calls)
    backfilled("again")
    again = terraform("plan", "-input=false", "-detailed-exitcode")
    checks.that(f"{name}: a second terraform plan shows no change", again.returncode == 0, said(again))
    same = crrctl("plan", "--detailed-exitcode")
    checks.that(f"{name}: crrctl plan shows no change either", same.returncode == 0, said(same))
    gone = crrctl("destroy", "--yes", "--purge-data", "--purge-keys")
    left = json.loads(gone.stdout).get("left")
    checks.that(f"{name}: crrctl destroy leaves nothing", gone.returncode == 0 and left == [], said(gone))


def side_by_side(what, paths, ready, take):
    """Takes each file whose name the command line gives, or all, in sandboxes of their own side by side.

    `what` names the files in the help. `ready(stand, checks)` makes a sandbox ready and tells whether to go on;
    `take(stand, checks, path)` checks one file. Returns the exit code.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--crrctl", required=True)
    parser.add_argument("--mirror", required=True)
    parser.add_argument("--work", required=True)
    parser.add_argument("only", nargs="*", help=f"the {what} to take, instead of all")
    arguments = parser.parse_args()
    began = time.monotonic()
    waiting = queue.SimpleQueue()
    for path in paths:
        if not arguments.only or path.stem in arguments.only:
            waiting.put(path)

    def work(number):
        passed = failed = 0

        def tell(checks):
            nonlocal passed, failed
            passed, failed = passed + checks.passed, failed + checks.failed
            print("\n".join(checks.lines), flush=True)

        stand = Stand(arguments.crrctl, arguments.mirror, pathlib.Path(arguments.work) / f"{what}-{number}")
        try:
            checks = Checks()
            goes_on = ready(stand, checks)
            tell(checks)
            while goes_on and not waiting.empty():
                try:
                    path = waiting.get_nowait()
                except queue.Empty:
                    break
                checks, since = Checks(), time.monotonic()
                try:
                    take(stand, checks, path)
                except Exception as fault:  # what went wrong with one stops no other
                    checks.that(f"{path.stem}: goes through", False, repr(fault))
                checks.lines.append(f"     {path.stem}: {time.monotonic() - since:.0f} s")
                tell(checks)
        finally:
            stand.stop()
        return passed, failed

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as workers:
        sums = list(workers.map(work, range(AT_ONCE)))
    passed, failed = (sum(one) for one in zip(*sums))
    print(f"{passed} passed, {failed} failed, {time.monotonic() - began:.0f} s")
    return 1 if failed else 0


def main():
    def take(stand, checks, manifest):
        take_over(stand, checks, manifest.stem, manifest.read_text())

    return side_by_side("manifests", MANIFESTS, Stand.furnish, take)


if __name__ == "__main__":
    sys.exit(main())
