"""boto3 in the sandbox: every kind of request that its users make, with the client as it comes.

Not for the replicated pair: `tests/peers/awscli` takes that through its life.
"""

import base64
import hashlib

import boto3
from botocore.config import Config

from boto3_here import HERE, THERE, refused
from steps import FAR, NEAR, ODD_KEYS, ODDER_KEYS, answer, holds, same
from with_boto3_presigned import hosts, presigned
from with_boto3_writes import conditions, copies, parts, tags_and_encryption


def walk(step, scratch):
    s3 = boto3.client("s3", region_name=NEAR)
    far = boto3.client("s3", region_name=FAR)
    buckets(step, s3, far)
    objects(step, s3)
    versions(step, s3)
    parts(step, s3)
    copies(step, s3)
    conditions(step, s3)
    keys_and_listings(step, s3)
    tags_and_encryption(step, s3)
    presigned(step, s3)
    hosts(step)
    removed(step, s3, far)


def buckets(step, s3, far):
    with step("create buckets here and, from here, in another Region"):
        same(s3.create_bucket(Bucket=HERE)["Location"], f"/{HERE}")
        location = s3.create_bucket(
            Bucket=THERE, CreateBucketConfiguration={"LocationConstraint": FAR}
        )["Location"]
        holds(THERE in location, location)
    with step("a bucket's location, asked from here and from there"):
        for client in (s3, far):
            same(client.get_bucket_location(Bucket=HERE)["LocationConstraint"], None)
            same(client.get_bucket_location(Bucket=THERE)["LocationConstraint"], FAR)
    with step("HEAD of a bucket names its Region"):
        for client in (s3, far):
            same(client.head_bucket(Bucket=HERE)["BucketRegion"], NEAR)
            same(client.head_bucket(Bucket=THERE)["BucketRegion"], FAR)
    with step("put, get and delete follow the redirect to the bucket's Region"):
        s3.put_object(Bucket=THERE, Key="redirected", Body=b"far")
        same(s3.get_object(Bucket=THERE, Key="redirected")["Body"].read(), b"far")
        fresh = boto3.client("s3", region_name="ap-southeast-2")
        same(fresh.get_object(Bucket=THERE, Key="redirected")["Body"].read(), b"far")
        s3.delete_object(Bucket=THERE, Key="redirected")
    with step("the redirect's own answer names endpoint and Region"):
        signer = boto3.client("s3", region_name=NEAR, config=Config(signature_version="s3v4"))
        status, headers, body = answer(
            "GET", signer.generate_presigned_url("get_object", Params={"Bucket": THERE, "Key": "k"})
        )
        holds(status in (301, 307, 400), (status, body))
        same(headers.get("x-amz-bucket-region"), FAR)
    with step("list_buckets by Region and by page"):
        listed = s3.list_buckets(BucketRegion=FAR, Prefix="boto3-")["Buckets"]
        same([(it["Name"], it["BucketRegion"]) for it in listed], [(THERE, FAR)])
        paged = s3.get_paginator("list_buckets").paginate(
            Prefix="boto3-", PaginationConfig={"PageSize": 1}
        )
        same([it["Name"] for page in paged for it in page["Buckets"]], [HERE, THERE])
    with step("a bucket created twice"):
        s3.create_bucket(Bucket=HERE)  # in us-east-1 the owner gets 200
        refused(
            "BucketAlreadyOwnedByYou",
            lambda: far.create_bucket(
                Bucket=THERE, CreateBucketConfiguration={"LocationConstraint": FAR}
            ),
            409,
        )
    with step("a location that is not the client's Region"):
        refused(
            "IllegalLocationConstraintException",
            lambda: far.create_bucket(Bucket="boto3-nowhere"),
            400,
        )
        refused(
            "IllegalLocationConstraintException",
            lambda: far.create_bucket(
                Bucket="boto3-nowhere",
                CreateBucketConfiguration={"LocationConstraint": "ap-south-1"},
            ),
            400,
        )
        refused(
            "InvalidLocationConstraint",
            lambda: s3.create_bucket(
                Bucket="boto3-nowhere", CreateBucketConfiguration={"LocationConstraint": "mars-1"}
            ),
            400,
        )
    with step("bucket waiters and a bucket that is not there"):
        s3.get_waiter("bucket_exists").wait(Bucket=HERE)
        refused("404", lambda: s3.head_bucket(Bucket="boto3-nowhere"))
        refused("NoSuchBucket", lambda: s3.list_objects_v2(Bucket="boto3-nowhere"), 404)


def objects(step, s3):
    with step("put with metadata and system headers, and the same again"):
        sent = {
            "CacheControl": "no-cache",
            "ContentDisposition": 'attachment; filename="a b.txt"',
            "ContentEncoding": "gzip",
            "ContentLanguage": "en, de",
            "ContentType": "text/plain; charset=utf-8",
            "Metadata": {"colour": "blue", "mixed-case": "Ab C", "empty": ""},
            "StorageClass": "STANDARD_IA",
        }
        s3.put_object(
            Bucket=HERE,
            Key="headers",
            Body=b"0123456789",
            Expires="Thu, 01 Jan 2099 00:00:00 GMT",
            **sent,
        )
        head = s3.head_object(Bucket=HERE, Key="headers")
        same({name: head.get(name) for name in sent}, sent)
        same(head["ExpiresString"], "Thu, 01 Jan 2099 00:00:00 GMT")
    with step("responses overridden by the request"):
        got = s3.get_object(
            Bucket=HERE,
            Key="headers",
            ResponseContentType="text/x",
            ResponseCacheControl="private",
            ResponseContentLanguage="fr",
        )
        same(
            (got["ContentType"], got["CacheControl"], got["ContentLanguage"]),
            ("text/x", "private", "fr"),
        )
    with step("ranges"):
        for asked, expected in (
            ("bytes=2-4", b"234"),
            ("bytes=7-", b"789"),
            ("bytes=-2", b"89"),
            ("bytes=5-500", b"56789"),
        ):
            got = s3.get_object(Bucket=HERE, Key="headers", Range=asked)
            same((got["Body"].read(), got["ResponseMetadata"]["HTTPStatusCode"]), (expected, 206))
        same(got["ContentRange"], "bytes 5-9/10")
        refused(
            "InvalidRange",
            lambda: s3.get_object(Bucket=HERE, Key="headers", Range="bytes=10-20"),
            416,
        )
        same(
            s3.get_object(Bucket=HERE, Key="headers", Range="nonsense")["ResponseMetadata"][
                "HTTPStatusCode"
            ],
            200,
        )
    with step("each checksum algorithm, computed by the client and returned"):
        for algorithm in ("CRC32", "SHA1", "SHA256"):
            put = s3.put_object(Bucket=HERE, Key="sum", Body=b"hello", ChecksumAlgorithm=algorithm)
            got = s3.get_object(Bucket=HERE, Key="sum", ChecksumMode="ENABLED")
            name = f"Checksum{algorithm}"
            same(
                (got["Body"].read(), got[name], got["ChecksumType"]),
                (b"hello", put[name], "FULL_OBJECT"),
            )
        refused(
            "BadDigest",
            lambda: s3.put_object(
                Bucket=HERE,
                Key="sum",
                Body=b"hello",
                ChecksumSHA256=base64.b64encode(bytes(32)).decode(),
            ),
            400,
        )
        refused(
            "InvalidDigest",
            lambda: s3.put_object(Bucket=HERE, Key="sum", Body=b"hello", ContentMD5="nonsense"),
            400,
        )
        refused(
            "BadDigest",
            lambda: s3.put_object(
                Bucket=HERE,
                Key="sum",
                Body=b"hello",
                ContentMD5=base64.b64encode(bytes(16)).decode(),
            ),
            400,
        )
    with step("the default checksum is CRC32 by the client"):
        put = s3.put_object(Bucket=HERE, Key="sum", Body=b"hello")
        same((put["ChecksumCRC32"], put["ChecksumType"]), ("NhCmhg==", "FULL_OBJECT"))
    with step("attributes of an object"):
        got = s3.get_object_attributes(
            Bucket=HERE,
            Key="sum",
            ObjectAttributes=["ETag", "Checksum", "ObjectSize", "StorageClass"],
        )
        same(
            (got["ETag"], got["ObjectSize"], got["StorageClass"]),
            (hashlib.md5(b"hello").hexdigest(), 5, "STANDARD"),
        )
        same(got["Checksum"]["ChecksumCRC32"], "NhCmhg==")
    with step("an object that is not there"):
        refused("NoSuchKey", lambda: s3.get_object(Bucket=HERE, Key="none"), 404)
        refused("404", lambda: s3.head_object(Bucket=HERE, Key="none"), 404)
        same(s3.delete_object(Bucket=HERE, Key="none")["ResponseMetadata"]["HTTPStatusCode"], 204)
    with step("an ACL where the owner is enforced"):
        refused(
            "AccessControlListNotSupported",
            lambda: s3.put_object(Bucket=HERE, Key="acl", Body=b"", ACL="public-read"),
            400,
        )
        s3.put_object(Bucket=HERE, Key="acl", Body=b"", ACL="bucket-owner-full-control")
        grants = s3.get_object_acl(Bucket=HERE, Key="acl")["Grants"]
        same([grant["Permission"] for grant in grants], ["FULL_CONTROL"])


def versions(step, s3):
    with step("versions: put twice, delete, get each, undelete"):
        s3.put_bucket_versioning(Bucket=HERE, VersioningConfiguration={"Status": "Enabled"})
        same(s3.get_bucket_versioning(Bucket=HERE)["Status"], "Enabled")
        one, two = (
            s3.put_object(Bucket=HERE, Key="v", Body=body)["VersionId"] for body in (b"one", b"two")
        )
        gone = s3.delete_object(Bucket=HERE, Key="v")
        same(gone["DeleteMarker"], True)
        for version, body in ((one, b"one"), (two, b"two")):
            same(s3.get_object(Bucket=HERE, Key="v", VersionId=version)["Body"].read(), body)
        answer = refused("NoSuchKey", lambda: s3.get_object(Bucket=HERE, Key="v"), 404)
        same(answer["ResponseMetadata"]["HTTPHeaders"].get("x-amz-delete-marker"), "true")
        refused(
            "MethodNotAllowed",
            lambda: s3.get_object(Bucket=HERE, Key="v", VersionId=gone["VersionId"]),
            405,
        )
        listed = s3.list_object_versions(Bucket=HERE, Prefix="v")
        same([it["VersionId"] for it in listed["Versions"]], [two, one])
        same([it["IsLatest"] for it in listed["DeleteMarkers"]], [True])
        s3.delete_object(Bucket=HERE, Key="v", VersionId=gone["VersionId"])
        same(s3.get_object(Bucket=HERE, Key="v")["VersionId"], two)
    with step("versions by pages"):
        pages = s3.get_paginator("list_object_versions").paginate(
            Bucket=HERE, PaginationConfig={"PageSize": 1}
        )
        seen = [
            it["Key"]
            for page in pages
            for it in page.get("Versions", []) + page.get("DeleteMarkers", [])
        ]
        same(seen.count("v"), 2)
    with step("the null version, and versioning suspended"):
        same(s3.get_object(Bucket=HERE, Key="sum", VersionId="null")["Body"].read(), b"hello")
        s3.put_bucket_versioning(Bucket=HERE, VersioningConfiguration={"Status": "Suspended"})
        s3.put_object(Bucket=HERE, Key="v", Body=b"null")
        same(s3.get_object(Bucket=HERE, Key="v", VersionId="null")["Body"].read(), b"null")
        s3.put_bucket_versioning(Bucket=HERE, VersioningConfiguration={"Status": "Enabled"})


def keys_and_listings(step, s3):
    with step("odd keys and odder ones: put, head, list, delete"):
        for key in ODD_KEYS + ODDER_KEYS:
            s3.put_object(Bucket=THERE, Key=key, Body=key.encode())
            same(s3.get_object(Bucket=THERE, Key=key)["Body"].read(), key.encode())
        expected = sorted((*ODD_KEYS, *ODDER_KEYS, "copy", "managed"), key=lambda key: key.encode())
        same([it["Key"] for it in s3.list_objects_v2(Bucket=THERE)["Contents"]], expected)
        same([it["Key"] for it in s3.list_objects(Bucket=THERE)["Contents"]], expected)
        for size in (1, 4):
            for name in ("list_objects_v2", "list_objects"):
                pages = s3.get_paginator(name).paginate(
                    Bucket=THERE, PaginationConfig={"PageSize": size}
                )
                same([it["Key"] for page in pages for it in page["Contents"]], expected)
        for key in ODD_KEYS + ODDER_KEYS:
            same(
                [it["Key"] for it in s3.list_objects_v2(Bucket=THERE, Prefix=key)["Contents"]],
                [key],
            )
        gone = s3.delete_objects(
            Bucket=THERE, Delete={"Objects": [{"Key": key} for key in ODD_KEYS + ODDER_KEYS]}
        )
        same(sorted(it["Key"] for it in gone["Deleted"]), sorted(ODD_KEYS + ODDER_KEYS))
        same(
            [it["Key"] for it in s3.list_objects_v2(Bucket=THERE)["Contents"]], ["copy", "managed"]
        )
    with step("delimiter, start after, most keys, fetch owner"):
        for key in ("l/a/1", "l/a/2", "l/b/1", "l/c", "l/d"):
            s3.put_object(Bucket=THERE, Key=key, Body=b"")
        listed = s3.list_objects_v2(Bucket=THERE, Prefix="l/", Delimiter="/", FetchOwner=True)
        same([it["Prefix"] for it in listed["CommonPrefixes"]], ["l/a/", "l/b/"])
        same(
            [(it["Key"], "ID" in it["Owner"]) for it in listed["Contents"]],
            [("l/c", True), ("l/d", True)],
        )
        same(
            [
                it["Key"]
                for it in s3.list_objects_v2(Bucket=THERE, StartAfter="l/b/1", MaxKeys=1)[
                    "Contents"
                ]
            ],
            ["l/c"],
        )
        same(s3.list_objects_v2(Bucket=THERE, MaxKeys=0)["KeyCount"], 0)
        listed = s3.list_objects(Bucket=THERE, Prefix="l/", Delimiter="/", MaxKeys=1)
        same((listed["IsTruncated"], listed["NextMarker"]), (True, "l/a/"))
        same(
            s3.list_objects(Bucket=THERE, Prefix="l/", Delimiter="/", MaxKeys=9, Marker="l/a/")[
                "CommonPrefixes"
            ],
            [{"Prefix": "l/b/"}],
        )


def removed(step, s3, far):
    with step("delete_objects quietly, with versions, with one that is not there"):
        version = s3.put_object(Bucket=HERE, Key="q", Body=b"")["VersionId"]
        gone = s3.delete_objects(
            Bucket=HERE,
            Delete={
                "Quiet": True,
                "Objects": [{"Key": "q", "VersionId": version}, {"Key": "never"}],
            },
        )
        same((gone.get("Deleted"), gone.get("Errors")), (None, None))
        gone = s3.delete_objects(
            Bucket=HERE, Delete={"Objects": [{"Key": "q"}, {"Key": "q", "VersionId": "nonsense"}]}
        )
        same(
            ([it["Key"] for it in gone["Deleted"]], gone["Deleted"][0]["DeleteMarker"]),
            (["q"], True),
        )
        same([it["Code"] for it in gone["Errors"]], ["NoSuchVersion"])
    with step("a bucket with objects stays; an emptied one goes"):
        refused("BucketNotEmpty", lambda: s3.delete_bucket(Bucket=HERE), 409)
        for client, region, bucket in ((s3, NEAR, HERE), (far, FAR, THERE)):
            boto3.resource("s3", region_name=region).Bucket(bucket).object_versions.delete()
            client.delete_bucket(Bucket=bucket)
            client.get_waiter("bucket_not_exists").wait(Bucket=bucket)
