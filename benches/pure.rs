//! What crrctl computes before it calls anybody: manifests, documents, proofs, evaluation and plans, for one pair and for a thousand.
//!
//! ```sh
//! cargo bench --bench pure              # all
//! cargo bench --bench pure -- prove     # what has `prove` in its name
//! ```
//!
//! Not for: what waits for answers (see `tests/peers/bench`).

#![expect(clippy::unwrap_used, reason = "what can't be set up ends the benchmark")]
#![allow(missing_docs, reason = "criterion's macros make public functions")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use crrctl::manifest::{Manifest, Origin, PairKeys, Pairs, Topology, parse_pairs};
use crrctl::names::{AccountId, KeyId};
use crrctl::plan;
use crrctl::policy::{Document, Templates, render};
use crrctl::world::{Batch, Keys, Others, World};
use crrctl_iam::{self as iam, Context, Named, Policies, Principal, Request};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;

const SIZES: [usize; 2] = [1, 1000];

fn account() -> AccountId {
    AccountId::new("111122223333").unwrap()
}

fn keys() -> PairKeys {
    PairKeys::multi_region(KeyId::new("mrk-0123456789abcdef0123456789abcdef").unwrap())
}

fn text(pairs: usize) -> String {
    let mut text =
        "source: {region: us-east-1}\ndestinations: [{region: us-west-2}]\npairs:\n".to_owned();
    for n in 0..pairs {
        writeln!(text, "  - name: p{n:04}").unwrap();
    }
    text
}

fn parsed(text: &str) -> Vec<Manifest> {
    match parse_pairs(text, &Origin::Stdin, None, &[]).unwrap() {
        Pairs::Many(fleet) => fleet.pairs,
        Pairs::One(pair) => vec![*pair],
    }
}

fn topologies(pairs: usize) -> Vec<Topology> {
    parsed(&text(pairs)).iter().map(|pair| pair.topology(&account()).unwrap()).collect()
}

fn nothing() -> World {
    World {
        account: account(),
        keys: Keys::default(),
        buckets: BTreeMap::new(),
        role: None,
        reverse_roles: BTreeMap::new(),
        shared_role: None,
        reverse_shared_roles: BTreeMap::new(),
        others: Others::default(),
        batch: Batch::default(),
        log_targets: std::collections::BTreeMap::new(),
        alert_target: None,
        alarm_topics: BTreeMap::new(),
        alarms: Vec::new(),
    }
}

/// Each document of a pair that stands: the role's, the keys', the buckets'.
fn documents(topology: &Topology) -> Vec<Value> {
    let mut documents = vec![Document::ReplicationRole, Document::ReplicationRoleTrust];
    for side in topology.sides() {
        documents.push(Document::Key(side.region.clone()));
        documents.push(Document::of_bucket(side, topology));
    }
    let templates = Templates::default();
    documents.iter().map(|it| render(it, topology, &keys(), &templates).unwrap()).collect()
}

fn pure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("pure");
    group.sample_size(10);
    for size in SIZES {
        group.throughput(Throughput::Elements(size as u64));
        let (text, pairs) = (text(size), topologies(size));
        group.bench_function(BenchmarkId::new("parse", size), |bench| {
            bench.iter(|| parsed(black_box(&text)).len());
        });
        group.bench_function(BenchmarkId::new("render", size), |bench| {
            bench.iter(|| pairs.iter().map(|pair| documents(pair).len()).sum::<usize>());
        });
        group.bench_function(BenchmarkId::new("plan", size), |bench| {
            let (nothing, templates) = (nothing(), Templates::default());
            bench.iter(|| {
                let plan = |pair| plan::build(pair, &nothing, &templates).unwrap().actions.len();
                pairs.iter().map(plan).sum::<usize>()
            });
        });
        group.bench_function(BenchmarkId::new("prove", size), |bench| {
            let (nothing, templates) = (nothing(), Templates::default());
            bench.iter(|| {
                let prove = |pair| plan::prove(pair, &nothing, &templates).unwrap().rows.len();
                pairs.iter().map(prove).sum::<usize>()
            });
        });
    }
    group.finish();
}

/// One call by one role, as the proof and the sandbox decide thousands of.
fn evaluate(criterion: &mut Criterion) {
    let topology = topologies(1).remove(0);
    let text = render(&Document::ReplicationRole, &topology, &keys(), &Templates::default());
    let document = iam::Document::parse(&text.unwrap()).unwrap();
    let (role, session) = (topology.role_arn(), "s3-replication".to_owned());
    let principal = Principal::RoleSession { role, session, id: None };
    let object = format!("arn:aws:s3:::{}/key", topology.source.bucket);
    let action = "s3:GetObjectVersionForReplication";
    let request = Request::new(principal, action, object, account(), Context::new());
    let policies = Policies {
        identity: vec![Named { name: "role policy", document: &document }],
        ..Policies::default()
    };
    assert!(iam::evaluate(&request, &policies).is_allowed());
    criterion.bench_function("evaluate", |bench| {
        bench.iter(|| iam::evaluate(black_box(&request), black_box(&policies)));
    });
}

criterion_group!(benches, pure, evaluate);
criterion_main!(benches);
