//! The process ends at a call while changes take their time to show, and the next run begins at once.
//! Not for: ends where every change shows at once (see `crashes`).

use super::machines::{Ended, World, each, is_thorough, stride};
use crate::common::{DESTINATION, SOURCE, s3};
use aws_sdk_s3::types as t;
use crrctl_sandbox::{Lag, Options};
use std::sync::Mutex;
use std::time::Duration;

const APPLY: [&str; 2] = ["apply", "--yes"];
const BUILD: [&str; 3] = ["apply", "--yes", "--no-probe"];
const REVIVE: [&str; 4] = ["apply", "--yes", "--no-probe", "--revive-keys"];
const DESTROY: [&str; 2] = ["destroy", "--yes"];

/// Each draws another lag.
const SEEDS: [u64; 3] = [1, 2, 3];

/// The usual pair with a notification and an alarm, whose buckets others made and write to, so that its
/// rules are proven first.
const ADOPTED: &str = "name: demo\nsource: {region: us-east-1, adopt: true}\n\
    destinations: [{region: us-west-2, adopt: true}]\n\
    replication: {alerts: {sqs: 'arn:aws:sqs:us-east-1:111122223333:alerts'}, \
    alarm: {sns: 'arn:aws:sns:us-east-1:111122223333:alerts'}}\n";

/// How long a change to the tags of a bucket may take to show here.
const SHOWS: Duration = Duration::from_secs(10);

fn late(seed: u64) -> Options {
    Options { lag: Lag::Aws, hurry: 20, seed: Some(seed), ..Options::default() }
}

/// Ends `args` at every call of every world, or at every `usual`th, with another first call for each
/// world. The last call is performed, as in `crashes`. Runs `next` on what is left.
fn at_calls(
    name: &str,
    worlds: &[World],
    args: &[&str],
    usual: usize,
    next: impl Fn(&World, &str) + Sync,
) {
    let (stride, wrong) = (stride(usual), Mutex::new(Vec::new()));
    let cases = Mutex::new(0);
    for (seed, world) in worlds.iter().enumerate() {
        let _ = each(if is_thorough() { 12 } else { 6 }, |n| {
            let call = n * stride + seed * stride / worlds.len();
            let world = world.fork();
            world.faults([
                format!("*:*:lost-reply:after={call}:times=1"),
                format!("*:*:hang:after={}", call + 1),
            ]);
            if let Some(ended) = world.run_until_struck(args) {
                ended.exits(0, &format!("{name} without an end"));
                return false;
            }
            world.unconnected();
            world.faults([]);
            *cases.lock().unwrap() += 1;
            let when = format!("{name} with lag {seed} ended after call {call}");
            let caught = std::panic::AssertUnwindSafe(|| next(&world, &when));
            if std::panic::catch_unwind(caught).is_err() {
                wrong.lock().unwrap().push(when);
            }
            true
        });
    }
    let (cases, wrong) = (cases.into_inner().unwrap(), wrong.into_inner().unwrap());
    println!("{name}: ended at {cases} calls under lag");
    assert!(wrong.is_empty(), "{} of {cases}: {wrong:#?}", wrong.len());
    assert!(cases > 5, "{cases}");
}

/// A key of which one part is pending deletion is brought back only on request.
fn built_again(world: &World, when: &str) {
    let again = world.run(&BUILD);
    if again.code != 0 && again.object["error"]["code"] == "key-pending-deletion" {
        world.run(&REVIVE).exits(0, when);
    } else {
        again.exits(0, when);
    }
}

fn emptied(world: &World, run: impl Fn() -> Ended, when: &str) {
    run().exits(0, when);
    world.is_empty(when);
}

#[test]
fn an_apply_that_ends_anywhere_is_gone_on_with_at_once() {
    let worlds = SEEDS.map(|seed| World::with(late(seed)));
    at_calls("apply", &worlds, &APPLY, 21, |world, when| {
        let other = world.fork();
        emptied(&other, || other.run(&DESTROY), &format!("destroy, {when}"));
        let proof = if is_thorough() { &APPLY[..] } else { &BUILD[..] };
        world.run(proof).exits(0, &format!("apply, {when}"));
        emptied(world, || world.run(&DESTROY), &format!("destroy at the end, {when}"));
    });
}

#[test]
fn a_destroy_that_ends_anywhere_is_gone_on_with_at_once() {
    let worlds = SEEDS.map(|seed| {
        let world = World::with(late(seed));
        world.run(&BUILD).exits(0, "the pair");
        world
    });
    at_calls("destroy", &worlds, &DESTROY, 18, |world, when| {
        let other = world.fork();
        built_again(&other, &format!("apply, {when}"));
        emptied(
            &other,
            || other.run(&DESTROY),
            &format!("destroy of what was built again, {when}"),
        );
        emptied(world, || world.run(&DESTROY), &format!("destroy, {when}"));
    });
}

/// Makes a bucket as its owner has it, with an object of theirs.
pub(super) fn theirs(world: &World, region: &str, name: &str) {
    let s3 = s3(world.endpoint(), region);
    let place = (region != "us-east-1").then(|| t::BucketLocationConstraint::from(region));
    let place = t::CreateBucketConfiguration::builder().set_location_constraint(place).build();
    world.by_hand(async {
        s3.create_bucket().bucket(name).create_bucket_configuration(place).send().await.unwrap();
        let body = aws_sdk_s3::primitives::ByteStream::from_static(b"a");
        s3.put_object().bucket(name).key("theirs").body(body).send().await.unwrap();
    });
}

/// Returns the keys of all object versions in a bucket, and of its unfinished uploads.
fn keys(world: &World, region: &str, name: &str) -> Vec<String> {
    let s3 = s3(world.endpoint(), region);
    world.by_hand(async {
        let all = s3.list_object_versions().bucket(name).send().await.unwrap();
        let uploads = s3.list_multipart_uploads().bucket(name).send().await.unwrap();
        let versions = all.versions().iter().map(|it| it.key().unwrap().to_owned());
        let markers = all.delete_markers().iter().map(|it| it.key().unwrap().to_owned());
        let uploads = uploads.uploads().iter().map(|it| it.key().unwrap().to_owned());
        versions.chain(markers).chain(uploads).collect()
    })
}

/// Nothing of the pair stays in buckets that others made: no probe, no tag, no rule. The keys stay,
/// since what was written meanwhile is under them.
#[test]
fn an_apply_of_adopted_buckets_that_ends_anywhere_leaves_nothing_of_the_pair() {
    let worlds = SEEDS.map(|seed| {
        let world = World::of(ADOPTED, late(seed));
        theirs(&world, "us-east-1", SOURCE);
        theirs(&world, "us-west-2", DESTINATION);
        crate::alerts::put_targets(&world.sandbox);
        world
    });
    at_calls("apply of adopted buckets", &worlds, &APPLY, 33, |world, when| {
        world.run_in_fast_time(&APPLY).exits(0, &format!("apply, {when}"));
        world.run_in_fast_time(&DESTROY).exits(0, &format!("destroy, {when}"));
        let left = world.leftovers();
        let kept = |arn: &&String| {
            [":s3:::", ":kms:", ":sns:", ":sqs:"].iter().any(|part| arn.contains(part))
        };
        let left: Vec<_> = left.iter().filter(|arn| !kept(arn)).collect();
        assert!(left.is_empty(), "{when}: {left:?}");
        for (region, name) in [("us-east-1", SOURCE), ("us-west-2", DESTINATION)] {
            assert_eq!(keys(world, region, name), ["theirs"], "{when}");
            let s3 = s3(world.endpoint(), region);
            let rules = world.by_hand(s3.get_bucket_replication().bucket(name).send());
            assert!(rules.is_err(), "{when}: {rules:?}");
            let told = s3.get_bucket_notification_configuration().bucket(name).send();
            let told = world.by_hand(told).unwrap();
            assert!(told.queue_configurations().is_empty(), "{when}: {told:?}");
            // That the tags are gone shows late.
            let tagged = async || s3.get_bucket_tagging().bucket(name).send().await.ok();
            let bare = async { while tagged().await.is_some() {} };
            let bare = world.by_hand(async { tokio::time::timeout(SHOWS, bare).await });
            assert!(bare.is_ok(), "{when}: {name} has tags of the pair");
        }
    });
}
