//! The lives of KMS keys beside encryption: rotation, grants, predefined aliases, random bytes.
//! Sources: KMS API Reference and Developer Guide; the texts that localstack's public snapshots
//! recorded of AWS (2024 to 2026, read 2026-11).
//! Not for: key policies (see `access`) and deletion (see `control`).

use super::{ACCOUNT, EAST, Stand, WEST, refused};
use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{
    GrantConstraints, GrantOperation, IncludeKeyMaterial, KeyMaterialState, KeySpec, KeyUsageType,
    OriginType, RotationType,
};
use std::collections::HashMap;

/// A policy that allows nothing in KMS.
const NONE: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:*","Resource":"*"}]}"#;

async fn key(kms: &Client) -> String {
    let created = kms.create_key().send().await.unwrap();
    created.key_metadata().unwrap().key_id().to_owned()
}

async fn advance(stand: &Stand, by: &str) {
    stand.control("POST", "clock", &format!(r#"{{"advance": "{by}"}}"#)).await;
}

async fn materials(kms: &Client, key: &str) -> Vec<(String, Option<RotationType>)> {
    let list = kms.list_key_rotations().key_id(key);
    let list = list.include_key_material(IncludeKeyMaterial::AllKeyMaterial).send().await.unwrap();
    let current = list.rotations().last().unwrap();
    assert_eq!(current.key_material_state(), Some(&KeyMaterialState::Current));
    let entry = |it: &aws_sdk_kms::types::RotationsListEntry| {
        (it.key_material_id().unwrap().to_owned(), it.rotation_type().cloned())
    };
    list.rotations().iter().map(entry).collect()
}

#[tokio::test]
async fn a_rotation_on_demand_replaces_the_material_and_keeps_the_earlier_ones() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    let key = key(&kms).await;
    let encrypt = || kms.encrypt().key_id(&key).plaintext(Blob::new("hello")).send();
    let first = encrypt().await.unwrap().ciphertext_blob().unwrap().clone();
    let rotated = kms.rotate_key_on_demand().key_id(&key).send().await.unwrap();
    assert_eq!(rotated.key_id(), Some(format!("arn:aws:kms:{EAST}:{ACCOUNT}:key/{key}").as_str()));
    let second = encrypt().await.unwrap().ciphertext_blob().unwrap().clone();
    let all = materials(&kms, &key).await;
    assert_eq!(
        all.iter().map(|it| &it.1).collect::<Vec<_>>(),
        [&None, &Some(RotationType::OnDemand)]
    );
    for (blob, material) in [(first, &all[0].0), (second, &all[1].0)] {
        let opened = kms.decrypt().ciphertext_blob(blob).send().await.unwrap();
        assert_eq!(opened.plaintext().unwrap().as_ref(), b"hello");
        assert_eq!(opened.key_material_id(), Some(material.as_str()));
    }
    let described = kms.describe_key().key_id(&key).send().await.unwrap();
    let described = described.key_metadata().unwrap().current_key_material_id().map(String::from);
    assert_eq!(described.as_ref(), Some(&all[1].0));
    let rotations = kms.list_key_rotations().key_id(&key).send().await.unwrap();
    assert_eq!(rotations.rotations().len(), 1, "the first material was not rotated to");
    let status = kms.get_key_rotation_status().key_id(&key).send().await.unwrap();
    assert!(!status.key_rotation_enabled() && status.on_demand_rotation_start_date().is_none());
    for _ in 2..=25 {
        kms.rotate_key_on_demand().key_id(&key).send().await.unwrap();
    }
    let (primary, replica) = stand.keys().await;
    kms.rotate_key_on_demand().key_id(&primary).send().await.unwrap();
    let west = stand.kms(WEST);
    assert_eq!(materials(&west, &replica).await, materials(&kms, &primary).await);
    let absent = "1234abcd-12ab-34cd-56ef-1234567890ab";
    refused! {
        "LimitExceededException" 400 "The on-demand rotations limit has been reached for the given keyId." kms.rotate_key_on_demand().key_id(&key);
        "UnsupportedOperationException" 400 "replica key" west.rotate_key_on_demand().key_id(&replica);
        "NotFoundException" 400 "does not exist" kms.rotate_key_on_demand().key_id(absent);
        "ValidationException" 400 "'includeKeyMaterial'" kms.list_key_rotations().key_id(&key).include_key_material("OTHER".into());
    };
    kms.disable_key().key_id(&key).send().await.unwrap();
    refused! { "DisabledException" 400 "is disabled." kms.rotate_key_on_demand().key_id(&key); }
}

#[tokio::test]
async fn keys_rotate_on_schedule_as_the_clock_advances() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    let key = key(&kms).await;
    let enable = kms.enable_key_rotation().key_id(&key).rotation_period_in_days(100);
    enable.send().await.unwrap();
    let next = || async {
        let status = kms.get_key_rotation_status().key_id(&key).send().await.unwrap();
        status.next_rotation_date().unwrap().secs()
    };
    let first = next().await;
    advance(&stand, "99d").await;
    assert_eq!(materials(&kms, &key).await.len(), 1);
    kms.rotate_key_on_demand().key_id(&key).send().await.unwrap();
    assert_eq!(next().await, first, "a rotation on demand leaves the schedule");
    advance(&stand, "202d").await;
    let kinds: Vec<_> = materials(&kms, &key).await.into_iter().filter_map(|it| it.1).collect();
    let scheduled = RotationType::Automatic;
    assert_eq!(kinds, [RotationType::OnDemand, scheduled.clone(), scheduled.clone(), scheduled]);
    let day = 24 * 3600;
    assert_eq!(next().await, first + 300 * day);
    kms.disable_key().key_id(&key).send().await.unwrap();
    advance(&stand, "250d").await;
    assert_eq!(materials(&kms, &key).await.len(), 5, "a disabled key does not rotate");
    kms.enable_key().key_id(&key).send().await.unwrap();
    assert_eq!(materials(&kms, &key).await.len(), 6, "an overdue rotation is made at once");
    assert_eq!((next().await - first) / day, 99 + 202 + 250);
    advance(&stand, "99d").await;
    advance(&stand, "23h").await;
    advance(&stand, "50m").await;
    refused! { "ConflictException" 400 "20 minutes" kms.rotate_key_on_demand().key_id(&key); }
}

#[tokio::test]
async fn an_overdue_rotation_is_made_when_the_primary_key_is_enabled() {
    let stand = Stand::start().await;
    let (primary, replica) = stand.keys().await;
    let (east, west) = (stand.kms(EAST), stand.kms(WEST));
    east.enable_key_rotation().key_id(&primary).send().await.unwrap();
    east.disable_key().key_id(&primary).send().await.unwrap();
    west.disable_key().key_id(&replica).send().await.unwrap();
    advance(&stand, "400d").await;
    west.enable_key().key_id(&replica).send().await.unwrap();
    assert_eq!(materials(&west, &replica).await.len(), 1, "a replica key does not rotate");
    east.enable_key().key_id(&primary).send().await.unwrap();
    assert_eq!(materials(&west, &replica).await.len(), 2);
}

#[tokio::test]
async fn grants_hold_to_their_constraints_and_retire() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    let key = key(&kms).await;
    let (id, secret) = stand.user("grantee", NONE).await;
    let grantee = stand.kms_as(&id, &secret, EAST);
    let (id, secret) = stand.user("retiring", NONE).await;
    let retiring = stand.kms_as(&id, &secret, EAST);
    let arn = |name: &str| format!("arn:aws:iam::{ACCOUNT}:user/{name}");
    let context = |pairs: &[(&str, &str)]| -> HashMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    };
    let create = |constraints: Option<GrantConstraints>| {
        let create = kms.create_grant().key_id(&key).grantee_principal(arn("grantee"));
        let create =
            create.operations(GrantOperation::Encrypt).operations(GrantOperation::DescribeKey);
        create.retiring_principal(arn("retiring")).set_constraints(constraints)
    };
    let encrypt = |pairs: &[(&str, &str)]| {
        let encrypt = grantee.encrypt().key_id(&key).plaintext(Blob::new("hello"));
        encrypt.set_encryption_context(Some(context(pairs)))
    };
    let pair = context(&[("for", "tests")]);
    let equals = GrantConstraints::builder().set_encryption_context_equals(Some(pair.clone()));
    let subset = GrantConstraints::builder().set_encryption_context_subset(Some(pair));
    let more: &[(&str, &str)] = &[("for", "tests"), ("more", "yes")];
    for (constraints, allowed, denied) in [
        (Some(equals.build()), vec![&more[..1]], vec![more, &[], &[("for", "others")]]),
        (Some(subset.build()), vec![&more[..1], more], vec![&[][..], &more[1..]]),
        (None, vec![&more[..1], more, &[]], vec![]),
    ] {
        let grant = create(constraints.clone()).send().await.unwrap();
        for pairs in allowed {
            encrypt(pairs).send().await.unwrap();
        }
        for pairs in denied {
            refused! { "AccessDeniedException" 400 "kms:Encrypt" encrypt(pairs); }
        }
        grantee.describe_key().key_id(&key).send().await.unwrap();
        let listed = kms.list_grants().key_id(&key).grant_id(grant.grant_id().unwrap());
        let listed = listed.send().await.unwrap();
        let listed = &listed.grants()[0];
        assert_eq!(listed.constraints(), constraints.as_ref());
        assert_eq!(listed.retiring_principal(), Some(arn("retiring").as_str()));
        let retirable = kms.list_retirable_grants().retiring_principal(arn("retiring"));
        assert_eq!(retirable.send().await.unwrap().grants().len(), 1);
        let token = grant.grant_token().unwrap();
        refused! {
            "AccessDeniedException" 400 "kms:RetireGrant" grantee.retire_grant().grant_token(token);
            "DryRunOperationException" 412 "The request would have succeeded, but the DryRun option is set." retiring.retire_grant().grant_token(token).dry_run(true);
        };
        retiring.retire_grant().grant_token(token).send().await.unwrap();
        refused! {
            "InvalidGrantTokenException" 400 "" retiring.retire_grant().grant_token(token);
            "AccessDeniedException" 400 "" encrypt(&more[..1]);
        };
    }
    let named = || create(None).name("once").send();
    let (first, second) = (named().await.unwrap(), named().await.unwrap());
    assert_eq!(first.grant_id(), second.grant_id());
    assert_ne!(first.grant_token(), second.grant_token());
    let retire = |grant: &str| kms.retire_grant().key_id(&key).grant_id(grant);
    retire(first.grant_id().unwrap()).send().await.unwrap();
    assert!(kms.list_grants().key_id(&key).send().await.unwrap().grants().is_empty());
    let own = create(None).operations(GrantOperation::RetireGrant).send().await.unwrap();
    grantee.retire_grant().grant_token(own.grant_token().unwrap()).send().await.unwrap();
    refused! {
        "NotFoundException" 400 "is not found" retire(&"0".repeat(64));
        "ValidationException" 400 "" kms.retire_grant().key_id(&key);
        "ValidationException" 400 "Operation Sign" create(None).operations(GrantOperation::Sign);
        "ValidationException" 400 "enum value set" create(None).operations("Other".into());
    };
}

#[tokio::test]
async fn a_dry_run_checks_everything_and_does_nothing() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    let key = key(&kms).await;
    let blob = kms.encrypt().key_id(&key).plaintext(Blob::new("hello")).send().await.unwrap();
    let blob = blob.ciphertext_blob().unwrap().clone();
    let (id, secret) = stand.user("nobody", NONE).await;
    let nobody = stand.kms_as(&id, &secret, EAST);
    let grantee = format!("arn:aws:iam::{ACCOUNT}:user/nobody");
    refused! {
        "DryRunOperationException" 412 "DryRun" kms.encrypt().key_id(&key).plaintext(Blob::new("a")).dry_run(true);
        "DryRunOperationException" 412 "DryRun" kms.decrypt().ciphertext_blob(blob.clone()).dry_run(true);
        "DryRunOperationException" 412 "DryRun" kms.generate_data_key().key_id(&key).number_of_bytes(1).dry_run(true);
        "DryRunOperationException" 412 "DryRun" kms.generate_data_key_without_plaintext().key_id(&key).number_of_bytes(1).dry_run(true);
        "DryRunOperationException" 412 "DryRun" kms.re_encrypt().ciphertext_blob(blob.clone()).destination_key_id(&key).dry_run(true);
        "DryRunOperationException" 412 "DryRun" kms.create_grant().key_id(&key).grantee_principal(&grantee).operations(GrantOperation::Encrypt).dry_run(true);
        "AccessDeniedException" 400 "kms:Encrypt" nobody.encrypt().key_id(&key).plaintext(Blob::new("a")).dry_run(true);
    };
    assert!(kms.list_grants().key_id(&key).send().await.unwrap().grants().is_empty());
}

#[tokio::test]
async fn random_bytes_have_bounds() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    let random = |count: i32| kms.generate_random().number_of_bytes(count);
    for count in [1, 32, 1024] {
        let bytes = random(count).send().await.unwrap().plaintext().unwrap().as_ref().len();
        assert_eq!(i32::try_from(bytes), Ok(count));
    }
    refused! {
        "ValidationException" 400 "NumberOfBytes is required." kms.generate_random();
        "ValidationException" 400 "1 validation error detected: Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1" random(0);
        "ValidationException" 400 "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024" random(1025);
        "NotImplemented" 501 "CustomKeyStoreId" random(1).custom_key_store_id("x");
    };
}

#[tokio::test]
async fn a_predefined_alias_gets_its_key_when_it_is_described() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    let target = || async {
        let aliases = kms.list_aliases().send().await.unwrap();
        let found = aliases.aliases().iter().find(|it| it.alias_name() == Some("alias/aws/s3"));
        found.unwrap().target_key_id().map(String::from)
    };
    assert_eq!(target().await, None);
    let described = kms.describe_key().key_id("alias/aws/s3").send().await.unwrap();
    let described = described.key_metadata().unwrap();
    assert_eq!(described.key_manager().unwrap().as_str(), "AWS");
    assert_eq!(target().await.as_deref(), Some(described.key_id()));
    let arn = format!("arn:aws:kms:{EAST}:{ACCOUNT}:alias/aws/s3");
    let again = kms.describe_key().key_id(arn).send().await.unwrap();
    assert_eq!(again.key_metadata().unwrap().key_id(), described.key_id());
    let rotation = kms.get_key_rotation_status().key_id(described.key_id()).send().await.unwrap();
    assert!(rotation.key_rotation_enabled());
    assert!(stand.sandbox.leftovers().is_empty());
    refused! {
        "AccessDeniedException" 400 "" kms.schedule_key_deletion().key_id(described.key_id());
        "NotImplemented" 501 "the AWS managed key alias/aws/ebs" kms.describe_key().key_id("alias/aws/ebs");
        "NotFoundException" 400 "" kms.describe_key().key_id("alias/aws/unknown");
    };
}

#[tokio::test]
async fn a_refused_description_creates_no_key() {
    let stand = Stand::start().await;
    let (id, secret) = stand.user("nobody", NONE).await;
    let nobody = stand.kms_as(&id, &secret, EAST);
    let arn = format!("arn:aws:kms:{EAST}:{ACCOUNT}:alias/aws/s3");
    refused! {
        "AccessDeniedException" 400 "kms:DescribeKey" nobody.describe_key().key_id("alias/aws/s3");
        "AccessDeniedException" 400 "kms:DescribeKey" nobody.describe_key().key_id(arn);
    };
    let kms = stand.kms(EAST);
    assert!(kms.list_keys().send().await.unwrap().keys().is_empty());
    let aliases = kms.list_aliases().send().await.unwrap();
    assert!(aliases.aliases().iter().all(|alias| alias.target_key_id().is_none()));
}

#[tokio::test]
async fn specs_that_do_not_exist_are_invalid_and_those_not_modelled_are_named() {
    let stand = Stand::start().await;
    let kms = stand.kms(EAST);
    refused! {
        "ValidationException" 400 "Value 'AES_999' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set" kms.create_key().key_spec("AES_999".into());
        "ValidationException" 400 "at 'keyUsage'" kms.create_key().key_usage("OTHER".into());
        "ValidationException" 400 "at 'origin'" kms.create_key().origin("OTHER".into());
        "ValidationException" 400 "KeyUsage SIGN_VERIFY is not compatible with KeySpec SYMMETRIC_DEFAULT" kms.create_key().key_usage(KeyUsageType::SignVerify);
        "NotImplemented" 501 "RSA_2048" kms.create_key().key_spec(KeySpec::Rsa2048);
        "NotImplemented" 501 "EXTERNAL" kms.create_key().origin(OriginType::External);
    };
}
