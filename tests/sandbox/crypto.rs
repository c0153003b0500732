//! KMS encrypts and decrypts: across the Regions of a key, under its context, as far as policies let
//! it.
//! Not for: grants (see `kms_grants`) and rotation (see `kms_life`).

use super::{EAST, OTHER, Stand, WEST, refused};
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use crrctl_sandbox::SECRET;

#[tokio::test(flavor = "multi_thread")]
async fn a_key_decrypts_in_every_region_what_it_encrypted_in_one() {
    let stand = Stand::start().await;
    let (primary, replica) = stand.keys().await;
    let (east, west) = (stand.kms(EAST), stand.kms(WEST));
    let secret = east
        .encrypt()
        .key_id(&primary)
        .plaintext(Blob::new("hello"))
        .encryption_context("for", "tests");
    let secret = secret.send().await.unwrap();
    assert_eq!(secret.key_id(), Some(primary.as_str()));
    let blob = secret.ciphertext_blob().unwrap().clone();
    assert!(!blob.as_ref().windows(5).any(|window| window == b"hello"));
    let opened = west.decrypt().ciphertext_blob(blob.clone()).encryption_context("for", "tests");
    let opened = opened.send().await.unwrap();
    assert_eq!(opened.plaintext().unwrap().as_ref(), b"hello");
    assert_eq!(opened.key_id(), Some(replica.as_str()));

    let single = east.create_key().send().await.unwrap();
    let single = single.key_metadata().unwrap().key_id().to_owned();
    let again =
        east.re_encrypt().ciphertext_blob(blob.clone()).source_encryption_context("for", "tests");
    let again = again.destination_key_id(&single).send().await.unwrap();
    let moved = again.ciphertext_blob().unwrap().clone();
    let opened = east.decrypt().ciphertext_blob(moved.clone()).send().await.unwrap();
    assert_eq!(opened.plaintext().unwrap().as_ref(), b"hello");

    let data = east
        .generate_data_key()
        .key_id(&primary)
        .key_spec(DataKeySpec::Aes256)
        .send()
        .await
        .unwrap();
    assert_eq!(data.plaintext().unwrap().as_ref().len(), 32);
    let opened = west
        .decrypt()
        .ciphertext_blob(data.ciphertext_blob().unwrap().clone())
        .send()
        .await
        .unwrap();
    assert_eq!(opened.plaintext(), data.plaintext());
    let hidden = east
        .generate_data_key_without_plaintext()
        .key_id(&primary)
        .number_of_bytes(7)
        .send()
        .await
        .unwrap();
    let opened = west
        .decrypt()
        .ciphertext_blob(hidden.ciphertext_blob().unwrap().clone())
        .send()
        .await
        .unwrap();
    assert_eq!(opened.plaintext().unwrap().as_ref().len(), 7);

    let (decrypt, long) =
        (|blob: &Blob| east.decrypt().ciphertext_blob(blob.clone()), "x".repeat(4097));
    let kms_only = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*","Condition":{"StringEquals":{"kms:EncryptionContext:for":"tests"}}}]}"#;
    let (id, key) = stand.user("narrow", kms_only).await;
    let narrow = stand.kms_as(&id, &key, EAST);
    narrow
        .decrypt()
        .ciphertext_blob(blob.clone())
        .encryption_context("for", "tests")
        .send()
        .await
        .unwrap();
    refused! {
        "InvalidCiphertextException" 400 "" decrypt(&blob);
        "InvalidCiphertextException" 400 "" decrypt(&blob).encryption_context("for", "others");
        "InvalidCiphertextException" 400 "" decrypt(&Blob::new("nonsense"));
        "IncorrectKeyException" 400 "" decrypt(&moved).key_id(&primary);
        "AccessDeniedException" 400 "does not exist in this Region" west.decrypt().ciphertext_blob(moved.clone());
        "AccessDeniedException" 400 "no identity-based policy allows the kms:Decrypt action" narrow.decrypt().ciphertext_blob(moved.clone());
        "AccessDeniedException" 400 "kms:Decrypt" stand.kms_as(OTHER, SECRET, EAST).decrypt().ciphertext_blob(moved.clone());
        "AccessDeniedException" 400 "kms:Encrypt" narrow.encrypt().key_id(&primary).plaintext(Blob::new("x"));
        "ValidationException" 400 "plaintext" east.encrypt().key_id(&primary).plaintext(Blob::new(long));
        "ValidationException" 400 "either number of bytes or key spec" east.generate_data_key().key_id(&primary);
        "ValidationException" 400 "numberOfBytes" east.generate_data_key().key_id(&primary).number_of_bytes(1025);
        "NotFoundException" 400 "does not exist" east.encrypt().key_id("mrk-00000000000000000000000000000000").plaintext(Blob::new("x"));
    }
    east.disable_key().key_id(&primary).send().await.unwrap();
    refused! {
        "DisabledException" 400 "is disabled." decrypt(&blob).encryption_context("for", "tests");
    }
    west.decrypt().ciphertext_blob(blob).encryption_context("for", "tests").send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_primary_can_move() {
    let stand = Stand::start().await;
    let (primary, replica) = stand.keys().await;
    let (east, west) = (stand.kms(EAST), stand.kms(WEST));
    let single = east.create_key().send().await.unwrap();
    let single = single.key_metadata().unwrap().key_id().to_owned();
    let update = |kms: &aws_sdk_kms::Client, key: &str, region: &str| {
        kms.update_primary_region().key_id(key).primary_region(region)
    };
    refused! {
        "UnsupportedOperationException" 400 "primary" update(&east, &single, WEST);
        "UnsupportedOperationException" 400 "primary" update(&west, &replica, EAST);
        "ValidationException" 400 "" update(&east, &primary, EAST);
        "NotFoundException" 400 "" update(&east, &primary, "eu-west-1");
    }
    update(&east, &primary, WEST).send().await.unwrap();
    let described = west.describe_key().key_id(&replica).send().await.unwrap();
    let family = described.key_metadata().unwrap().multi_region_configuration().unwrap().clone();
    assert_eq!(family.multi_region_key_type().unwrap().as_str(), "PRIMARY");
    assert_eq!(family.replica_keys()[0].region(), Some(EAST));
    east.disable_key().key_id(&primary).send().await.unwrap();
    refused! {
        "DisabledException" 400 "is disabled." update(&west, &replica, EAST);
        "UnsupportedOperationException" 400 "primary" east.replicate_key().key_id(&primary).replica_region("eu-west-1");
    }
}
