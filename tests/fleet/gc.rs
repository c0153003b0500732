//! `gc`: what has expired goes, whole or in parts, under the rules of `destroy`; what lives is never its prey.

use super::{FUTURE, PAST, bucket, key, role, tags};
use crate::common::{SOURCE, Stand};
use serde_json::{Value, json};

/// Makes the usual pair one whose time is over.
fn expired(stand: &Stand) {
    let _ = stand.in_process(&["apply", "--yes", "--no-probe", "--ephemeral", "1s"]).exits(0);
    until_expired(stand);
}

fn until_expired(stand: &Stand) {
    // Its date is a whole second, at most two from the apply.
    let over = std::time::Instant::now() + std::time::Duration::from_secs(20);
    loop {
        let list = stand.run(&["list", "-o", "json"]).exits(0).json();
        if list["pairs"][0]["state"] == "expired" {
            return;
        }
        assert!(std::time::Instant::now() < over, "{list}");
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
}

fn list<'a>(object: &'a Value, name: &str) -> &'a Vec<Value> {
    object[name].as_array().unwrap()
}

#[test]
fn what_has_expired_goes_when_it_is_told_to() {
    let stand = Stand::new();
    expired(&stand);
    stand.calls();
    let told = stand.run(&["gc", "-o", "json"]).exits(0).json();
    assert_eq!(told["expired"], json!(["111122223333/us-east-1/demo-111122223333-us-east-1"]));
    let text = stand.run(&["gc"]).exits(0).stdout;
    assert!(text.contains("`crrctl gc --yes` removes these: 1"), "{text}");
    assert_eq!(stand.calls()["writes"], 0, "without --yes nothing goes");

    let gone = stand.run(&["gc", "--yes", "-o", "json"]).exits(0).json();
    assert_eq!((list(&gone, "left").len(), list(&gone, "keys").len()), (0, 2), "{gone}");
    let removed: Vec<&str> =
        list(&gone, "removed").iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(
        removed.len(),
        9,
        "rules, 2 buckets, role and its policy, 2 aliases, 2 keys: {gone}"
    );
    assert_eq!(gone["removed"][0]["pair"], "demo");
    assert_eq!(stand.leftovers(), [""; 0]);

    let again = stand.run(&["gc", "--yes", "-o", "json"]).exits(0).json();
    assert_eq!((&again["removed"], &again["left"]), (&json!([]), &json!([])));
}

#[test]
fn whatever_is_left_of_a_pair_goes() {
    let stand = Stand::new();
    let of = |name| tags(name, Some(PAST));
    key(&stand, "us-east-1", &[], &of("key-only"));
    key(&stand, "us-east-1", &["us-west-2", "eu-west-1"], &of("keys-only"));
    bucket(&stand, "us-east-1", "source-only-source", &of("source-only"));
    bucket(&stand, "eu-west-1", "destination-only-eu", &of("destination-only"));
    role(&stand, "a-name-of-its-own", &of("role-only"));
    // Its primary is on its way out, its replica was forgotten, and an alias of its own name still names it.
    let id = key(&stand, "us-east-1", &["us-west-2"], &of("replica-only"));
    stand.kms("us-east-1", async |kms| {
        kms.create_alias().alias_name("alias/mine").target_key_id(&id).send().await.unwrap();
        kms.schedule_key_deletion().key_id(&id).pending_window_in_days(7).send().await.unwrap();
    });
    assert_eq!(stand.leftovers().len(), 9, "{:?}", stand.leftovers());
    let gone = stand.run(&["gc", "--yes", "-o", "json"]).exits(0).json();
    assert_eq!(list(&gone, "left").len(), 0, "{gone}");
    assert_eq!(stand.leftovers(), [""; 0]);
}

#[test]
fn what_is_not_ours_in_an_expired_pair_stays_and_says_so() {
    let stand = Stand::new();
    expired(&stand);
    stand.put_theirs("theirs");
    bucket(&stand, "eu-west-1", "alone-eu", &tags("alone", Some(PAST)));
    let before = stand.leftovers().len();
    let left = stand.run(&["gc", "--yes", "-o", "json"]).exits(9).json();
    assert_eq!(stand.leftovers().len(), before - 1, "the other pair is gone all the same");
    assert_eq!(list(&left, "left").len(), 5);
    let why = left["left"][0]["why"].as_str().unwrap();
    assert!(why.contains("theirs"), "{why}");
    assert_eq!(left["error"]["kind"], "left-behind");
}

#[test]
fn a_bucket_that_lost_its_tags_keeps_the_key() {
    let stand = Stand::new();
    expired(&stand);
    stand.s3("us-west-2", async |s3| {
        s3.delete_bucket_tagging().bucket(crate::common::DESTINATION).send().await.unwrap()
    });
    let left = stand.run(&["gc", "--yes", "-o", "json"]).exits(9).json();
    let kinds: Vec<&str> =
        list(&left, "left").iter().map(|it| it["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["s3:bucket", "kms:key", "kms:replica-key", "kms:alias", "kms:alias"]);
    assert!(!stand.leftovers().contains(&format!("arn:aws:s3:::{SOURCE}")));
}

/// Every flag against every kind of pair that lives.
#[test]
fn a_pair_that_lives_is_never_its_prey() {
    let stand = Stand::new();
    for (name, first, second) in [
        ("stays", None, None),
        ("later", Some(FUTURE), Some(FUTURE)),
        ("mixed", Some(PAST), None),
        ("half", Some(PAST), Some(FUTURE)),
        ("unreadable", Some(PAST), Some("tomorrow")),
    ] {
        bucket(&stand, "us-east-1", &format!("{name}-source"), &tags(name, first));
        key(&stand, "us-east-1", &["us-west-2"], &tags(name, second));
        role(&stand, name, &tags(name, first));
    }
    // The same name in another place is another pair; another account's is not ours to judge.
    let mut other = tags("twin", Some(PAST));
    other[1].1 = "444455556666/us-east-1/twin-source".to_owned();
    bucket(&stand, "us-west-2", "twin-destination", &other);
    let alive = stand.leftovers();
    assert_eq!(alive.len(), 21, "{alive:?}");
    let (here, elsewhere) = (["--regions", "us-east-1"], ["--regions", "us-west-2,eu-west-1"]);
    let (its, others) = (["--name-prefix", "twin"], ["--name-prefix", "m"]);
    // What each combination may take: the one pair beside them that has expired.
    for (flags, prey) in [
        (vec![], 0),
        (vec![&here[..], &its], 0),
        (vec![&["--yes"][..]], 1),
        (vec![&["--yes"], &here[..]], 1),
        (vec![&["--yes"], &elsewhere[..]], 0),
        (vec![&["--yes"], &its[..]], 1),
        (vec![&["--yes"], &others[..]], 0),
        (vec![&["--yes"], &here, &its[..]], 1),
        (vec![&["--yes"], &here, &others[..]], 0),
    ] {
        bucket(&stand, "us-east-1", "twin-source", &tags("twin", Some(PAST)));
        let args = [&["gc", "-o", "json"], &flags.concat()[..]].concat();
        let gone = stand.run(&args).exits(0).json();
        assert_eq!(list(&gone, "removed").len(), prey, "{args:?}: {gone}");
        if prey == 0 {
            stand.s3("us-east-1", async |s3| {
                s3.delete_bucket().bucket("twin-source").send().await.unwrap()
            });
        }
        assert_eq!(stand.leftovers(), alive, "{args:?}");
    }
}

/// Keys of each kind go with their pair, in every Region; those that existed before it stay.
#[test]
fn keys_of_every_kind_go_or_stay_with_an_expired_pair() {
    for kind in ["per-region", "existing", "none"] {
        let stand = Stand::new();
        let id = key(&stand, "us-east-1", &["us-west-2"], &[("team".into(), "a".into())]);
        let before = stand.leftovers();
        let arns = match kind {
            "existing" => format!(
                ", arns: [\"arn:aws:kms:us-east-1:111122223333:key/{id}\", \"arn:aws:kms:us-west-2:111122223333:key/{id}\"]"
            ),
            _ => String::new(),
        };
        let manifest = format!(
            "name: demo\nsource: {{region: us-east-1}}\ndestinations: [{{region: us-west-2}}]\nkey: {{kind: {kind}{arns}}}\n"
        );
        let apply = ["apply", "--yes", "--no-probe", "--ephemeral", "1s"];
        let _ = stand.in_process_with(&apply, &manifest).exits(0);
        until_expired(&stand);
        let gone = stand.run(&["gc", "--yes", "-o", "json"]).exits(0).json();
        let keys = if kind == "per-region" { 2 } else { 0 };
        assert_eq!(list(&gone, "keys").len(), keys, "{kind}: {gone:#}");
        assert_eq!(stand.leftovers(), before, "{kind}");
    }
}
