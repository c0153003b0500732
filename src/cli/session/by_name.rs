//! Finds a pair by its name alone: by the tags of its resources, and by what is live of it.
//! Not for: pairs that a manifest or flags describe (see `input`).

use super::super::Global;
use super::connect;
use super::input::Inputs;
use crate::aws::{self, Aws};
use crate::failure::{Failure, Kind};
use crate::import::{self, Wish};
use crate::manifest::{self, BucketPlace, Origin};
use crate::names::{BucketName, PairName, Region};
use crate::observe::{self, Scope};
use crate::ops::Input;
use crate::plan::fleet::{Pair, pairs};
use std::collections::BTreeMap;

/// Reads the input, or, if the flags give a name alone, finds the pair of this name.
pub(in crate::cli) async fn read_or_find(
    global: &Global,
    in_sandbox: bool,
) -> Result<Inputs, Failure> {
    let alone = global.file.is_none() && global.source.is_none() && global.destination.is_empty();
    match &global.name {
        Some(name) if alone => {
            let name = PairName::new(name.as_str())?;
            let found = find(global, in_sandbox, &name);
            tokio::select! {
                biased;
                () = global.stop.ending() => Err(global.stop.failure_while("looking for the pair")),
                found = Box::pin(found) => found.map(|input| Inputs::One(Box::new(input))),
            }
        }
        _ => Inputs::read(global, in_sandbox),
    }
}

async fn find(global: &Global, in_sandbox: bool, name: &PairName) -> Result<Input, Failure> {
    if in_sandbox {
        let message = format!("there is no pair `{name}`: a fresh sandbox is empty");
        return Err(Failure::new(Kind::Manifest, "pair-not-found", message)
            .hint("`crrctl sandbox -- sh` gives a sandbox that lasts as long as the shell"));
    }
    let home = match aws::region(global.profile.as_deref()).await {
        Some(home) => home,
        None => Region::new("us-east-1")?,
    };
    let aws = connect(global, &home, None, None).await?;
    let scope = Scope { also: [home].into(), ..Scope::default() };
    let (all, _) = pairs(observe::fleet(&aws, &scope, &|_, _| {}).await?.things);
    let pair = the_one(all, name)?;
    let aws = connect(global, &pair.source.region, None, None).await?;
    described(&aws, &pair.source, Some(pair.name)).await
}

/// Finds the pair that `bucket` is the source of, by what is live of it.
pub(in crate::cli) async fn find_by_bucket(
    global: &Global,
    bucket: &BucketName,
) -> Result<Input, Failure> {
    let found = async {
        let aws = connect(global, &Region::us_east_1(), None, None).await?;
        let region = observe::place(&aws, bucket).await?;
        let aws = connect(global, &region, None, None).await?;
        described(&aws, &BucketPlace { region, bucket: bucket.clone() }, None).await
    };
    tokio::select! {
        biased;
        () = global.stop.ending() => Err(global.stop.failure_while("looking for the pair")),
        found = Box::pin(found) => found,
    }
}

/// Returns the pair of this name, if there is one alone.
fn the_one(all: Vec<Pair>, name: &PairName) -> Result<Pair, Failure> {
    let mut named: Vec<Pair> = all.into_iter().filter(|pair| pair.name == *name).collect();
    match (named.pop(), named.as_slice()) {
        (Some(pair), []) => Ok(pair),
        (None, _) => {
            let message = format!("no resource of the account has the tags of a pair `{name}`");
            Err(Failure::new(Kind::Manifest, "pair-not-found", message)
                .hint("`crrctl list` lists the pairs; the account or the profile may be another"))
        }
        (Some(last), others) => {
            let sources = others.iter().chain([&last]).map(|pair| &pair.source);
            let sources: Vec<String> =
                sources.map(|it| format!("`{}` in {}", it.bucket, it.region)).collect();
            let message =
                format!("there are {} pairs `{name}`: {}", sources.len(), sources.join(", "));
            Err(Failure::new(Kind::Manifest, "pair-ambiguous", message)
                .hint("say which: `--source REGION:BUCKET --destination REGION`, or a manifest"))
        }
    }
}

/// Returns the manifest of what is live of a pair.
async fn described(
    aws: &Aws,
    source: &BucketPlace,
    name: Option<PairName>,
) -> Result<Input, Failure> {
    let hint = "give its manifest with `--file`, or `--source` and `--destination`";
    let source = Box::pin(observe::live_source(aws, source)).await;
    let source = source.map_err(|failure| failure.hint(hint))?;
    let sides = observe::live_destinations(aws, &source).await?;
    if let Some(side) = observe::foreign(aws, &sides).await?.first() {
        let message = format!(
            "`{}`, a destination of `{}`, is in another account, whose credentials no tag names",
            side.bucket, source.name
        );
        return Err(Failure::new(Kind::Manifest, "pair-in-part", message).hint(hint));
    }
    let live = Box::pin(observe::live_all(aws, source, &sides, &BTreeMap::new())).await?;
    let wish = Wish { name, ..Wish::default() };
    let draft = import::draft(&live, &wish).map_err(|failure| failure.hint(hint))?;
    let manifest = manifest::parse(&draft.text(), &Origin::Flags, None)?;
    Input::of(manifest)
}
