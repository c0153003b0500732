"""s5cmd in the sandbox.

Not for S3 Select, which the sandbox does not have.
"""

import json

from steps import ENDPOINT, FAR, LARGE, NAME, NAMED, NEAR, ODD_KEYS, PORT
from steps import admin, answer, has, holds, keys_of, kms_key, names_below, ran, same, stocked

HERE, THERE = "s5cmd-here", "s5cmd-there"
# To s5cmd an asterisk and a question mark are wildcards.
KEYS = tuple(key for key in ODD_KEYS if not set(key) & set("*?"))


def walk(step, scratch):
    def s5cmd(*arguments, input=None, ok=True, region=NEAR, endpoint=ENDPOINT, **more):
        command = ("s5cmd", "--endpoint-url", endpoint, "--retry-count", "0", *map(str, arguments))
        return ran(command, input, ok, AWS_REGION=region, AWS_DEFAULT_REGION=region, **more)

    # Without a Region of the user's, s5cmd asks for that of the bucket.
    asks = {"region": ""}

    tree, large = stocked(scratch, KEYS)

    with step("mb here and there, ls"):
        s5cmd("mb", f"s3://{HERE}")
        s5cmd("mb", f"s3://{THERE}", region=FAR)
        listed = s5cmd("ls")
        has(listed, f"s3://{HERE}", f"s3://{THERE}")
        same(admin().get_bucket_location(Bucket=THERE)["LocationConstraint"], FAR)
    with step("sync a tree with odd names there and back"):
        s5cmd("sync", f"{tree}/", f"s3://{HERE}/tree/")
        same(keys_of(HERE, "tree/"), sorted(KEYS, key=lambda key: key.encode()))
        s5cmd("sync", f"s3://{HERE}/tree/*", f"{scratch}/back/")
        same(names_below(scratch / "back"), set(KEYS))
    with step("sync again does nothing; --delete removes what is gone"):
        same(s5cmd("sync", f"{tree}/", f"s3://{HERE}/tree/"), "")
        (tree / "half%2").unlink()
        s5cmd("sync", "--delete", f"{tree}/", f"s3://{HERE}/tree/")
        same("half%2" in keys_of(HERE, "tree/"), False)
    with step("ls, du, head, cat"):
        has(s5cmd("ls", f"s3://{HERE}/tree/*"), "plus+plus")
        has(s5cmd("du", f"s3://{HERE}/tree/plus*"), " 1 objects")
        same(json.loads(s5cmd("--json", "head", f"s3://{HERE}/tree/plus+plus"))["size"], 9)
        same(s5cmd("cat", f"s3://{HERE}/tree/with space"), "with space")
        has(s5cmd("head", f"s3://{HERE}/none", ok=False), "not found")
        s5cmd("--use-list-objects-v1", "ls", f"s3://{HERE}/tree/*")
    with step("upload by parts and download by parts"):
        s5cmd("cp", "--part-size", "5", "--concurrency", "2", large, f"s3://{HERE}/large")
        same(admin().head_object(Bucket=HERE, Key="large")["ETag"][-3:], '-2"')
        s5cmd(
            "cp",
            "--part-size",
            "5",
            "--concurrency",
            "2",
            f"s3://{HERE}/large",
            scratch / "large.back",
        )
        same((scratch / "large.back").read_bytes() == LARGE, True)
    with step("pipe: a stream of unknown length"):
        s5cmd("pipe", "--part-size", "5", f"s3://{HERE}/stream", input=LARGE)
        same(admin().head_object(Bucket=HERE, Key="stream")["ContentLength"], len(LARGE))
    with step("cp and mv by the server, also to another bucket"):
        s5cmd("cp", f"s3://{HERE}/tree/*", f"s3://{HERE}/copy/")
        same(keys_of(HERE, "copy/"), keys_of(HERE, "tree/"))
        s5cmd("mv", f"s3://{HERE}/copy/with space", f"s3://{HERE}/moved + 100%")
        same(s5cmd("cat", f"s3://{HERE}/moved + 100%"), "with space")
        s5cmd("cp", f"s3://{HERE}/large", f"s3://{HERE}/large copy")
        s5cmd("sync", f"s3://{HERE}/tree/*", f"s3://{HERE}/synced/")
        same(keys_of(HERE, "synced/"), keys_of(HERE, "tree/"))
        s5cmd("cp", "--no-clobber", f"s3://{HERE}/large", f"s3://{HERE}/moved + 100%")
        same(s5cmd("cat", f"s3://{HERE}/moved + 100%"), "with space")
    with step("a bucket of another Region from here"):
        s5cmd("cp", large, f"s3://{THERE}/large", **asks)
        has(s5cmd("ls", f"s3://{THERE}/", **asks), "large")
        s5cmd(
            "cp",
            "--source-region",
            NEAR,
            "--destination-region",
            FAR,
            f"s3://{HERE}/tree/*",
            f"s3://{THERE}/tree/",
        )
        same(s5cmd("cat", f"s3://{THERE}/tree/plus+plus", **asks), "plus+plus")
        has(s5cmd("cat", f"s3://{THERE}/tree/plus+plus", ok=False), "BucketRegionError")
    with step("metadata, headers, storage class"):
        more = (
            "--metadata",
            "own=it",
            "--cache-control",
            "no-cache",
            "--content-type",
            "text/x",
            "--storage-class",
            "STANDARD_IA",
            "--content-disposition",
            "inline",
        )
        s5cmd("cp", *more, tree / "plus+plus", f"s3://{HERE}/meta")
        head = admin().head_object(Bucket=HERE, Key="meta")
        same(
            (head["Metadata"], head["CacheControl"], head["ContentType"], head["StorageClass"]),
            ({"own": "it"}, "no-cache", "text/x", "STANDARD_IA"),
        )
    with step("SSE-KMS, by upload, by parts and by copy"):
        key = kms_key()
        sse = ("--sse", "aws:kms", "--sse-kms-key-id", key)
        s5cmd("cp", *sse, tree / "plus+plus", f"s3://{HERE}/secret")
        s5cmd("cp", *sse, "--part-size", "5", large, f"s3://{HERE}/secret large")
        s5cmd("cp", *sse, f"s3://{HERE}/large", f"s3://{HERE}/secret copy")
        for name in ("secret", "secret large", "secret copy"):
            same(admin().head_object(Bucket=HERE, Key=name)["SSEKMSKeyId"], key)
    with step("presign"):
        for name in (
            "tree/percent%20percent",
            "tree/ümläut/日本語",
            "tree/with space",
            "tree/plus+plus",
        ):
            url = s5cmd("presign", "--expire", "1h", f"s3://{HERE}/{name}").strip()
            same(answer("GET", url)[0], 200)
    with step("versions"):
        s5cmd("bucket-version", "--set", "Enabled", f"s3://{HERE}")
        has(s5cmd("bucket-version", f"s3://{HERE}"), "Enabled")
        for body in (b"one", b"two"):
            s5cmd("pipe", f"s3://{HERE}/v", input=body)
        s5cmd("rm", f"s3://{HERE}/v")
        same(len(s5cmd("--json", "ls", "--all-versions", f"s3://{HERE}/v").splitlines()), 3)
        listed = admin().list_object_versions(Bucket=HERE, Prefix="v")["Versions"]
        same(
            [s5cmd("cat", "--version-id", it["VersionId"], f"s3://{HERE}/v") for it in listed],
            ["two", "one"],
        )
        s5cmd("rm", "--all-versions", f"s3://{HERE}/v")
        same(admin().list_object_versions(Bucket=HERE, Prefix="v").get("Versions"), None)
    with step("run: many commands at once"):
        commands = [f"cp {large} s3://{HERE}/run/{number}" for number in range(3)] + [
            f"ls s3://{HERE}/tree/"
        ]
        s5cmd("run", input="\n".join(commands).encode())
        same(keys_of(HERE, "run/"), ["0", "1", "2"])
    with step("without signature"):
        has(s5cmd("--no-sign-request", "cat", f"s3://{HERE}/meta", ok=False), "status code: 403")
    for name, endpoint, proxy in (
        ("localhost", f"http://localhost:{PORT}", ENDPOINT),
        (NAME, f"http://{NAME}:{NAMED.rpartition(':')[2]}", NAMED),
    ):
        with step(f"under {name}"):
            holds(proxy, "this crrctl has no sandbox under a host name")
            # s5cmd uses the virtual-hosted style for AWS's and Google's own endpoints alone.
            virtual = {"endpoint": endpoint, "http_proxy": proxy}
            s5cmd("mb", "s3://s5cmd-named", **virtual)
            s5cmd("sync", f"{tree}/", "s3://s5cmd-named/", **virtual)
            same(s5cmd("cat", "s3://s5cmd-named/plus+plus", **virtual), "plus+plus")
            s5cmd("rm", "s3://s5cmd-named/*", **virtual)
            s5cmd("rb", "s3://s5cmd-named", **virtual)
    with step("rm of all, rb"):
        has(s5cmd("rb", f"s3://{HERE}", ok=False), "BucketNotEmpty")
        s5cmd("rm", "--all-versions", f"s3://{HERE}/*")
        s5cmd("rm", f"s3://{THERE}/*", region=FAR)
        s5cmd("rb", f"s3://{HERE}")
        s5cmd("rb", f"s3://{THERE}", region=FAR)
        same("s5cmd-" in s5cmd("ls"), False)
