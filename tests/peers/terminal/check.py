#!/usr/bin/env python3
"""Runs every command in a real terminal (tmux) of 60, 80 and 120 columns, and beside it without one.

The terminal must show every word of the run without a terminal, as often and no more: a line that the live lines erase is a word
too few, a live line that stays is a word too many. Names are whole, and no table is wider than the terminal.

    tests/peers/terminal/check.py CRRCTL FOLDER

FOLDER gets what each terminal showed. It asks nothing of any AWS.
"""

import collections
import json
import os
import re
import subprocess
import sys
import tempfile
import time

CRRCTL, FOLDER = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
PAIR = "--name orders --source us-east-1 --destination us-west-2"
SOURCE, DESTINATION = "orders-111122223333-us-east-1", "orders-111122223333-us-west-2"
FLEET = """source: {region: us-east-1}
destinations: [{region: us-west-2}]
pairs: [{name: one}, {name: two}]
"""

# In this order, on one sandbox: a command line and its exit code.
COMMANDS = [
    ("help", 0), ("help options", 0), ("apply --help", 0), ("version", 0), ("explain", 0), ("explain FAILED", 0),
    (f"init {PAIR} --file {{home}}/new-{{side}}.yaml", 0), ("schema events", 0), ("man", 0), ("completions bash", 0),
    (f"plan {PAIR}", 0), (f"plan --graph dot {PAIR}", 0), (f"check --before-apply {PAIR}", 0), (f"check {PAIR}", 2),
    (f"apply --yes {PAIR}", 0), (f"plan {PAIR}", 0), (f"apply --yes {PAIR}", 0), (f"probe --count 3 {PAIR}", 0),
    (f"probe --keep {PAIR}", 0), (f"check {PAIR}", 0), (f"check -v {PAIR}", 0), (f"status {PAIR}", 0),
    (f"plan --destroy {PAIR}", 0), ("list --regions us-east-1,us-west-2", 0), ("gc --regions us-east-1,us-west-2", 0),
    (f"policy prove {PAIR}", 0), (f"policy render {PAIR}", 0), (f"policy operator {PAIR}", 0),
    (f"export terraform {PAIR}", 0), (f"export cloudformation {PAIR}", 0), (f"import {SOURCE}", 0),
    (f"wait s3://{SOURCE}/none", 3), (f"backfill --cancel {PAIR}", 0), (f"apply --ephemeral 1s --yes --no-probe --name gone --source us-east-1 --destination us-west-2", 0),
    ("gc --yes --regions us-east-1,us-west-2", 0), (f"destroy --yes {PAIR}", 0), ("status --name nobody", 3),
    (f"smoke {PAIR}", 0), (f"rehearse {PAIR}", 0), ("apply --yes -f {home}/fleet.yaml", 0),
    ("status -f {home}/fleet.yaml", 0), ("destroy --yes -f {home}/fleet.yaml", 0),
]
HEADERS = {"probe", "route", "status", "latency", "replica", "pair", "source", "destinations", "state", "resources"}
# What differs from run to run: ids, times, counts of calls.
DIFFERS = [
    (r"(mrk-)?[0-9a-f]{32}", "KEY"), (r"AROA\w+", "ROLE"), (r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID"),
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"), (r"(\d+ min )?\d+(\.\d+)? (ms|s)\b|\d+ (h|d)( \d+ (min|h))?\b", "SPAN"),
    (r"_crrctl/[a-z0-9-]+/[a-z]{8}/", "RUN/"), (r"\d+ calls", "CALLS"), (r"request id \S+", "ID"), (r"127\.0\.0\.1:\d+", "PORT"),
    (r"\d+ reads", "READS"), (r"orders-[a-z]{6}\b", "orders-SMOKE"), (r"new-(pipe|tty)", "new"), (r"-{2,}", "-"),
]
LIVE = re.compile(r"[⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]|^looking at what is there|^\S+-\d +\d+ done$", re.M)

failed = passed = 0


def check(name, ok, more=""):
    global failed, passed
    passed, failed = passed + bool(ok), failed + (not ok)
    if not ok:
        print(f"FAIL {name}: {more}")


def sandbox(home, *flags):
    environment = {"PATH": os.environ["PATH"], "HOME": home}
    served = subprocess.Popen([CRRCTL, "sandbox", "--listen", "127.0.0.1:0", *flags], env=environment, stdout=subprocess.PIPE, text=True)
    variables = dict(environment, TERM="screen-256color", LANG="C.UTF-8", TMUX_TMPDIR=home)
    while "AWS_DEFAULT_REGION" not in variables:
        name, value = served.stdout.readline().removeprefix("export ").strip().split("=", 1)
        variables[name] = value.strip('"')
    return served, variables


def tmux(variables, *words):
    return subprocess.run(["tmux", "-f", "/dev/null", *words], env=variables, capture_output=True, text=True).stdout


def screen(variables):
    return tmux(variables, "capture-pane", "-p", "-J", "-S", "-", "-t", "run")


def watched(variables, columns, line, keys=None, enter=False):
    """Runs a command in a terminal; returns what it shows at the end, of all that scrolled by, and its exit code."""
    wrapper = os.path.join(variables["HOME"], "run.sh")
    with open(wrapper, "w") as file:
        file.write(f"trap : INT\n'{CRRCTL}' {line}\necho ended with $?\nsleep 600\n")
    # Without sessions tmux's server would end, and the next session could meet it while it does.
    tmux(variables, "start-server", ";", "set-option", "-s", "exit-empty", "off", ";", "set-option", "-g", "history-limit", "100000", ";",
         "new-session", "-d", "-s", "run", "-x", str(columns), "-y", "50", f"sh {wrapper}")
    shown, sent = "", False
    for _ in range(1200):
        shown = screen(variables)
        if keys and not sent and re.search(keys[0], shown, re.M):
            tmux(variables, "send-keys", "-t", "run", keys[1], *(["Enter"] if enter else []))
            sent = True
        if re.search(r"ended with \d+", shown):
            break
        time.sleep(0.05)
    tmux(variables, "kill-session", "-t", "run")
    ended = re.search(r"ended with (\d+)", shown)
    return re.sub(r"ended with \d+\s*", "", shown), int(ended.group(1)) if ended else None


def words(text):
    lines = [line for line in text.splitlines() if not line.startswith("probe ")]
    text = " ".join(lines)
    text = re.sub(r"\s+", " ", text)
    for pattern, word in DIFFERS:
        text = re.sub(pattern, word, text)
    return collections.Counter(word for word in text.split() if word.lower() not in HEADERS)


def at(columns, home):
    served = []
    try:
        piped, tty = sandbox(home, "--latency", "20ms"), sandbox(home, "--latency", "20ms")
        served = [piped[0], tty[0]]
        for number, (line, code) in enumerate(COMMANDS):
            name = f"{columns} columns: crrctl {line}"
            if line.startswith("gc --yes"):
                expired(piped[1])
                expired(tty[1])
            alone = subprocess.run(f"'{CRRCTL}' " + line.format(home=home, side="pipe"), shell=True, env=piped[1], cwd=home,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            shown, ended = watched(tty[1], columns, line.format(home=home, side="tty"))
            with open(f"{FOLDER}/every-{columns}-{number:02}.txt", "w") as file:
                file.write(f"$ crrctl {line}\n{shown}")
            check(name, alone.returncode == code and ended == code, f"exit codes {alone.returncode} and {ended}, not {code}")
            check(f"{name}: in a pipe no escape", "\x1b" not in alone.stdout)
            stays = LIVE.search(shown)
            check(f"{name}: no live line stays", not stays, stays and stays.group())
            want, have = words(alone.stdout), words(shown)
            check(f"{name}: nothing is lost", not want - have, dict(want - have))
            check(f"{name}: nothing is there twice", not have - want, dict(have - want))
        interrupted(tty[1], columns)
        asked(tty[1], columns)
    finally:
        if served:
            tmux(tty[1], "kill-server")
        for server in served:
            server.terminate()
            server.wait()


def expired(variables):
    """Waits until the ephemeral pair has expired: the two sandboxes have made theirs at two times."""
    for _ in range(600):
        told = subprocess.run([CRRCTL, "gc", "--regions", "us-east-1,us-west-2", "-o", "json"], env=variables, capture_output=True)
        if json.loads(told.stdout)["expired"]:
            return
        time.sleep(0.1)
    raise SystemExit("the ephemeral pair has not expired within a minute")


def interrupted(variables, columns):
    """Ctrl-C, which the terminal echoes among the live lines."""
    for line, seen in [(f"apply --yes {PAIR}", r"^us-\S+ +\d+ done"), (f"smoke {PAIR}", r"^us-\S+ +\d+ done"), (f"watch {PAIR}", r"COMPLETED")]:
        if line.startswith("watch"):
            watched(variables, columns, f"apply --yes {PAIR}")
        shown, ended = watched(variables, columns, line, keys=(seen, "C-c"))
        name = f"{columns} columns: Ctrl-C in crrctl {line}"
        check(name, ended in ((0,) if line.startswith("watch") else (130,)), f"exit code {ended}\n{shown}")
        stays = LIVE.search(shown)
        check(f"{name}: no live line stays", not stays, f"{stays and stays.group()}\n{shown}")
        with open(f"{FOLDER}/interrupted-{columns}-{line.split()[0]}.txt", "w") as file:
            file.write(shown)
    watched(variables, columns, f"destroy --yes {PAIR}")


def asked(variables, columns):
    """The code of an MFA device: the question stays while the live lines go, and what comes after it begins a line."""
    folder = os.path.join(variables["HOME"], ".aws")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "config"), "w") as file:
        file.write("[profile mfa]\nrole_arn = arn:aws:iam::111122223333:role/ops\nsource_profile = mfa\nregion = us-east-1\n"
                   "mfa_serial = arn:aws:iam::111122223333:mfa/ann\naws_access_key_id = a\naws_secret_access_key = b\n")
    for keys, enter, code in [("12345", True, 4), ("C-c", False, 130), ("C-d", False, 4)]:
        line = f"plan --profile mfa {PAIR}"
        shown, ended = watched(variables, columns, line, keys=(r"`mfa`:", keys), enter=enter)
        name = f"{columns} columns: {keys} to the question for the code"
        check(f"{name}: exit code", ended == code, f"exit code {ended}\n{shown}")
        check(f"{name}: the question stands", "the code of the MFA device" in shown, shown)
        check(f"{name}: the error begins a line", re.search(r"^error: ", shown, re.M), shown)
        stays = LIVE.search(shown)
        check(f"{name}: no live line stays", not stays, f"{stays and stays.group()}\n{shown}")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    for columns in (60, 80, 120):
        with tempfile.TemporaryDirectory() as home:
            with open(f"{home}/fleet.yaml", "w") as file:
                file.write(FLEET)
            at(columns, home)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
