"""rclone in the sandbox, with its provider AWS.

Not for its other backends.
"""

import re
import time

from steps import ENDPOINT, FAR, LARGE, NAME, NAMED, NEAR, ODD_KEYS, PORT
from steps import admin, answer, has, holds, kms_key, names_below, ran, same, stocked

HERE, THERE = "rclone-here", "rclone-there"
BY_PARTS = ("--s3-upload-cutoff", "5Mi", "--s3-chunk-size", "5Mi", "--s3-copy-cutoff", "5Mi")


def walk(step, scratch):
    remote = {
        "RCLONE_CONFIG": str(scratch / "rclone.conf"),
        "RCLONE_CONFIG_S_TYPE": "s3",
        "RCLONE_CONFIG_S_PROVIDER": "AWS",
        "RCLONE_CONFIG_S_ENV_AUTH": "true",
        "RCLONE_CONFIG_S_ENDPOINT": ENDPOINT,
        "RCLONE_CONFIG_S_FORCE_PATH_STYLE": "true",
        "RCLONE_CONFIG_S_REGION": NEAR,
        # Its checksums follow the body, which its SDK does over TLS alone; and it reads no body
        # twice.
        "RCLONE_CONFIG_S_USE_DATA_INTEGRITY_PROTECTIONS": "false",
        "RCLONE_CONFIG_S_USE_UNSIGNED_PAYLOAD": "true",
    }

    def rclone(*arguments, input=None, ok=True, **more):
        # One try: a request that fails only the first time is a fault too.
        command = ("rclone", "--retries", "1", "--low-level-retries", "1", *map(str, arguments))
        return ran(command, input, ok, **{**remote, **more})

    there = {"RCLONE_CONFIG_S_REGION": FAR, "RCLONE_CONFIG_S_LOCATION_CONSTRAINT": FAR}
    tree, large = stocked(scratch)

    with step("mkdir here and there, lsd"):
        rclone("mkdir", f"s:{HERE}")
        rclone("mkdir", f"s:{HERE}")
        rclone("mkdir", f"s:{THERE}", **there)
        holds({HERE, THERE} <= {line.split()[-1] for line in rclone("lsd", "s:").splitlines()})
    with step("mkdir in another Region from here"):
        rclone("mkdir", "s:rclone-far", RCLONE_CONFIG_S_LOCATION_CONSTRAINT=FAR)
        same(admin().get_bucket_location(Bucket="rclone-far")["LocationConstraint"], FAR)
        rclone("rmdir", "s:rclone-far", **there)
    with step("sync a tree with odd names there and back, check"):
        rclone("sync", tree, f"s:{HERE}/tree")
        rclone("check", tree, f"s:{HERE}/tree")
        same(
            sorted(rclone("lsf", "-R", "--files-only", f"s:{HERE}/tree").splitlines()),
            sorted(ODD_KEYS),
        )
        rclone("sync", f"s:{HERE}/tree", scratch / "back")
        same(names_below(scratch / "back"), set(ODD_KEYS))
    with step("sync again does nothing; what is gone is removed"):
        said = rclone(
            "sync", tree, f"s:{HERE}/tree", "--dry-run", "-v", "--log-file", scratch / "log"
        )
        holds("Skipped copy" not in (scratch / "log").read_text(), said)
        (tree / "half%2").unlink()
        rclone("sync", tree, f"s:{HERE}/tree")
        same("half%2" in rclone("lsf", f"s:{HERE}/tree"), False)
    with step("the modification time is kept as metadata and can be set"):
        rclone("touch", f"s:{HERE}/tree/plus+plus", "-t", "2001-02-03T04:05:06")
        has(rclone("lsl", f"s:{HERE}/tree/plus+plus"), "2001-02-03")
    with step("copy within the bucket and to another, by the server"):
        rclone("copy", f"s:{HERE}/tree", f"s:{HERE}/copy", "--server-side-across-configs")
        rclone("check", f"s:{HERE}/tree", f"s:{HERE}/copy")
        rclone("moveto", f"s:{HERE}/copy/with space", f"s:{HERE}/moved + 100%")
        same(rclone("cat", f"s:{HERE}/moved + 100%"), "with space")
    with step("upload by parts, copy by parts, check"):
        rclone("copyto", large, f"s:{HERE}/large", *BY_PARTS)
        same(admin().head_object(Bucket=HERE, Key="large")["ETag"][-3:], '-2"')
        rclone("copyto", f"s:{HERE}/large", f"s:{HERE}/large copy", *BY_PARTS)
        same(admin().head_object(Bucket=HERE, Key="large copy")["ETag"][-3:], '-2"')
        rclone("copyto", f"s:{HERE}/large copy", scratch / "large.back")
        same((scratch / "large.back").read_bytes() == LARGE, True)
    with step("rcat: a stream of unknown length"):
        rclone(
            "rcat", f"s:{HERE}/stream", "--streaming-upload-cutoff", "1Mi", *BY_PARTS, input=LARGE
        )
        same(admin().head_object(Bucket=HERE, Key="stream")["ContentLength"], len(LARGE))
    with step("link: a presigned URL"):
        url = rclone("link", f"s:{HERE}/moved + 100%", "--expire", "1h").strip()
        same(answer("GET", url)[2], b"with space")
    with step("metadata, tags and headers"):
        more = (
            "--header-upload",
            "x-amz-tagging: a=b%20c",
            "--metadata-set",
            "cache-control=no-cache",
            "--metadata-set",
            "own=it",
        )
        rclone("copyto", tree / "plus+plus", f"s:{HERE}/meta", "--metadata", *more)
        head = admin().head_object(Bucket=HERE, Key="meta")
        same(
            (head["CacheControl"], head["Metadata"]["own"], head.get("TagCount")),
            ("no-cache", "it", 1),
        )
    with step("storage class"):
        rclone("copyto", tree / "plus+plus", f"s:{HERE}/ia", "--s3-storage-class", "STANDARD_IA")
        same(admin().head_object(Bucket=HERE, Key="ia")["StorageClass"], "STANDARD_IA")
        rclone("settier", "ONEZONE_IA", f"s:{HERE}/ia")
        same(admin().head_object(Bucket=HERE, Key="ia")["StorageClass"], "ONEZONE_IA")
    with step("SSE-KMS, small and by parts"):
        key = kms_key()
        for path, name in ((tree / "plus+plus", "secret"), (large, "secret large")):
            rclone(
                "copyto",
                path,
                f"s:{HERE}/{name}",
                "--s3-server-side-encryption",
                "aws:kms",
                "--s3-sse-kms-key-id",
                key,
                *BY_PARTS,
            )
            same(admin().head_object(Bucket=HERE, Key=name)["SSEKMSKeyId"], key)
    with step("directory markers"):
        rclone("mkdir", f"s:{HERE}/empty", "--s3-directory-markers")
        same(admin().head_object(Bucket=HERE, Key="empty/")["ContentLength"], 0)
        same(rclone("lsf", f"s:{HERE}", "--dirs-only").split().count("empty/"), 1)
    with step("versions: backend versioning, --s3-versions, restore by name, cleanup"):
        has(rclone("backend", "versioning", f"s:{HERE}", "Enabled"), "Enabled")
        for body in (b"one", b"two"):
            rclone("rcat", f"s:{HERE}/v", input=body)
            # A list tells whole seconds, by which rclone names versions.
            time.sleep(1.1)
        rclone("deletefile", f"s:{HERE}/v")
        found = [
            name
            for name in rclone("lsf", f"s:{HERE}", "--s3-versions").splitlines()
            if re.match(r"v-v", name)
        ]
        same(len(found), 2)
        same(
            sorted(rclone("cat", f"s:{HERE}/{name}", "--s3-versions") for name in found),
            ["one", "two"],
        )
        rclone("backend", "cleanup-hidden", f"s:{HERE}")
        same(
            [
                it["Key"]
                for it in admin().list_object_versions(Bucket=HERE, Prefix="v").get("Versions", [])
            ],
            [],
        )
    with step("unfinished uploads: list and clean up"):
        admin().create_multipart_upload(Bucket=HERE, Key="unfinished")
        has(rclone("backend", "list-multipart-uploads", f"s:{HERE}"), "unfinished")
        rclone("backend", "cleanup", f"s:{HERE}", "-o", "max-age=0")
        same(admin().list_multipart_uploads(Bucket=HERE).get("Uploads"), None)
    with step("a bucket of another Region"):
        # With an endpoint that is given, rclone does not change its Region by itself.
        again = ("--s3-region", FAR)
        rclone("copyto", tree / "plus+plus", f"s:{THERE}/from here", "--s3-no-check-bucket", *again)
        same(rclone("cat", f"s:{THERE}/from here", *again), "plus+plus")
    for name, endpoint, proxy in (
        ("localhost", f"http://localhost:{PORT}", ENDPOINT),
        (NAME, f"http://{NAME}:{NAMED.rpartition(':')[2]}", NAMED),
    ):
        with step(f"virtual-hosted style under {name}"):
            holds(proxy, "this crrctl has no sandbox under a host name")
            virtual = {
                "RCLONE_CONFIG_S_ENDPOINT": endpoint,
                "RCLONE_CONFIG_S_FORCE_PATH_STYLE": "false",
                "http_proxy": proxy,
            }
            rclone("sync", tree, "s:rclone-virtual/tree", **virtual)
            rclone("check", tree, "s:rclone-virtual/tree", **virtual)
            rclone("copyto", large, "s:rclone-virtual/large", *BY_PARTS, **virtual)
            rclone(
                "copyto", "s:rclone-virtual/large", "s:rclone-virtual/copy", *BY_PARTS, **virtual
            )
            url = rclone("link", "s:rclone-virtual/tree/plus+plus", **virtual).strip()
            has(url, f"//rclone-virtual.{name}:")
            same(answer("GET", url)[2], b"plus+plus")
            rclone("purge", "s:rclone-virtual", **virtual)
    with step("size, hashes, purge"):
        has(rclone("size", f"s:{HERE}"), "Total objects:")
        has(rclone("md5sum", f"s:{HERE}"), "tree/plus+plus")
        for bucket, more in ((HERE, {}), (THERE, there)):
            rclone("delete", f"s:{bucket}", "--rmdirs", **more)
            rclone("backend", "cleanup-hidden", f"s:{bucket}", **more)
            rclone("purge", f"s:{bucket}", **more)
        same([name for name in rclone("lsf", "s:").split() if name.startswith("rclone-")], [])
