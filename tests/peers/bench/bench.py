"""Has crrctl and what a user would pick instead make the same pair in `crrctl sandbox`, with latency added to each answer, and tells how
they compare: medians, ratios, slopes in round trips, calls, processor time, memory.

Each run has a sandbox of its own; tools take turns. What each made is read back by boto3 and must be equal, tags aside.
A quick run has one turn, no Ansible and no Terraform, and asserts equality alone; a full one asserts the bars, too.
"""

import argparse
import http.client
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
PAIR = ["--name", "demo", "--source", "us-east-1", "--destination", "us-west-2"]
BASE = "crrctl"

# The bars: (what, value, relation, bar).
RATIOS = {"boto3, 16 threads": 2, "boto3, one by one": 4, "AWS CLI v1": 30, "Ansible": 40}
SLOPES = {"crrctl": 7.0, "crrctl, second apply": 2.2, "crrctl, destroy": 6.0}
CPU_MS, MEMORY_MIB = 60, 24
START_MS = 5


class Sandbox:
    def __init__(self, crrctl, latency_ms):
        command = [crrctl, "sandbox", "--listen", "127.0.0.1:0", "--latency", f"{latency_ms}ms"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.env = {}
        while "AWS_DEFAULT_REGION" not in self.env:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the sandbox did not start")
            name, _, value = line.removeprefix("export ").strip().partition("=")
            self.env[name] = value
        self.url = self.env["AWS_ENDPOINT_URL"]

    def calls(self):
        with urllib.request.urlopen(f"{self.url}/_crrctl/calls") as answer:
            told = json.load(answer)
        return told["reads"], told["writes"]

    def round_trip(self):
        """Returns the seconds that one request takes on a connection that stands: a latency is a little more than its number."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        taken = []
        for _ in range(12):
            began = time.perf_counter()
            connection.request("GET", "/")
            connection.getresponse().read()
            taken.append(time.perf_counter() - began)
        connection.close()
        return statistics.median(taken[2:])

    def reset_calls(self):
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/_crrctl/calls/reset", method="POST")).close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def measured(command, env, cwd):
    """Runs a command; returns seconds, seconds of processor time and MiB, its children's with it."""
    with tempfile.TemporaryFile() as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, env=env, cwd=cwd, stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            out.seek(0)
            raise SystemExit(f"{command[0]} ended with {process.returncode}:\n{out.read().decode()[-3000:]}")
    return seconds, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


class Bench:
    def __init__(self, args, work):
        self.args, self.work = args, work
        self.order = work / "order.json"
        self.wanted = None
        self.runs = {}
        self.round_trips = {}
        self.python = sys.executable
        self.bin = pathlib.Path(sys.executable).parent

    def env(self, sandbox):
        return {
            **sandbox.env,
            "AWS_DEFAULT_REGION": "us-east-1",
            "HOME": str(self.work),
            "PATH": f"{self.bin}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_HOME": str(self.work / "ansible"),
        }

    def note(self, tool, latency, taken, calls):
        self.runs.setdefault((tool, latency), []).append((*taken, *calls))

    def state(self, env):
        done = subprocess.run([self.python, HERE / "state.py"], env=env, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"what was made can't be read:\n{done.stderr}")
        return json.loads(done.stdout)

    def check(self, tool, env):
        """Holds what a tool made against what crrctl made."""
        state = self.state(env)
        if self.wanted is None:
            self.wanted = state
            self.order.write_text(json.dumps(state))
        if state != self.wanted:
            mine, theirs = (json.dumps(it, indent=1, sort_keys=True).splitlines() for it in (self.wanted, state))
            import difflib

            diff = "\n".join(difflib.unified_diff(mine, theirs, "crrctl", tool, lineterm="", n=1))
            raise SystemExit(f"{tool} made something else:\n{diff}")

    def crrctl(self, latency):
        crrctl = str(self.args.crrctl)
        with Sandbox(crrctl, latency) as sandbox:
            env = self.env(sandbox)
            self.round_trips.setdefault(latency, []).append(sandbox.round_trip())
            sandbox.reset_calls()
            taken = measured([crrctl, "apply", "--yes", "--no-probe", "-q", *PAIR], env, self.work)
            self.note(BASE, latency, taken, sandbox.calls())
            self.check(BASE, env)
            for name, command in (("second apply", ["apply", "--yes", "--no-probe"]), ("destroy", ["destroy", "--yes"])):
                sandbox.reset_calls()
                taken = measured([crrctl, *command, "-q", *PAIR], env, self.work)
                self.note(f"{BASE}, {name}", latency, taken, sandbox.calls())
                if name == "second apply" and sandbox.calls()[1]:
                    raise SystemExit("the second apply wrote something")

    def other(self, tool, command, latency):
        with Sandbox(str(self.args.crrctl), latency) as sandbox:
            env = self.env(sandbox)
            work = pathlib.Path(tempfile.mkdtemp(dir=self.work))
            command = [str(part).replace("WORK", str(work)) for part in command]
            if tool == "Terraform":
                self.terraform_folder(work)
                env["TF_CLI_CONFIG_FILE"] = str(self.work / "terraformrc")
                init = [command[0], "init", "-no-color", "-input=false"]
                subprocess.run(init, env=env, cwd=work, check=True, stdout=subprocess.DEVNULL)
            taken = measured(command, env, work)
            self.note(tool, latency, taken, sandbox.calls())
            self.check(tool, env)
            shutil.rmtree(work)

    def terraform_folder(self, work):
        """The pair as `export terraform` writes it, without what imports it."""
        made = self.work / "pair.tf"
        if not made.exists():
            with Sandbox(str(self.args.crrctl), 0) as sandbox:
                env = self.env(sandbox)
                crrctl = str(self.args.crrctl)
                subprocess.run([crrctl, "apply", "--yes", "--no-probe", "-q", *PAIR], env=env, check=True)
                told = subprocess.run([crrctl, "export", "terraform", *PAIR], env=env, check=True, capture_output=True, text=True)
            text = re.sub(r"import \{.*?\n\}\n", "", told.stdout, flags=re.S)
            # The key is a new one each time.
            made.write_text(re.sub(r"mrk-[0-9a-f]{32}", "${aws_kms_key.us_east_1.key_id}", text))
            mirror = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{self.args.mirror}"\n  }}\n}}\n'
            (self.work / "terraformrc").write_text(mirror)
        text = made.read_text()
        endpoint = 'skip_requesting_account_id = false\n  s3_use_path_style = true\n'
        (work / "pair.tf").write_text(text.replace('provider "aws" {\n', 'provider "aws" {\n  ' + endpoint))

    def tools(self):
        tools = {
            "boto3, 16 threads": [self.python, HERE / "with_boto3.py", "threads", self.order],
            "boto3, one by one": [self.python, HERE / "with_boto3.py", "sequential", self.order],
            "AWS CLI v1": [HERE / "with_cli.sh", self.order, "WORK"],
        }
        if self.args.ansible:
            extra = json.dumps({"order": str(self.order), "aws": str(self.bin / "aws"), "ansible_python_interpreter": self.python})
            tools["Ansible"] = [self.bin / "ansible-playbook", HERE / "playbook.yml", "-i", "localhost,", "-e", extra]
        if self.args.mirror:
            tools["Terraform"] = ["terraform", "apply", "-auto-approve", "-no-color", "-input=false"]
        return tools

    def run(self):
        slow = ("AWS CLI v1", "Ansible", "Terraform")
        for turn in range(self.args.turns):
            for latency in self.args.latencies:
                self.crrctl(latency)
                for tool, command in self.tools().items():
                    # What takes half a minute does so again: it gets fewer turns.
                    if turn < (self.args.slow_turns if tool in slow else self.args.turns):
                        self.other(tool, command, latency)
                print(f"turn {turn + 1} of {self.args.turns}, {latency} ms", file=sys.stderr)


def median(runs, place):
    return statistics.median(run[place] for run in runs)


def table(bench):
    """Returns the lines of the table, and what the bars are held against."""
    latencies = bench.args.latencies
    middle = 60 if 60 in latencies else latencies[-1]
    tools = list(dict.fromkeys(tool for tool, _ in bench.runs))
    base = median(bench.runs[BASE, middle], 0)
    head = ["tool", *(f"{latency} ms" for latency in latencies), f"at {middle} ms", "round trips", "reads", "writes", "CPU", "memory"]
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(["---"] + ["---:"] * (len(head) - 1)) + "|"]
    found = {}
    trips = [statistics.median(bench.round_trips[latency]) for latency in latencies]
    round_trip = trips[-1] - trips[0]
    for tool in tools:
        times = [median(bench.runs[tool, latency], 0) for latency in latencies]
        runs = bench.runs[tool, middle]
        slope = (times[-1] - times[0]) / round_trip
        is_other = not tool.startswith(BASE)
        ratio = times[latencies.index(middle)] / base
        cpu, memory = median(runs, 1) * 1000, median(runs, 2)
        found[tool] = {"seconds": dict(zip(latencies, times)), "slope": slope, "ratio": ratio, "cpu": cpu, "memory": memory}
        cells = [tool, *(f"{t:.2f} s" for t in times), f"{ratio:.1f}x" if is_other else "", f"{slope:.1f}"]
        cells += [f"{median(runs, 3):.0f}", f"{median(runs, 4):.0f}", f"{cpu:.0f} ms", f"{memory:.0f} MiB"]
        lines.append("| " + " | ".join(cells) + " |")
    return lines, found


def starts(crrctl):
    """Returns how many milliseconds the binary takes to start and to end again, by what it is asked for."""
    options = ["--version", "--help"]
    env = {"PATH": os.environ["PATH"]}
    return {it: statistics.median(measured([crrctl, it], env, "/")[0] for _ in range(51)) * 1000 for it in options}


def bars(found, starts):
    """Yields what is over or under its bar, one line each."""
    for option, taken in starts.items():
        yield f"{option} takes {taken:.1f} ms", taken <= START_MS, f"at most {START_MS}"
    for tool, least in RATIOS.items():
        if tool in found:
            yield f"{tool} takes {found[tool]['ratio']:.1f} times as long", found[tool]["ratio"] >= least, f"at least {least}"
    for tool, most in SLOPES.items():
        yield f"{tool}: {found[tool]['slope']:.1f} round trips", round(found[tool]["slope"], 1) <= most, f"at most {most}"
    yield f"an apply takes {found[BASE]['cpu']:.0f} ms of the processor", found[BASE]["cpu"] <= CPU_MS, f"at most {CPU_MS}"
    yield f"an apply takes {found[BASE]['memory']:.0f} MiB", found[BASE]["memory"] <= MEMORY_MIB, f"at most {MEMORY_MIB}"


def chart(found, latency):
    """Returns a bar chart of the tools at one latency, as SVG: a bar is as long as the logarithm of its time."""
    import math

    rows = [(tool, it["seconds"][latency]) for tool, it in found.items() if tool == BASE or not tool.startswith(BASE)]
    rows.sort(key=lambda row: row[1])
    least, most = min(t for _, t in rows) / 2, max(t for _, t in rows)
    height = 34 + 26 * len(rows)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" role="img" font-family="sans-serif" font-size="13">',
        f"<title>Seconds to make a pair with {latency} ms of latency (logarithmic)</title>",
        "<style>text{fill:#333}.bar{fill:#8a94a6}.own{fill:#0b7a4b}@media(prefers-color-scheme:dark){text{fill:#ddd}.own{fill:#3fbf84}}</style>",
        f'<text x="8" y="18">Seconds to make a pair, {latency} ms of latency (logarithmic)</text>',
    ]
    for n, (tool, seconds) in enumerate(rows):
        y = 32 + 26 * n
        width = 380 * math.log(seconds / least) / math.log(most / least)
        kind = "own" if tool == BASE else "bar"
        parts.append(f'<text x="150" y="{y + 14}" text-anchor="end">{tool}</text>')
        parts.append(f'<rect class="{kind}" x="158" y="{y}" width="{width:.0f}" height="18" rx="2"/>')
        parts.append(f'<text x="{164 + width:.0f}" y="{y + 14}">{seconds:.2f}</text>')
    return "\n".join([*parts, "</svg>", ""])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--crrctl", type=pathlib.Path, required=True)
    parser.add_argument("--mirror", type=pathlib.Path)
    parser.add_argument("--ansible", action="store_true")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--slow-turns", type=int, default=1)
    parser.add_argument("--latencies", type=lambda text: [int(it) for it in text.split(",")], default=[0, 60, 150])
    parser.add_argument("--bars", action="store_true")
    parser.add_argument("--out", type=pathlib.Path)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        bench = Bench(args, pathlib.Path(work))
        bench.run()
    lines, found = table(bench)
    print("\n".join(lines))
    print(f"\nEach tool made the same, as boto3 reads it; medians of {args.turns} turns, {args.slow_turns} for the slow ones.")
    if args.out:
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "bench.md").write_text("\n".join(lines) + "\n")
        (args.out / "bench.svg").write_text(chart(found, 60 if 60 in args.latencies else args.latencies[-1]))
        print(f"written to {args.out}: bench.md and bench.svg")
    if args.bars:
        missed = 0
        for what, holds, bar in bars(found, starts(args.crrctl.resolve())):
            print(f"{'ok  ' if holds else 'MISS'} {what} ({bar})")
            missed += not holds
        sys.exit(1 if missed else 0)


main()
