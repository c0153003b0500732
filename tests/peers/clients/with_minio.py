"""minio-py in the sandbox.

Not for what only MinIO's own server does.
"""

import io
import json
from datetime import datetime, timedelta, timezone

import urllib3
from minio import Minio
from minio.commonconfig import ENABLED, GOVERNANCE, ComposeSource, CopySource, Filter, Tags
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, NoncurrentVersionExpiration, Rule
from minio.objectlockconfig import DAYS, ObjectLockConfig
from minio.datatypes import PostPolicy
from minio.retention import Retention
from minio.sseconfig import Rule as SseRule
from minio.sseconfig import SSEConfig
from minio.versioningconfig import VersioningConfig

from steps import ENDPOINT, FAR, HOST, KEY, LARGE, MIB, NEAR, ODD_KEYS, ODDER_KEYS, PORT, SECRET
from steps import answer, form, holds, kms_key, same

HERE, THERE, LOCKED = "minio-here", "minio-there", "minio-locked"
# minio-py refuses names of objects that have such a segment before it asks.
KEYS = ODD_KEYS + tuple(key for key in ODDER_KEYS if "/./" not in key)


def refused(code, call):
    try:
        call()
    except S3Error as error:
        same(error.code, code)
        return
    raise AssertionError(f"not refused with {code}")


def put(client, bucket, key, body, **more):
    return client.put_object(bucket, key, io.BytesIO(body), len(body), **more)


def read(client, bucket, key, **more):
    got = client.get_object(bucket, key, **more)
    try:
        return got.read()
    finally:
        got.close()
        got.release_conn()


def names(client, bucket, **more):
    return [it.object_name for it in client.list_objects(bucket, **more)]


def walk(step, scratch):
    client = Minio(HOST, KEY, SECRET, secure=False)
    with step("create buckets here and in another Region"):
        client.make_bucket(HERE)
        client.make_bucket(THERE, location=FAR)
        same(
            (
                client.bucket_exists(HERE),
                client.bucket_exists(THERE),
                client.bucket_exists("minio-none"),
            ),
            (True, True, False),
        )
        put(client, THERE, "k", b"found")
        holds({HERE, THERE} <= {it.name for it in client.list_buckets()})
    with step("a client without a Region finds that of each bucket"):
        fresh = Minio(HOST, KEY, SECRET, secure=False)
        for bucket in (HERE, THERE):
            put(fresh, bucket, "k found", b"found")
            same(read(fresh, bucket, "k found"), b"found")
            fresh.remove_object(bucket, "k found")
    with step("a client of one Region at a bucket of another"):
        fixed = Minio(HOST, KEY, SECRET, secure=False, region=NEAR)
        try:
            put(fixed, THERE, "not there", b"x")
        except (
            S3Error,
            ValueError,
        ) as error:  # as on AWS: minio-py does not sign for the other Region by itself
            holds(
                FAR in str(error)
                or getattr(error, "code", "")
                in ("PermanentRedirect", "AuthorizationHeaderMalformed"),
                error,
            )
    with step("put, stat and get, also a range"):
        made = put(
            client, HERE, "o", b"0123456789", content_type="text/x", metadata={"colour": "blue"}
        )
        seen = client.stat_object(HERE, "o")
        same(
            (seen.etag, seen.size, seen.content_type, seen.metadata["x-amz-meta-colour"]),
            (made.etag, 10, "text/x", "blue"),
        )
        same(read(client, HERE, "o", offset=2, length=3), b"234")
        refused("NoSuchKey", lambda: client.get_object(HERE, "none"))
        refused("NoSuchKey", lambda: client.stat_object(HERE, "none"))
    with step("odd keys: put, get, list, remove"):
        for key in KEYS:
            put(client, THERE, key, key.encode())
            same(read(client, THERE, key), key.encode())
        expected = sorted((*KEYS, "k"), key=lambda key: key.encode())
        same(names(client, THERE, recursive=True), expected)
        same(names(client, THERE, recursive=True, use_api_v1=True), expected)
        same(list(client.remove_objects(THERE, [DeleteObject(key) for key in KEYS])), [])
        same(names(client, THERE), ["k"])
    with step("multipart upload of a known and of an unknown length"):
        for key, length in (("known", len(LARGE)), ("unknown", -1)):
            made = client.put_object(HERE, key, io.BytesIO(LARGE), length, part_size=5 * MIB)
            same(made.etag.strip('"')[-2:], "-2")
            same(read(client, HERE, key) == LARGE, True)
        file = scratch / "large"
        client.fget_object(HERE, "known", str(file))
        same(file.read_bytes() == LARGE, True)
    with step("copy, also of odd keys, and on a condition"):
        for key in KEYS:
            put(client, HERE, key, key.encode())
            client.copy_object(HERE, "copy", CopySource(HERE, key))
            same(read(client, HERE, "copy"), key.encode())
        client.copy_object(
            THERE,
            "copy",
            CopySource(HERE, "o"),
            metadata={"new": "1"},
            metadata_directive="REPLACE",
        )
        same(client.stat_object(THERE, "copy").metadata["x-amz-meta-new"], "1")
        refused(
            "PreconditionFailed",
            lambda: client.copy_object(HERE, "copy", CopySource(HERE, "o", match_etag="0" * 32)),
        )
    with step("compose: copies by parts"):
        client.compose_object(
            HERE,
            "composed",
            [ComposeSource(HERE, "known"), ComposeSource(HERE, "o", offset=1, length=4)],
        )
        same(read(client, HERE, "composed") == LARGE + b"1234", True)
    with step("versions"):
        client.set_bucket_versioning(HERE, VersioningConfig(ENABLED))
        same(client.get_bucket_versioning(HERE).status, ENABLED)
        one, two = (put(client, HERE, "v", body).version_id for body in (b"one", b"two"))
        client.remove_object(HERE, "v")
        same(
            (read(client, HERE, "v", version_id=one), read(client, HERE, "v", version_id=two)),
            (b"one", b"two"),
        )
        listed = [
            (it.version_id, it.is_delete_marker)
            for it in client.list_objects(HERE, prefix="v", include_version=True)
        ]
        same((len(listed), sum(marker for _, marker in listed)), (3, 1))
        refused("NoSuchKey", lambda: client.get_object(HERE, "v"))
        client.remove_object(HERE, "v", version_id=two)
        refused("NoSuchVersion", lambda: client.get_object(HERE, "v", version_id=two))
    with step("tags of buckets and objects"):
        tags = Tags.new_bucket_tags()
        tags["a b"] = "1+2"
        same(client.get_bucket_tags(HERE), None)
        client.set_bucket_tags(HERE, tags)
        same(client.get_bucket_tags(HERE), tags)
        client.delete_bucket_tags(HERE)
        same(client.get_bucket_tags(HERE), None)
        own = Tags.new_object_tags()
        own["k ä"] = "v+/="
        put(client, HERE, "tagged", b"", tags=own)
        same(client.get_object_tags(HERE, "tagged"), own)
        client.delete_object_tags(HERE, "tagged")
        same(client.get_object_tags(HERE, "tagged"), None)
        client.set_object_tags(HERE, "tagged", own)
        same(client.get_object_tags(HERE, "tagged"), own)
    with step("SSE-KMS"):
        key = kms_key()
        client.set_bucket_encryption(HERE, SSEConfig(SseRule.new_sse_kms_rule(key)))
        put(client, HERE, "secret", b"x")
        same(
            client.stat_object(HERE, "secret").metadata[
                "x-amz-server-side-encryption-aws-kms-key-id"
            ],
            key,
        )
        same(client.get_bucket_encryption(HERE).rule.kms_master_key_id, key)
        client.delete_bucket_encryption(HERE)
    with step("lifecycle, policy, Object Lock"):
        rule = Rule(
            ENABLED,
            rule_filter=Filter(prefix="logs/"),
            rule_id="r",
            expiration=Expiration(days=30),
            noncurrent_version_expiration=NoncurrentVersionExpiration(noncurrent_days=7),
        )
        client.set_bucket_lifecycle(HERE, LifecycleConfig([rule]))
        same(client.get_bucket_lifecycle(HERE).rules[0].expiration.days, 30)
        client.delete_bucket_lifecycle(HERE)
        same(client.get_bucket_lifecycle(HERE), None)
        statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutBucketCORS"}
        statement["Resource"] = f"arn:aws:s3:::{HERE}"
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client.set_bucket_policy(HERE, policy)
        same(client.get_bucket_policy(HERE), policy)
        client.delete_bucket_policy(HERE)
        refused("NoSuchBucketPolicy", lambda: client.get_bucket_policy(HERE))
        client.make_bucket(LOCKED, object_lock=True)
        client.set_object_lock_config(LOCKED, ObjectLockConfig(GOVERNANCE, 1, DAYS))
        kept = client.get_object_lock_config(LOCKED)
        same((kept.mode, kept.duration, kept.duration_unit), (GOVERNANCE, 1, DAYS))
        client.delete_object_lock_config(LOCKED)
        until = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(hours=1)
        version = put(client, LOCKED, "held", b"x").version_id
        client.set_object_retention(LOCKED, "held", Retention(GOVERNANCE, until))
        client.enable_object_legal_hold(LOCKED, "held")
        same(
            (
                client.get_object_retention(LOCKED, "held").retain_until_date,
                client.is_object_legal_hold_enabled(LOCKED, "held"),
            ),
            (until, True),
        )
        refused("AccessDenied", lambda: client.remove_object(LOCKED, "held", version_id=version))
        client.disable_object_legal_hold(LOCKED, "held")
        gone = client.remove_objects(
            LOCKED, [DeleteObject("held", version)], bypass_governance_mode=True
        )
        same(list(gone), [])
        client.remove_bucket(LOCKED)
    with step("presigned GET and PUT"):
        for key in ("with space", "plus+plus", "ümläut/日本語", "percent%20percent"):
            same(answer("PUT", client.presigned_put_object(HERE, key), b"signed")[0], 200)
            same(answer("GET", client.presigned_get_object(HERE, key))[2], b"signed")
        url = client.presigned_get_object(THERE, "k")
        same(answer("GET", url)[2], b"found")
    with step("presigned POST"):
        policy = PostPolicy(HERE, datetime.now(timezone.utc) + timedelta(minutes=5))
        policy.add_starts_with_condition("key", "posted/")
        policy.add_content_length_range_condition(1, 10)
        fields = client.presigned_post_policy(policy)
        status, _, body = form(f"{ENDPOINT}/{HERE}", {**fields, "key": "posted/o"}, b"posted")
        holds(status == 204, (status, body))
        same(read(client, HERE, "posted/o"), b"posted")
    with step("virtual-hosted style under localhost"):
        # No resolver knows the bucket's host here, so the sandbox is its own proxy.
        virtual = Minio(
            f"localhost:{PORT}",
            KEY,
            SECRET,
            secure=False,
            http_client=urllib3.ProxyManager(ENDPOINT),
        )
        virtual.enable_virtual_style_endpoint()
        virtual.make_bucket("minio-virtual")
        for key in KEYS:
            put(virtual, "minio-virtual", key, key.encode())
            same(read(virtual, "minio-virtual", key), key.encode())
        url = virtual.presigned_get_object("minio-virtual", KEYS[0])
        holds("//minio-virtual.localhost:" in url, url)
        same(answer("GET", url)[2], KEYS[0].encode())
        emptied(virtual, "minio-virtual")
    with step("remove all"):
        refused("BucketNotEmpty", lambda: client.remove_bucket(HERE))
        for bucket in (HERE, THERE):
            emptied(client, bucket)
        same(client.bucket_exists(HERE), False)


def emptied(client, bucket):
    versions = [
        DeleteObject(it.object_name, it.version_id)
        for it in client.list_objects(bucket, recursive=True, include_version=True)
    ]
    same(list(client.remove_objects(bucket, versions)), [])
    client.remove_bucket(bucket)
