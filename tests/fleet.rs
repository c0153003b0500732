//! Ephemeral pairs, and the commands that look at all pairs of an account: `list`, `gc`, `smoke`.

mod ephemeral;
mod gc;
mod list;
mod smoke;

use crate::common::Stand;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration, Tag};

/// A date that is over, and one that is not.
const PAST: &str = "2020-01-01T00:00:00Z";
const FUTURE: &str = "2099-01-01T00:00:00Z";

/// Returns the tags of the pair `name` whose source bucket is `{name}-source`, with a date if there is one.
fn tags(name: &str, expires: Option<&str>) -> Vec<(String, String)> {
    let id = format!("111122223333/us-east-1/{name}-source");
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let mut tags = vec![tag("crrctl:pair", name), tag("crrctl:id", &id)];
    tags.extend(expires.map(|date| tag("crrctl:expires", date)));
    tags
}

fn bucket(stand: &Stand, region: &str, bucket: &str, tags: &[(String, String)]) {
    stand.s3(region, async |s3| {
        let place = (region != "us-east-1").then(|| BucketLocationConstraint::from(region));
        let tag = |(key, value): &(String, String)| Tag::builder().key(key).value(value).build();
        let place = CreateBucketConfiguration::builder()
            .set_location_constraint(place)
            .set_tags(Some(tags.iter().map(tag).collect::<Result<_, _>>().unwrap()));
        let create = s3.create_bucket().bucket(bucket).create_bucket_configuration(place.build());
        create.send().await.unwrap();
    });
}

fn role(stand: &Stand, name: &str, tags: &[(String, String)]) {
    const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"s3.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    stand.iam(async |iam| {
        let create = iam.create_role().role_name(name).path("/crrctl/");
        let mut create = create.assume_role_policy_document(TRUST);
        for (key, value) in tags {
            let tag = aws_sdk_iam::types::Tag::builder().key(key).value(value).build().unwrap();
            create = create.tags(tag);
        }
        create.send().await.unwrap();
    });
}

fn kms_tags(tags: &[(String, String)]) -> Vec<aws_sdk_kms::types::Tag> {
    let tag = |(key, value): &(String, String)| {
        aws_sdk_kms::types::Tag::builder().tag_key(key).tag_value(value).build().unwrap()
    };
    tags.iter().map(tag).collect()
}

/// Makes a multi-Region key in `region`, with a replica in each of `replicas`; returns its id.
fn key(stand: &Stand, region: &str, replicas: &[&str], tags: &[(String, String)]) -> String {
    stand.kms(region, async |kms| {
        let create = kms.create_key().multi_region(true).set_tags(Some(kms_tags(tags)));
        let made = create.send().await.unwrap();
        let id = made.key_metadata().unwrap().key_id().to_owned();
        for replica in replicas {
            let replicate = kms.replicate_key().key_id(&id).replica_region(*replica);
            replicate.set_tags(Some(kms_tags(tags))).send().await.unwrap();
        }
        id
    })
}
