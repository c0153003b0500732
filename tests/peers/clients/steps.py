"""What the walks of all clients share: how a step is told, the sandbox's address, what they store.

Not for any client: each has a file of its own.
"""

import contextlib
import http.client
import os
import subprocess
import threading
import traceback
import urllib.parse

NEAR, FAR = "us-east-1", "eu-west-1"
ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
HOST = urllib.parse.urlsplit(ENDPOINT).netloc
PORT = HOST.rpartition(":")[2]
KEY, SECRET = os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"]
# The sandbox that answers under a host name of its own; empty where this crrctl can't.
NAMED = os.environ.get("NAMED_SANDBOX", "")
NAME = "s3.sandbox.test"

MIB = 1 << 20
# One part of the least size and a rest.
LARGE = os.urandom(5 * MIB) + b"the rest"
# Names that a client or a server may encode wrongly.
ODD_KEYS = (
    "with space",
    "plus+plus",
    "percent%20percent",
    "half%2",
    "ümläut/日本語",
    "emoji 🎉",
    "q?u&e=r#y",
    "semi;colon:at@comma,$!*'()",
    "tilde~-_.",
    "back\\slash",
    'quotes"<&>',
    "brackets[]{}|^`",
    "a/b/c",
)
# Names that no file system has.
ODDER_KEYS = ("trailing/", "double//slash", "dot/./dot", "/leading", " space at both ends ")

lock = threading.Lock()


class Steps:
    """Prints one line a step and counts. A step that fails stops no other."""

    def __init__(self, client):
        self.client = client
        self.passed = self.failed = 0

    @contextlib.contextmanager
    def __call__(self, what):
        fault = None
        try:
            yield
        except Exception as error:
            fault = " ".join(f"line {place(error)}: {type(error).__name__}: {error}".split())
        with lock:
            if fault is None:
                self.passed += 1
                print(f"ok   {self.client}: {what}", flush=True)
            else:
                self.failed += 1
                print(f"FAIL {self.client}: {what}: {fault[:700]}", flush=True)


def place(error):
    """Returns the number of the line of the walk that failed."""
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if "/with_" in frame.filename
    ]
    return lines[0] if lines else 0


def same(seen, expected):
    if seen != expected:
        raise AssertionError(f"{seen!r:.300}, not {expected!r:.300}")


def has(text, *wanted):
    """Whether a text has all that is wanted."""
    missing = [it for it in wanted if it not in text]
    if missing:
        raise AssertionError(f"no {missing!r} in {text!r:.600}")


def holds(is_so, seen=""):
    if not is_so:
        raise AssertionError(f"{seen!r:.500}")


def answer(method, url, body=None, headers=None):
    """Sends a request as it is, without following redirects: status, headers, body."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port, timeout=20)
    try:
        target = parts.path or "/"
        if parts.query:
            target += "?" + parts.query
        connection.request(
            method, target, body=body, headers={"Host": parts.netloc, **(headers or {})}
        )
        got = connection.getresponse()
        return got.status, {name.lower(): value for name, value in got.getheaders()}, got.read()
    finally:
        connection.close()


def form(url, fields, content, name="file.txt"):
    """Posts a form as a browser does."""
    border = "----border"
    lines = []
    kind = "Content-Disposition: form-data; name="
    for field, value in fields.items():
        lines.append(f'--{border}\r\n{kind}"{field}"\r\n\r\n{value}\r\n')
    lines.append(f'--{border}\r\n{kind}"file"; filename="{name}"\r\n')
    lines.append("Content-Type: text/plain\r\n\r\n")
    body = "".join(lines).encode() + content + f"\r\n--{border}--\r\n".encode()
    return answer("POST", url, body, {"Content-Type": f"multipart/form-data; boundary={border}"})


def ran(command, input=None, ok=True, **environment):
    """Runs a program and returns what it printed; raises where its exit code is not as expected."""
    done = subprocess.run(
        command, input=input, capture_output=True, timeout=60, env={**os.environ, **environment}
    )
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if (done.returncode == 0) != ok:
        raise RuntimeError(
            f"{' '.join(command[1:])[:200]}: exit {done.returncode}: {err[-500:]}{out[-200:]}"
        )
    return out if ok else out + err


def stocked(scratch, names=ODD_KEYS):
    """Makes what a walk stores: a tree with a file for each name, and a large file."""
    tree, large = scratch / "tree", scratch / "large"
    for name in names:
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    large.write_bytes(LARGE)
    return tree, large


def names_below(folder):
    """Returns the names of the files below a folder, relative to it."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def keys_of(bucket, prefix):
    """Returns the keys of the objects below a prefix, without it."""
    listed = admin().list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])
    return [it["Key"].removeprefix(prefix) for it in listed]


def kms_key():
    """Makes a KMS key as an administrator would, with boto3, and returns its ARN."""
    import boto3

    return boto3.client("kms", region_name=NEAR).create_key()["KeyMetadata"]["Arn"]


def admin(region=NEAR):
    """boto3's client, to look at what the others did."""
    import boto3

    return boto3.client("s3", region_name=region)
