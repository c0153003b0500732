"""Asks linters written by others about the action, the workflows, the Dockerfile and the runbooks, and runs what can be run.

What is run meets `crrctl sandbox`: the action's own step, alone and as the nightly workflow calls it, the commands of the SSM document
and of the Rundeck job, the playbook. The release's archive is packed by the release workflow's own step, from the binary that is
there, and installed by the action's; `cargo cyclonedx` and `gh` are not called, but looked whether they are asked as is meant. All
packages are packed without being built.
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
import tarfile

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
    shell_steps()
    lint("zizmor finds no fault in them", "zizmor", "--offline", "--quiet", "action.yml", *WORKFLOWS)
    lint("yamllint", "yamllint", "--strict", "-d", YAML, "action.yml", ".github/workflows", "examples")
    lint("hadolint", "hadolint", "Dockerfile")
    lint("cfn-lint on the SSM document", "cfn-lint", "--include-checks", "I", "--", "examples/ssm-automation.yaml")
    lint("ansible-lint", "ansible-lint", "--offline", "--strict", "--profile", "production", "examples/ansible.yml")


def shell_steps():
    """Asks shellcheck about every step that is shell, with the variables that the step is given."""
    files = [ROOT / "action.yml", *WORKFLOWS]
    for file in files:
        document = yaml.safe_load(file.read_text())
        jobs = document.get("jobs", {"action": document.get("runs", {})})
        steps = [step for job in jobs.values() for step in job["steps"] if "run" in step]
        faults = []
        for step in steps:
            names = [*step.get("env", {}), "GITHUB_PATH", "GITHUB_OUTPUT", "RUNNER_TEMP"]
            # As the runner calls it.
            text = "set -euo pipefail\n" + "".join(f": \"${{{name}:=}}\"\n" for name in names) + step["run"]
            done = subprocess.run(["shellcheck", "--shell", "bash", "-"], input=text, capture_output=True, text=True)
            if done.returncode != 0:
                faults.append(done.stdout)
        that(f"shellcheck on {len(steps)} steps of {file.name}", not faults, "\n".join(faults))


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

    def run(self, command, cwd=None, **more):
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=cwd,
            env={**self.environment, **more},
            capture_output=True,
            text=True,
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
        ("status", "", "0", ""),
        ("destroy", "", "0", ""),
        ("plan", "--detailed-exitcode", "2", ""),
    ):
        done, outputs = does(command, arguments)
        is_so = (str(done.returncode), outputs.get("exit-code"), outputs.get("changed")) == (code, code, changed)
        if that(f"the action's {command} ends with {code}", is_so, f"{outputs}\n{said(done)}"):
            json.loads(pathlib.Path(outputs["result"]).read_text())
    done, _ = does("rm -rf /")
    that("the action refuses another command", done.returncode == 3, said(done))


def tool(folder, name, script):
    """Puts a program of ours in the place of one that a step calls."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/usr/bin/env bash\nset -eu\n{script}\n")
    path.chmod(0o755)


def steps_of(workflow, job):
    return yaml.safe_load(workflow.read_text())["jobs"][job]["steps"]


def nightly(sandbox, scratch):
    """Runs what the nightly workflow has the action do, in its order."""
    manifest = scratch / "smoke.yaml"
    manifest.write_text("name: smoke\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n")
    step = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"][-1]["run"]
    for call in steps_of(EXAMPLES / "github-nightly.yml", "smoke"):
        if not call.get("uses", "").startswith("OWNER/crrctl@"):
            continue
        given = call["with"]
        output = scratch / "nightly-output"
        output.write_text("")
        # The reports are written where the workflow runs.
        done = sandbox.run(
            step,
            cwd=scratch,
            COMMAND=given["command"],
            ARGUMENTS=given.get("arguments", ""),
            CRRCTL_FILE=str(manifest),
            CRRCTL_SANDBOX="false",
            CRRCTL_RUN="7-1",
            RUNNER_TEMP=str(scratch),
            GITHUB_OUTPUT=str(output),
        )
        that(f"the nightly's {given['command']} goes through", done.returncode == 0, said(done))
        result = json.loads((scratch / f"crrctl-{given['command']}.json").read_text())
        that("of its pair, and nothing is left", result.get("pair", "").startswith("smoke-") and result.get("left", []) == [], result)


def release(crrctl, scratch):
    """Packs an archive as the release does, and installs it as the action does."""
    tag, target = "v9.9.9", f"{os.uname().machine}-unknown-linux-musl"
    place = scratch / "release"
    shutil.copytree(ROOT, place, ignore=lambda _, names: [it for it in names if it in ("target", ".git", "src", "tests")])
    (place / "target" / target / "release").mkdir(parents=True)
    shutil.copy(crrctl, place / "target" / target / "release" / "crrctl")
    tools, asked = scratch / "tools", scratch / "asked"
    tool(tools, "cargo", f'echo "$*" >>{asked}; if [ "$1" = cyclonedx ]; then echo "{{}}" >crrctl.cdx.json; fi')
    pack = next(step["run"] for step in steps_of(ROOT / ".github" / "workflows" / "release.yml", "build") if step.get("name") == "pack")
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "TARGET": target, "TAG": tag}
    shell = ["bash", "-euo", "pipefail", "-c"]
    done = subprocess.run([*shell, pack], cwd=place, env=environment, capture_output=True, text=True)
    that("the release packs its archive", done.returncode == 0, said(done))
    calls = asked.read_text().splitlines()
    is_asked = calls[0].startswith("install --locked cargo-cyclonedx --version") and calls[1] == f"cyclonedx --format json --target {target}"
    that("it asks for the SBOM of that target", is_asked and len(calls) == 2, calls)
    name = f"crrctl-{tag}-{target}"
    packed = sorted(path.name for path in (place / "dist").iterdir())
    that("archive, checksum and SBOM are there", packed == [f"{name}.cdx.json", f"{name}.tar.gz", f"{name}.tar.gz.sha256"], packed)
    with tarfile.open(place / "dist" / f"{name}.tar.gz") as archive:
        sizes = {member.name.removeprefix(f"{name}/"): member.size for member in archive.getmembers() if member.isfile()}
        page = archive.extractfile(f"{name}/crrctl.1").read().decode()
    texts = ["CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "README.md", "crrctl", "crrctl.1"]
    shells = [f"completions/crrctl.{it}" for it in ("bash", "fish", "zsh")]
    that("it holds the binary, texts, completions and the man page", sorted(sizes) == sorted([*texts, *shells]) and all(sizes.values()), sizes)
    that("the man page is one", ".TH crrctl 1" in page, page[:200])

    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    install = next(step["run"] for step in steps if step["name"] == "install a release of crrctl")
    tool(tools, "gh", f'echo "$*" >>{asked}; cp {place}/dist/crrctl-*-{target}.tar.gz* .')
    runner, paths = scratch / "runner", scratch / "paths"
    runner.mkdir()
    environment |= {"VERSION": tag, "REPOSITORY": "owner/crrctl", "RUNNER_TEMP": str(runner), "GITHUB_PATH": str(paths)}
    done = subprocess.run([*shell, install], env=environment, capture_output=True, text=True)
    that("the action installs that archive and checks its sum", done.returncode == 0 and "OK" in done.stdout, said(done))
    asked_for = f"release download {tag} --repo owner/crrctl --pattern crrctl-*-{target}.tar.gz*"
    that("it asks for the release that was named", asked.read_text().splitlines()[-1] == asked_for, asked.read_text())
    version = subprocess.run([f"{paths.read_text().strip()}/crrctl", "--version"], capture_output=True, text=True)
    that("what it puts on the PATH runs", version.stdout.startswith("crrctl "), said(version))
    subprocess.run([*shell, install], env=environment | {"VERSION": "", "GITHUB_PATH": "/dev/null"}, capture_output=True)
    latest = f"release download --repo owner/crrctl --pattern crrctl-*-{target}.tar.gz*"
    that("without a name it asks for the latest", asked.read_text().splitlines()[-1] == latest, asked.read_text())
    with (place / "dist" / f"{name}.tar.gz").open("ab") as archive:
        archive.write(b"more")
    done = subprocess.run([*shell, install], env=environment, capture_output=True, text=True)
    that("an archive of another sum is not installed", done.returncode != 0 and "FAILED" in done.stdout, said(done))


def crates():
    """Packs all packages, and looks whether all that each builds from is in it."""
    if not shutil.which("cargo"):
        return that("cargo is there", False)
    command = ["cargo", "package", "--workspace", "--offline", "--locked", "--allow-dirty", "--no-verify"]
    target = os.environ["CRRCTL_PACKAGE_TARGET"]
    done = subprocess.run([*command, "--target-dir", target], cwd=ROOT, capture_output=True, text=True)
    # Where the project will live is not known here.
    warnings = [it for it in done.stderr.splitlines() if "warning" in it and "has no documentation, homepage or repository" not in it]
    if not that("cargo package --workspace, without a warning", done.returncode == 0 and not warnings, said(done)):
        return
    for package, at, folders in (
        ("crrctl", ROOT, ("src", "policies", "schemas")),
        ("crrctl-iam", ROOT / "crates" / "iam", ("src",)),
        ("crrctl-sandbox", ROOT / "crates" / "sandbox", ("src",)),
    ):
        (packed,) = pathlib.Path(target, "package").glob(f"{package}-[0-9]*.crate")
        with tarfile.open(packed) as archive:
            names = {pathlib.PurePath(member.name).relative_to(packed.stem).as_posix() for member in archive.getmembers()}
        tracked = {path.relative_to(at).as_posix() for folder in folders for path in (at / folder).rglob("*") if path.is_file()}
        that(f"{package}: all of {', '.join(folders)} is in it", tracked <= names, tracked - names)
        texts = {"README.md", "LICENSE-APACHE", "LICENSE-MIT"}
        that(f"{package}: its README and its licences are", texts <= names, texts - names)
        strays = [it for it in names if it.split("/")[0] in (".ci", ".github", "target", "action.yml", "crates")]
        that(f"{package}: nothing of the repository's own keeping is", not strays, strays)
        that(f"{package}: it has at most 4 MiB: {packed.stat().st_size // 1024} KiB", packed.stat().st_size <= 4 << 20)


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
    crates()
    release(crrctl, scratch)
    with Sandbox(crrctl) as sandbox:
        nightly(sandbox, scratch)
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
