"""boto3: presigned requests by both signature versions, and the virtual-hosted style.

Not for requests that boto3 sends itself in path style.
"""

import io
import time

import boto3
from botocore.config import Config

from boto3_here import BY_PARTS, HERE, THERE
from steps import ENDPOINT, FAR, LARGE, NAME, NAMED, NEAR, ODD_KEYS, ODDER_KEYS, PORT
from steps import answer, form, holds, same


def fetched(url, method="GET", body=None, **headers):
    return answer(method, url, body, headers)


def presigned(step, s3):
    newest = boto3.client("s3", region_name=NEAR, config=Config(signature_version="s3v4"))
    get = {"Bucket": HERE, "Key": "ümläut/日本語"}
    put = {"Bucket": HERE, "Key": "presigned + put%"}
    for version, client in (("SigV4", newest), ("the default, SigV2", s3)):
        with step(f"presigned GET, HEAD and PUT by {version}"):
            url = client.generate_presigned_url(
                "get_object", Params={**get, "ResponseContentType": "a/b"}
            )
            holds(("X-Amz-Signature" if client is newest else "AWSAccessKeyId") in url, url)
            status, headers, body = fetched(url)
            same((status, body, headers.get("content-type")), (200, get["Key"].encode(), "a/b"))
            same(fetched(client.generate_presigned_url("head_object", Params=get), "HEAD")[0], 200)
            url = client.generate_presigned_url(
                "put_object", Params={**put, "ContentType": "text/x", "Metadata": {"m": "1"}}
            )
            status, _, body = fetched(
                url, "PUT", b"put", **{"Content-Type": "text/x", "x-amz-meta-m": "1"}
            )
            same((status, body), (200, b""))
            got = s3.get_object(**put)
            same(
                (got["Body"].read(), got["ContentType"], got["Metadata"]),
                (b"put", "text/x", {"m": "1"}),
            )
        with step(f"presigned by {version}, changed or too late, is refused"):
            url = client.generate_presigned_url("get_object", Params=get)
            status, _, body = fetched(url.replace("/boto3-here/", "/boto3-here/x"))
            holds(status == 403 and b"<Code>SignatureDoesNotMatch</Code>" in body, (status, body))
            same(fetched(url, "PUT", b"x")[0], 403)
            url = client.generate_presigned_url("get_object", Params=get, ExpiresIn=1)
            time.sleep(2.1)  # what is waited for is the end of a second of the sandbox's own clock
            status, _, body = fetched(url)
            holds(status == 403 and b"Request has expired" in body, (status, body))
        with step(f"presigned delete, list and upload of a part by {version}"):
            if version == "SigV4":
                # By SigV2 botocore signs a bucket's path with a slash behind it, and sends it without.
                url = client.generate_presigned_url(
                    "list_objects_v2", Params={"Bucket": HERE, "Prefix": "presigned + "}
                )
                listed = fetched(url)
                holds(listed[0] == 200 and b"<KeyCount>1</KeyCount>" in listed[2], listed)
            upload = s3.create_multipart_upload(**put)["UploadId"]
            url = client.generate_presigned_url(
                "upload_part", Params={**put, "UploadId": upload, "PartNumber": 1}
            )
            status, headers, _ = fetched(url, "PUT", b"part")
            same(status, 200)
            chosen = {"Parts": [{"PartNumber": 1, "ETag": headers["etag"]}]}
            s3.complete_multipart_upload(**put, UploadId=upload, MultipartUpload=chosen)
            same(
                fetched(client.generate_presigned_url("delete_object", Params=put), "DELETE")[0],
                204,
            )
        with step(f"presigned POST by {version}"):
            conditions = [
                {"x-amz-meta-m": "1"},
                ["content-length-range", 1, 10],
                ["starts-with", "$Content-Type", "text/"],
            ]
            fields = {"x-amz-meta-m": "1", "success_action_status": "201"}
            conditions.append({"success_action_status": "201"})
            made = client.generate_presigned_post(
                HERE, "posted/a b.txt", Fields=fields, Conditions=conditions
            )
            more = {**made["fields"], "Content-Type": "text/posted"}
            status, headers, body = form(made["url"], more, b"posted")
            holds(status == 201 and b"<Key>posted/a b.txt</Key>" in body, (status, body))
            got = s3.get_object(Bucket=HERE, Key="posted/a b.txt")
            same(
                (got["Body"].read(), got["ContentType"], got["Metadata"]),
                (b"posted", "text/posted", {"m": "1"}),
            )
            status, _, body = form(made["url"], more, b"much too long")
            holds(status == 400 and b"EntityTooLarge" in body, (status, body))
            status, _, body = form(made["url"], {**more, "x-amz-meta-m": "2"}, b"x")
            holds(status == 403 and b"Policy Condition failed" in body, (status, body))
            status, _, body = form(made["url"], {**more, "Content-Type": "image/png"}, b"x")
            holds(status == 403 and b"Policy Condition failed" in body, (status, body))
    with step("presigned POST to a key with the file's own name"):
        made = newest.generate_presigned_post(HERE, "posted/${filename}")
        same(form(made["url"], made["fields"], b"posted", "named ü.txt")[0], 204)
        same(s3.get_object(Bucket=HERE, Key="posted/named ü.txt")["Body"].read(), b"posted")
    with step("presigned by SigV2, an object under SSE-KMS is refused"):
        status, _, body = fetched(
            s3.generate_presigned_url("get_object", Params={"Bucket": HERE, "Key": "secret"})
        )
        holds(status == 400 and b"require AWS Signature Version 4" in body, (status, body))
    with step("presigned for a bucket in another Region"):
        client = boto3.client("s3", region_name=FAR, config=Config(signature_version="s3v4"))
        same(
            fetched(
                client.generate_presigned_url("get_object", Params={"Bucket": THERE, "Key": "copy"})
            )[2],
            b"0123456789",
        )


def hosts(step):
    """Virtual-hosted style. No resolver knows a bucket's host: the sandbox is its own proxy."""
    styles = [
        ("localhost", f"http://localhost:{PORT}", ENDPOINT),
        (NAME, f"http://{NAME}:{NAMED.rpartition(':')[2]}", NAMED),
    ]
    for name, endpoint, proxy in styles:
        with step(f"virtual-hosted style under {name}"):
            holds(proxy, "this crrctl has no sandbox under a host name")
            config = Config(
                s3={"addressing_style": "virtual"},
                proxies={"http": proxy},
                signature_version="s3v4",
            )
            s3 = boto3.client("s3", region_name=NEAR, endpoint_url=endpoint, config=config)
            bucket = "boto3-virtual"
            s3.create_bucket(Bucket=bucket)
            # Through a proxy, urllib3 itself takes the dot out of a path.
            keys = [key for key in ODD_KEYS + ODDER_KEYS if "/./" not in key]
            for key in keys:
                s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
                same(s3.get_object(Bucket=bucket, Key=key)["Body"].read(), key.encode())
            same(s3.list_objects_v2(Bucket=bucket)["KeyCount"], len(keys))
            s3.copy_object(
                Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": ODD_KEYS[0]}
            )
            same(s3.get_bucket_location(Bucket=bucket)["LocationConstraint"], None)
            s3.upload_fileobj(io.BytesIO(LARGE), bucket, "parts", Config=BY_PARTS)
            url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "copy"})
            holds(f"//{bucket}.{name}:" in url, url)
            same(answer("GET", url)[2], ODD_KEYS[0].encode())
            made = s3.generate_presigned_post(bucket, "posted")
            same(form(made["url"], made["fields"], b"posted")[0], 204)
            holds(bucket in [it["Name"] for it in s3.list_buckets()["Buckets"]])
            boto3.resource("s3", region_name=NEAR, endpoint_url=endpoint, config=config).Bucket(
                bucket
            ).objects.delete()
            s3.delete_bucket(Bucket=bucket)
    config = Config(s3={"addressing_style": "virtual"}, proxies={"http": ENDPOINT})
    with step("virtual-hosted style, presigned by the default, SigV2"):
        s3 = boto3.client(
            "s3", region_name=NEAR, endpoint_url=f"http://localhost:{PORT}", config=config
        )
        url = s3.generate_presigned_url("get_object", Params={"Bucket": HERE, "Key": "plus+plus"})
        holds(f"//{HERE}.localhost:" in url and "AWSAccessKeyId" in url, url)
        same(answer("GET", url)[2], b"plus+plus")
    with step("virtual-hosted style follows the redirect to another Region"):
        s3 = boto3.client(
            "s3", region_name=NEAR, endpoint_url=f"http://localhost:{PORT}", config=config
        )
        same(s3.get_object(Bucket=THERE, Key="copy")["Body"].read(), b"0123456789")
