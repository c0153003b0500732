"""s3cmd in the sandbox.

Not for CloudFront and websites, which the sandbox does not have.
"""

import json

from steps import FAR, HOST, KEY, LARGE, NAME, NAMED, NEAR, ODD_KEYS, PORT, SECRET
from steps import admin, answer, has, holds, keys_of, kms_key, names_below, ran, same, stocked

HERE, THERE, LOCKED = "s3cmd-here", "s3cmd-there", "s3cmd-locked"


def walk(step, scratch):
    def configured(host, proxy=""):
        name, _, port = proxy.partition(":")
        bucket = f"%(bucket)s.{host}" if proxy else host
        path = scratch / f"s3cfg-{len(list(scratch.glob('s3cfg-*')))}"
        lines = [
            f"access_key = {KEY}",
            f"secret_key = {SECRET}",
            f"host_base = {host}",
            f"host_bucket = {bucket}",
            "use_https = False",
            "max_retries = 1",
        ]
        if proxy:
            lines += [f"proxy_host = {name}", f"proxy_port = {port}"]
        path.write_text("[default]\n" + "\n".join(lines) + "\n")
        return path

    own = configured(HOST)

    def s3cmd(*arguments, ok=True, settings=own):
        return ran(
            ("s3cmd", "-c", str(settings), "--no-progress", *map(str, arguments)),
            ok=ok,
            LC_ALL="C.UTF-8",
        )

    tree, large = stocked(scratch)

    # Without this it copies the ACL too, which AWS refuses where the owner is enforced
    # (s3tools/s3cmd issue 1304).
    no_acl = ("--acl-private",)

    with step("mb here and, from here, in another Region; ls, info"):
        s3cmd("mb", f"s3://{HERE}")
        s3cmd("mb", f"s3://{THERE}", f"--bucket-location={FAR}")
        listed = s3cmd("ls")
        has(listed, f"s3://{HERE}", f"s3://{THERE}")
        has(s3cmd("info", f"s3://{HERE}"), f"Location:  {NEAR}")
        has(s3cmd("info", f"s3://{THERE}"), f"Location:  {FAR}")
    with step("a bucket of another Region from here"):
        s3cmd("put", tree / "plus+plus", f"s3://{THERE}/from here")
        s3cmd("get", f"s3://{THERE}/from here", scratch / "from-here")
        same((scratch / "from-here").read_text(), "plus+plus")
        s3cmd("cp", *no_acl, f"s3://{THERE}/from here", f"s3://{THERE}/copy")
        has(s3cmd("ls", f"s3://{THERE}"), "copy")
    with step("sync a tree with odd names there and back"):
        s3cmd("sync", f"{tree}/", f"s3://{HERE}/tree/")
        same(keys_of(HERE, "tree/"), sorted(ODD_KEYS, key=lambda key: key.encode()))
        (scratch / "back").mkdir()
        s3cmd("sync", f"s3://{HERE}/tree/", f"{scratch}/back/")
        same(names_below(scratch / "back"), set(ODD_KEYS))
    with step("sync again does nothing; --delete-removed removes what is gone"):
        same("upload:" in s3cmd("sync", f"{tree}/", f"s3://{HERE}/tree/"), False)
        (tree / "half%2").unlink()
        s3cmd("sync", "--delete-removed", f"{tree}/", f"s3://{HERE}/tree/")
        same("half%2" in keys_of(HERE, "tree/"), False)
    with step("ls, du, info, get of an object"):
        has(s3cmd("ls", "-r", f"s3://{HERE}/tree/"), "plus+plus")
        has(s3cmd("du", f"s3://{HERE}/tree/plus"), " 1 objects")
        has(s3cmd("info", f"s3://{HERE}/tree/plus+plus"), "File size: 9")
        has(s3cmd("info", f"s3://{HERE}/none", ok=False), "404")
    with step("upload by parts, and unfinished uploads"):
        s3cmd("put", "--multipart-chunk-size-mb=5", large, f"s3://{HERE}/large")
        same(admin().head_object(Bucket=HERE, Key="large")["ETag"][-3:], '-2"')
        s3cmd("get", f"s3://{HERE}/large", scratch / "large.back")
        same((scratch / "large.back").read_bytes() == LARGE, True)
        upload = admin().create_multipart_upload(Bucket=HERE, Key="unfinished")["UploadId"]
        admin().upload_part(Bucket=HERE, Key="unfinished", UploadId=upload, PartNumber=1, Body=b"x")
        has(s3cmd("multipart", f"s3://{HERE}"), upload)
        has(s3cmd("listmp", f"s3://{HERE}/unfinished", upload), "1")
        s3cmd("abortmp", f"s3://{HERE}/unfinished", upload)
        same(admin().list_multipart_uploads(Bucket=HERE).get("Uploads"), None)
    with step("cp -r by the server, of odd keys"):
        s3cmd("cp", *no_acl, "-r", f"s3://{HERE}/tree/", f"s3://{HERE}/copy/")
        same(keys_of(HERE, "copy/"), keys_of(HERE, "tree/"))
    with step("cp with the ACL is refused where the owner is enforced"):
        said = s3cmd("cp", f"s3://{HERE}/tree/plus+plus", f"s3://{HERE}/with ACL", ok=False)
        has(said, "AccessControlListNotSupported")
    with step("mv by the server"):
        admin().put_object(Bucket=HERE, Key="to move", Body=b"with space")
        s3cmd("mv", *no_acl, f"s3://{HERE}/to move", f"s3://{HERE}/moved + 100%")
        s3cmd("get", f"s3://{HERE}/moved + 100%", scratch / "moved")
        same((scratch / "moved").read_text(), "with space")
    with step("cp by parts"):
        s3cmd(
            "cp",
            *no_acl,
            "--multipart-chunk-size-mb=5",
            f"s3://{HERE}/large",
            f"s3://{HERE}/large copy",
        )
        same(admin().head_object(Bucket=HERE, Key="large copy")["ContentLength"], len(LARGE))
    with step("modify: a copy in place with a header"):
        s3cmd(
            "modify", *no_acl, "--add-header=Cache-Control:no-cache", f"s3://{HERE}/tree/plus+plus"
        )
        same(admin().head_object(Bucket=HERE, Key="tree/plus+plus")["CacheControl"], "no-cache")
    with step("metadata and storage class"):
        s3cmd(
            "put",
            "--add-header=x-amz-meta-own:it",
            "--storage-class=STANDARD_IA",
            "-m",
            "text/x",
            tree / "plus+plus",
            f"s3://{HERE}/meta",
        )
        head = admin().head_object(Bucket=HERE, Key="meta")
        same(
            (head["Metadata"].get("own"), head["StorageClass"], head["ContentType"]),
            ("it", "STANDARD_IA", "text/x"),
        )
    with step("SSE-KMS, small and by parts"):
        key = kms_key()
        sse = ("--server-side-encryption", f"--server-side-encryption-kms-id={key}")
        s3cmd("put", *sse, tree / "plus+plus", f"s3://{HERE}/secret")
        s3cmd("put", *sse, "--multipart-chunk-size-mb=5", large, f"s3://{HERE}/secret large")
        for name in ("secret", "secret large"):
            same(admin().head_object(Bucket=HERE, Key=name)["SSEKMSKeyId"], key)
    with step("signurl: a URL signed by SigV2"):
        url = s3cmd("signurl", f"s3://{HERE}/tree/with space", "+600").strip()
        has(url, "AWSAccessKeyId")
        same(answer("GET", url)[2], b"with space")
    with step("--signature-v2: where SigV2 is refused, it goes on with SigV4"):
        has(s3cmd("--signature-v2", "ls", f"s3://{HERE}/tree/"), "plus+plus")
        s3cmd("--signature-v2", "put", tree / "plus+plus", f"s3://{HERE}/v2 + object")
        same(admin().head_object(Bucket=HERE, Key="v2 + object")["ContentLength"], 9)
    with step("tags of buckets and objects"):
        for where in (f"s3://{HERE}", f"s3://{HERE}/tree/plus+plus"):
            s3cmd("settagging", where, "a=b&c=d")
            listed = s3cmd("gettagging", where)
            has(listed, "a", "d")
            s3cmd("deltagging", where)
            same(s3cmd("gettagging", where, ok=where.count("/") > 2).strip().count("\t"), 0)
    document = scratch / "document"
    with step("policy"):
        document.write_text(
            json.dumps(
                {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Deny",
                            "Principal": "*",
                            "Action": "s3:PutBucketWebsite",
                            "Resource": f"arn:aws:s3:::{HERE}",
                        }
                    ],
                }
            )
        )
        s3cmd("setpolicy", document, f"s3://{HERE}")
        has(s3cmd("info", f"s3://{HERE}"), "PutBucketWebsite")
        s3cmd("delpolicy", f"s3://{HERE}")
    with step("lifecycle, and expire, which asks for a rule by Prefix without Filter"):
        document.write_text(
            "<LifecycleConfiguration><Rule><ID>r</ID><Prefix>logs/</Prefix><Status>Enabled</Status>"
            "<Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>"
        )
        s3cmd("setlifecycle", document, f"s3://{HERE}")
        has(s3cmd("getlifecycle", f"s3://{HERE}"), "<Days>3</Days>")
        s3cmd("dellifecycle", f"s3://{HERE}")
        s3cmd("expire", f"s3://{HERE}", "--expiry-days=5", "--expiry-prefix=old/")
        has(s3cmd("info", f"s3://{HERE}"), "expire in '5' day(s)")
        s3cmd("dellifecycle", f"s3://{HERE}")
    with step("notification"):
        document.write_text("<NotificationConfiguration/>")
        s3cmd("setnotification", document, f"s3://{HERE}")
        has(s3cmd("getnotification", f"s3://{HERE}"), "NotificationConfiguration")
    with step("public access block, ownership, payer"):
        s3cmd("setblockpublicaccess", f"s3://{HERE}", "BlockPublicPolicy,RestrictPublicBuckets")
        seen = admin().get_public_access_block(Bucket=HERE)["PublicAccessBlockConfiguration"]
        same(
            seen,
            {
                "BlockPublicAcls": False,
                "IgnorePublicAcls": False,
                "BlockPublicPolicy": True,
                "RestrictPublicBuckets": True,
            },
        )
        s3cmd("setownership", f"s3://{HERE}", "BucketOwnerPreferred")
        same(
            admin().get_bucket_ownership_controls(Bucket=HERE)["OwnershipControls"]["Rules"][0][
                "ObjectOwnership"
            ],
            "BucketOwnerPreferred",
        )
        has(s3cmd("info", f"s3://{HERE}"), "Payer:     BucketOwner")
    with step("ACLs of objects"):
        s3cmd("put", "--acl-public", tree / "plus+plus", f"s3://{HERE}/public")
        has(s3cmd("info", f"s3://{HERE}/public"), "*anon*: READ")
        same(answer("GET", f"http://{HOST}/{HERE}/public")[2], b"plus+plus")
        s3cmd("setacl", "--acl-private", f"s3://{HERE}/public")
        same(answer("GET", f"http://{HOST}/{HERE}/public")[0], 403)
    with step("versions"):
        s3cmd("setownership", f"s3://{HERE}", "BucketOwnerEnforced")
        s3cmd("setversioning", f"s3://{HERE}", "enable")
        same(admin().get_bucket_versioning(Bucket=HERE)["Status"], "Enabled")
        s3cmd("put", tree / "plus+plus", f"s3://{HERE}/v")
        s3cmd("del", f"s3://{HERE}/v")
        same(len(admin().list_object_versions(Bucket=HERE, Prefix="v")["DeleteMarkers"]), 1)
    with step("Object Lock"):
        admin().create_bucket(Bucket=LOCKED, ObjectLockEnabledForBucket=True)
        s3cmd("put", tree / "plus+plus", f"s3://{LOCKED}/o")
        s3cmd("setobjectlegalhold", "ON", f"s3://{LOCKED}/o")
        same(admin().get_object_legal_hold(Bucket=LOCKED, Key="o")["LegalHold"]["Status"], "ON")
        s3cmd("setobjectlegalhold", "OFF", f"s3://{LOCKED}/o")
        # s3cmd ends with 1 here whatever it was answered: its function returns nothing.
        s3cmd(
            "setobjectretention", "GOVERNANCE", "2090-01-01T00:00:00Z", f"s3://{LOCKED}/o", ok=False
        )
        same(
            admin().get_object_retention(Bucket=LOCKED, Key="o")["Retention"]["Mode"], "GOVERNANCE"
        )
    for name, host, proxy in (
        ("localhost", f"localhost:{PORT}", HOST),
        (NAME, f"{NAME}:{NAMED.rpartition(':')[2]}", NAMED.removeprefix("http://")),
    ):
        with step(f"virtual-hosted style under {name}"):
            holds(proxy, "this crrctl has no sandbox under a host name")
            virtual = configured(host, proxy)
            s3cmd("mb", "s3://s3cmd-virtual", settings=virtual)
            s3cmd("sync", f"{tree}/", "s3://s3cmd-virtual/", settings=virtual)
            s3cmd(
                "put",
                "--multipart-chunk-size-mb=5",
                large,
                "s3://s3cmd-virtual/large",
                settings=virtual,
            )
            s3cmd(
                "cp",
                *no_acl,
                "s3://s3cmd-virtual/plus+plus",
                "s3://s3cmd-virtual/copy",
                settings=virtual,
            )
            url = s3cmd("signurl", "s3://s3cmd-virtual/copy", "+600", settings=virtual).strip()
            has(url, f"//s3cmd-virtual.{name}:")
            same(answer("GET", url)[2], b"plus+plus")
            s3cmd("rb", "-r", "-f", "s3://s3cmd-virtual", settings=virtual)
    with step("del of all, rb"):
        has(s3cmd("rb", f"s3://{HERE}", ok=False), "BucketNotEmpty")
        s3cmd("del", "-r", "-f", f"s3://{HERE}")
        s3cmd("rb", "-r", "-f", f"s3://{THERE}")
        # s3cmd does not see versions.
        for bucket in (HERE, LOCKED):
            listed = admin().list_object_versions(Bucket=bucket)
            for it in listed.get("Versions", []) + listed.get("DeleteMarkers", []):
                admin().delete_object(
                    Bucket=bucket,
                    Key=it["Key"],
                    VersionId=it["VersionId"],
                    BypassGovernanceRetention=bucket == LOCKED,
                )
            s3cmd("rb", f"s3://{bucket}")
        same("s3cmd-" in s3cmd("ls"), False)
