"""boto3: multipart uploads, copies, conditions, tags and encryption.

Not for what is read and listed, nor for presigned requests.
"""

import hashlib
import io

import boto3

from boto3_here import BY_PARTS, HERE, THERE, refused
from steps import LARGE, MIB, NEAR, ODD_KEYS, same


def parts(step, s3):
    where = {"Bucket": HERE, "Key": "parts"}
    first, rest = LARGE[: 5 * MIB], LARGE[5 * MIB :]
    with step("multipart upload, part by part"):
        made = s3.create_multipart_upload(
            **where, Metadata={"a": "b"}, Tagging="t=1", ContentType="text/parts"
        )
        upload = made["UploadId"]
        tags = [
            s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=body)["ETag"]
            for number, body in ((2, rest), (1, first))
        ]
        listed = s3.list_parts(**where, UploadId=upload)
        same(
            [(it["PartNumber"], it["Size"]) for it in listed["Parts"]],
            [(1, 5 * MIB), (2, len(rest))],
        )
        uploads = s3.list_multipart_uploads(Bucket=HERE)["Uploads"]
        same([it["UploadId"] for it in uploads], [upload])
        chosen = {"Parts": [{"PartNumber": 1, "ETag": tags[1]}, {"PartNumber": 2, "ETag": tags[0]}]}
        done = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=chosen)
        digest = hashlib.md5(hashlib.md5(first).digest() + hashlib.md5(rest).digest()).hexdigest()
        same(done["ETag"], f'"{digest}-2"')
        got = s3.get_object(**where)
        same(
            (got["Body"].read() == LARGE, got["Metadata"], got["TagCount"], got["ContentType"]),
            (True, {"a": "b"}, 1, "text/parts"),
        )
    with step("completing it again is done again"):
        again = s3.complete_multipart_upload(**where, UploadId=upload, MultipartUpload=chosen)
        same((again["ETag"], again.get("VersionId")), (done["ETag"], done.get("VersionId")))
    with step("a part of the object"):
        head = s3.head_object(**where, PartNumber=2)
        same((head["ContentLength"], head["PartsCount"]), (len(rest), 2))
        got = s3.get_object(**where, PartNumber=2)
        same((got["Body"].read(), got["ResponseMetadata"]["HTTPStatusCode"]), (rest, 206))
        refused("InvalidPartNumber", lambda: s3.get_object(**where, PartNumber=3), 416)
    with step("parts that are too small, unknown or in disorder"):
        upload = s3.create_multipart_upload(**where)["UploadId"]
        tags = [
            s3.upload_part(**where, UploadId=upload, PartNumber=number, Body=b"small")["ETag"]
            for number in (1, 2)
        ]
        both = [{"PartNumber": number, "ETag": tag} for number, tag in zip((1, 2), tags)]

        def complete(listed):
            return lambda: s3.complete_multipart_upload(
                **where, UploadId=upload, MultipartUpload={"Parts": listed}
            )

        refused("EntityTooSmall", complete(both), 400)
        refused("InvalidPartOrder", complete(both[::-1]), 400)
        refused("InvalidPart", complete([{"PartNumber": 7, "ETag": tags[0]}]), 400)
        s3.abort_multipart_upload(**where, UploadId=upload)
        refused(
            "NoSuchUpload",
            lambda: s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b""),
            404,
        )
        same(s3.list_multipart_uploads(Bucket=HERE).get("Uploads"), None)
    with step("checksums of a multipart upload, of both types"):
        for algorithm, kind in (
            ("SHA256", "COMPOSITE"),
            ("CRC32", "FULL_OBJECT"),
            ("CRC32", "COMPOSITE"),
        ):
            made = s3.create_multipart_upload(
                **where, ChecksumAlgorithm=algorithm, ChecksumType=kind
            )
            same((made["ChecksumAlgorithm"], made["ChecksumType"]), (algorithm, kind))
            chosen = []
            for number, body in ((1, first), (2, rest)):
                part = s3.upload_part(
                    **where,
                    UploadId=made["UploadId"],
                    PartNumber=number,
                    Body=body,
                    ChecksumAlgorithm=algorithm,
                )
                chosen.append(
                    {
                        "PartNumber": number,
                        "ETag": part["ETag"],
                        f"Checksum{algorithm}": part[f"Checksum{algorithm}"],
                    }
                )
            done = s3.complete_multipart_upload(
                **where, UploadId=made["UploadId"], MultipartUpload={"Parts": chosen}
            )
            same(done["ChecksumType"], kind)
            same(done[f"Checksum{algorithm}"].endswith("-2"), kind == "COMPOSITE")
            found = s3.get_object_attributes(**where, ObjectAttributes=["Checksum", "ObjectParts"])
            same(
                (found["Checksum"]["ChecksumType"], found["ObjectParts"]["TotalPartsCount"]),
                (kind, 2),
            )
    with step("managed upload and download by parts"):
        s3.upload_fileobj(
            io.BytesIO(LARGE),
            HERE,
            "managed",
            Config=BY_PARTS,
            ExtraArgs={"Metadata": {"by": "parts"}},
        )
        back = io.BytesIO()
        s3.download_fileobj(HERE, "managed", back, Config=BY_PARTS)
        same(back.getvalue() == LARGE, True)


def copies(step, s3):
    source = {"Bucket": HERE, "Key": "headers"}
    with step("copy: metadata kept, replaced, and to another Region"):
        s3.copy_object(Bucket=HERE, Key="copy", CopySource=source)
        head = s3.head_object(Bucket=HERE, Key="copy")
        same(
            (head["Metadata"]["colour"], head["CacheControl"], head.get("StorageClass")),
            ("blue", "no-cache", None),
        )
        s3.copy_object(
            Bucket=HERE,
            Key="copy",
            CopySource=source,
            MetadataDirective="REPLACE",
            Metadata={"new": "1"},
            ContentType="x/y",
        )
        head = s3.head_object(Bucket=HERE, Key="copy")
        same(
            (head["Metadata"], head["ContentType"], head.get("CacheControl")),
            ({"new": "1"}, "x/y", None),
        )
        s3.copy_object(Bucket=THERE, Key="copy", CopySource=source)
        same(s3.get_object(Bucket=THERE, Key="copy")["Body"].read(), b"0123456789")
    with step("copy of each odd key, and of a version"):
        for key in ODD_KEYS:
            s3.put_object(Bucket=HERE, Key=key, Body=key.encode())
            s3.copy_object(
                Bucket=HERE, Key=f"copied {key}", CopySource={"Bucket": HERE, "Key": key}
            )
            same(s3.get_object(Bucket=HERE, Key=f"copied {key}")["Body"].read(), key.encode())
        old = s3.put_object(Bucket=HERE, Key="v", Body=b"old")["VersionId"]
        s3.put_object(Bucket=HERE, Key="v", Body=b"new")
        done = s3.copy_object(
            Bucket=HERE, Key="v", CopySource={"Bucket": HERE, "Key": "v", "VersionId": old}
        )
        same(
            (s3.get_object(Bucket=HERE, Key="v")["Body"].read(), done["CopySourceVersionId"]),
            (b"old", old),
        )
    with step("copy on conditions"):
        tag = s3.head_object(**source)["ETag"]
        for condition in (
            {"CopySourceIfMatch": '"0"'},
            {"CopySourceIfNoneMatch": tag},
            {"CopySourceIfUnmodifiedSince": "2001-01-01T00:00:00Z"},
        ):
            refused(
                "PreconditionFailed",
                lambda: s3.copy_object(Bucket=HERE, Key="no", CopySource=source, **condition),
                412,
            )
        s3.copy_object(Bucket=HERE, Key="yes", CopySource=source, CopySourceIfMatch=tag)
        refused(
            "PreconditionFailed",
            lambda: s3.copy_object(Bucket=HERE, Key="yes", CopySource=source, IfNoneMatch="*"),
            412,
        )
        refused("InvalidRequest", lambda: s3.copy_object(**source, CopySource=source), 400)
    with step("a large object copied by parts"):
        s3.copy({"Bucket": HERE, "Key": "managed"}, THERE, "managed", Config=BY_PARTS)
        got = s3.get_object(Bucket=THERE, Key="managed")
        same((got["Body"].read() == LARGE, got["ETag"][-3:]), (True, '-2"'))
        upload = s3.create_multipart_upload(Bucket=HERE, Key="ranges")["UploadId"]
        part = s3.upload_part_copy(
            Bucket=HERE,
            Key="ranges",
            UploadId=upload,
            PartNumber=1,
            CopySource={"Bucket": HERE, "Key": "managed"},
            CopySourceRange="bytes=3-11",
        )
        chosen = {"Parts": [{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}]}
        s3.complete_multipart_upload(
            Bucket=HERE, Key="ranges", UploadId=upload, MultipartUpload=chosen
        )
        same(s3.get_object(Bucket=HERE, Key="ranges")["Body"].read(), LARGE[3:12])


def conditions(step, s3):
    where = {"Bucket": HERE, "Key": "condition"}
    with step("conditional puts"):
        tag = s3.put_object(**where, Body=b"1", IfNoneMatch="*")["ETag"]
        refused(
            "PreconditionFailed", lambda: s3.put_object(**where, Body=b"2", IfNoneMatch="*"), 412
        )
        refused("PreconditionFailed", lambda: s3.put_object(**where, Body=b"2", IfMatch='"0"'), 412)
        tag = s3.put_object(**where, Body=b"2", IfMatch=tag)["ETag"]
        refused(
            "NoSuchKey", lambda: s3.put_object(Bucket=HERE, Key="none", Body=b"2", IfMatch=tag), 404
        )
    with step("conditional reads"):
        refused("304", lambda: s3.get_object(**where, IfNoneMatch=tag), 304)
        refused("PreconditionFailed", lambda: s3.get_object(**where, IfMatch='"0"'), 412)
        when = s3.head_object(**where)["LastModified"]
        refused("304", lambda: s3.head_object(**where, IfModifiedSince=when), 304)
        refused(
            "412", lambda: s3.head_object(**where, IfUnmodifiedSince="2001-01-01T00:00:00Z"), 412
        )
        same(
            s3.get_object(**where, IfMatch=tag, IfUnmodifiedSince="2001-01-01T00:00:00Z")[
                "Body"
            ].read(),
            b"2",
        )
    with step("conditional multipart upload and delete"):
        upload = s3.create_multipart_upload(**where)["UploadId"]
        part = s3.upload_part(**where, UploadId=upload, PartNumber=1, Body=b"3")
        chosen = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
        refused(
            "PreconditionFailed",
            lambda: s3.complete_multipart_upload(
                **where, UploadId=upload, MultipartUpload=chosen, IfNoneMatch="*"
            ),
            412,
        )
        s3.abort_multipart_upload(**where, UploadId=upload)
        refused("PreconditionFailed", lambda: s3.delete_object(**where, IfMatch='"0"'), 412)
        s3.delete_object(**where, IfMatch=tag)


def tags_and_encryption(step, s3):
    odd = [{"Key": "a b+c", "Value": "1/2=3:@_-."}, {"Key": "ü", "Value": ""}]
    with step("tags of an object and of a bucket"):
        s3.put_object(
            Bucket=HERE, Key="tagged", Body=b"", Tagging="a%20b%2Bc=1%2F2%3D3:@_-.&%C3%BC="
        )
        same(
            sorted(
                s3.get_object_tagging(Bucket=HERE, Key="tagged")["TagSet"],
                key=lambda tag: tag["Key"],
            ),
            odd,
        )
        s3.put_object_tagging(Bucket=HERE, Key="tagged", Tagging={"TagSet": odd[:1]})
        same(s3.head_object(Bucket=HERE, Key="tagged").get("TagCount"), 1)
        s3.delete_object_tagging(Bucket=HERE, Key="tagged")
        same(s3.get_object_tagging(Bucket=HERE, Key="tagged")["TagSet"], [])
        refused("NoSuchTagSet", lambda: s3.get_bucket_tagging(Bucket=HERE), 404)
        put = s3.put_bucket_tagging(Bucket=HERE, Tagging={"TagSet": odd})
        same(put["ResponseMetadata"]["HTTPStatusCode"], 204)
        same(sorted(s3.get_bucket_tagging(Bucket=HERE)["TagSet"], key=lambda tag: tag["Key"]), odd)
        s3.delete_bucket_tagging(Bucket=HERE)
        refused(
            "InvalidTag",
            lambda: s3.put_object_tagging(
                Bucket=HERE, Key="tagged", Tagging={"TagSet": odd[:1] * 2}
            ),
            400,
        )
    kms = boto3.client("kms", region_name=NEAR)
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/boto3-clients", TargetKeyId=key["KeyId"])
    with step("SSE-KMS by ARN, id, alias and none, with and without Bucket Key"):
        for name, bucket_key in (
            (key["Arn"], True),
            (key["KeyId"], False),
            ("alias/boto3-clients", False),
            (None, False),
        ):
            extra = {"SSEKMSKeyId": name} if name else {}
            put = s3.put_object(
                Bucket=HERE,
                Key="secret",
                Body=b"x",
                ServerSideEncryption="aws:kms",
                BucketKeyEnabled=bucket_key,
                **extra,
            )
            head = s3.head_object(Bucket=HERE, Key="secret")
            same(
                (
                    put["ServerSideEncryption"],
                    head["SSEKMSKeyId"],
                    head.get("BucketKeyEnabled", False),
                ),
                ("aws:kms", put["SSEKMSKeyId"], bucket_key),
            )
            same(head["SSEKMSKeyId"] == key["Arn"], name is not None)
    with step("DSSE-KMS"):
        s3.put_object(
            Bucket=HERE,
            Key="double",
            Body=b"x",
            ServerSideEncryption="aws:kms:dsse",
            SSEKMSKeyId=key["Arn"],
        )
        same(s3.head_object(Bucket=HERE, Key="double")["ServerSideEncryption"], "aws:kms:dsse")
    with step("SSE-KMS by parts, by copy and by the bucket's default"):
        encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key["Arn"]}
        s3.upload_fileobj(
            io.BytesIO(LARGE), HERE, "secret parts", Config=BY_PARTS, ExtraArgs=encrypted
        )
        same(s3.head_object(Bucket=HERE, Key="secret parts")["SSEKMSKeyId"], key["Arn"])
        s3.copy_object(
            Bucket=HERE, Key="secret copy", CopySource={"Bucket": HERE, "Key": "secret parts"}
        )
        same(s3.head_object(Bucket=HERE, Key="secret copy")["ServerSideEncryption"], "AES256")
        default = {
            "Rules": [
                {
                    "ApplyServerSideEncryptionByDefault": {
                        "SSEAlgorithm": "aws:kms",
                        "KMSMasterKeyID": key["Arn"],
                    },
                    "BucketKeyEnabled": True,
                }
            ]
        }
        s3.put_bucket_encryption(Bucket=HERE, ServerSideEncryptionConfiguration=default)
        s3.put_object(Bucket=HERE, Key="by default", Body=b"x")
        head = s3.head_object(Bucket=HERE, Key="by default")
        same((head["SSEKMSKeyId"], head["BucketKeyEnabled"]), (key["Arn"], True))
        s3.delete_bucket_encryption(Bucket=HERE)
        kept = s3.get_bucket_encryption(Bucket=HERE)["ServerSideEncryptionConfiguration"]["Rules"][
            0
        ]
        same(kept["ApplyServerSideEncryptionByDefault"], {"SSEAlgorithm": "AES256"})
    with step("SSE-KMS with a key that is not there or is disabled"):
        gone = key["Arn"][:-12] + "0" * 12
        refused(
            "KMS.NotFoundException",
            lambda: s3.put_object(
                Bucket=HERE, Key="n", Body=b"", ServerSideEncryption="aws:kms", SSEKMSKeyId=gone
            ),
            400,
        )
        kms.disable_key(KeyId=key["KeyId"])
        refused(
            "KMS.DisabledException", lambda: s3.get_object(Bucket=HERE, Key="secret parts"), 400
        )
        kms.enable_key(KeyId=key["KeyId"])
    kms.delete_alias(AliasName="alias/boto3-clients")
