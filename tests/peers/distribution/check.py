"""Asks linters written by others about the action, the workflows, the Dockerfile and the runbooks, and runs what can be run.

What is run meets `crrctl sandbox`: the action's own step, the commands of the SSM document and of the Rundeck job, the playbook.
Not for its own Python: `run` beside this file makes that and calls this.

Each check prints one line. The exit code is 0 only when every check passed.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"
MANIFEST = EXAMPLES / "manifests" / "minimal.yaml"
WORKFLOWS = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), EXAMPLES / "github-nightly.yml"]
YAML = "{extends: default, rules: {document-start: disable, line-length: {max: 140}, truthy: {check-keys: false}, braces: {max-spaces-inside: 1}, comments: {min-spaces-from-content: 1}}}"

passed = failed = 0


def that(what, is_so, seen=""):
    global passed, failed
    if is_so:
        passed += 1
        print(f"ok   {what}", flush=True)
    else:
        failed += 1
        print(f"FAIL {what}: {seen}", flush=True)
    return is_so


def lint(what, *command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    that(what, done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}")


def linted():
    lint("action.yml is an action", "check-jsonschema", "--builtin-schema", "vendor.github-actions", "action.yml")
    lint("the workflows are workflows", "check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    lint("zizmor finds no fault in them", "zizmor", "--offline", "--quiet", "action.yml", *WORKFLOWS)
    lint("yamllint", "yamllint", "--strict", "-d", YAML, "action.yml", ".github/workflows", "examples")
    lint("hadolint", "hadolint", "Dockerfile")
    lint("cfn-lint on the SSM document", "cfn-lint", "--include-checks", "I", "--", "examples/ssm-automation.yaml")
    lint("ansible-lint", "ansible-lint", "--offline", "--strict", "--profile", "production", "examples/ansible.yml")


class Sandbox:
    """`crrctl sandbox`, and the environment that points at it."""

    def __init__(self, crrctl):
        path = f"{pathlib.Path(crrctl).parent}:{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path}
        self.server = subprocess.Popen([crrctl, "sandbox", "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE, text=True)
        for _ in range(4):
            name, _, value = self.server.stdout.readline().strip().removeprefix("export ").partition("=")
            self.environment[name] = value

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.terminate()
        self.server.wait(10)

    def run(self, command, **more):
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command], env={**self.environment, **more}, capture_output=True, text=True
        )


def said(done):
    return f"exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"


def action(sandbox, scratch):
    """Runs the step of the action that runs crrctl, as a runner would."""
    step = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"][-1]["run"]

    def does(command, arguments=""):
        output = scratch / "output"
        output.write_text("")
        done = sandbox.run(
            step,
            COMMAND=command,
            ARGUMENTS=arguments,
            CRRCTL_FILE=str(MANIFEST),
            CRRCTL_SANDBOX="false",
            RUNNER_TEMP=str(scratch),
            GITHUB_OUTPUT=str(output),
        )
        outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return done, outputs

    for command, arguments, code, changed in (
        ("apply", "--timeout\n10m", "0", "true"),
        ("apply", "--no-probe", "0", "false"),
        ("plan", "--detailed-exitcode", "0", ""),
        ("destroy", "", "0", ""),
        ("plan", "--detailed-exitcode", "2", ""),
    ):
        done, outputs = does(command, arguments)
        is_so = (str(done.returncode), outputs.get("exit-code"), outputs.get("changed")) == (code, code, changed)
        if that(f"the action's {command} ends with {code}", is_so, f"{outputs}\n{said(done)}"):
            json.loads(pathlib.Path(outputs["result"]).read_text())
    done, _ = does("rm -rf /")
    that("the action refuses another command", done.returncode == 3, said(done))


def commands_of_ssm():
    steps = yaml.safe_load((EXAMPLES / "ssm-automation.yaml").read_text())["Resources"]["Runbook"]["Properties"]["Content"]["mainSteps"]
    for step in steps:
        for command in step["inputs"]["Parameters"]["commands"]:
            yield f"SSM {step['name']}", command.replace("{{ Manifest }}", str(MANIFEST))


def commands_of_rundeck():
    for job in yaml.safe_load((EXAMPLES / "rundeck.yaml").read_text()):
        for step in job["sequence"]["commands"]:
            for command in (step["exec"], step["errorhandler"]["exec"]):
                command = command.replace("${option.manifest}", str(MANIFEST)).replace("${option.since}", "2000-01-01")
                yield f"Rundeck {command.split()[1]}", command


def playbook(sandbox, scratch):
    """The first run changes something, the second nothing."""
    ansible = shutil.which("ansible-playbook")
    for wanted in ("changed=2", "changed=0"):
        command = f"{ansible} -i localhost, {EXAMPLES / 'ansible.yml'} -e crrctl_manifest={MANIFEST} -e ansible_python_interpreter={sys.executable}"
        done = sandbox.run(command, ANSIBLE_HOME=str(scratch / "ansible"), ANSIBLE_LOCALHOST_WARNING="False")
        that(f"the playbook ends with {wanted}", done.returncode == 0 and wanted in done.stdout, said(done))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--crrctl", required=True)
    crrctl = parser.parse_args().crrctl
    scratch = pathlib.Path(os.environ["TMPDIR"])
    linted()
    with Sandbox(crrctl) as sandbox:
        action(sandbox, scratch)
        sandbox.environment.pop("CRRCTL_FILE", None)
    with Sandbox(crrctl) as sandbox:
        for what, command in [*commands_of_ssm(), *commands_of_rundeck()]:
            done = sandbox.run(command)
            that(what, done.returncode == 0, said(done))
    with Sandbox(crrctl) as sandbox:
        playbook(sandbox, scratch)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
