//! `crrctl import`: writes a manifest that describes a bucket that already replicates. Writes
//! nothing to AWS. `plan` checks that the manifest matches.
//! Not for: the manifest's content (see `crate::import`).

use super::Global;
use super::objects::ImportObject;
use super::output::{self, Ended, Printer};
use super::session::{begin, connect};
use crate::events::millis;
use crate::failure::{Failure, Kind};
use crate::import::{self, Draft, Wish};
use crate::manifest::{self, BucketPlace, Login, Manifest, Origin};
use crate::names::{AccountId, Arn, BucketName, PairName, Region};
use crate::observe;
use crate::ops::{self, Input, Planned, RunContext, Session};
use crate::report::{Change, changes_beside_tags};
use crate::world::{Live, LiveBucket};
use crrctl_sandbox::Sandbox;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug, clap::Args)]
pub(super) struct ImportArgs {
    /// The source bucket
    #[arg(value_name = "BUCKET")]
    bucket: BucketName,
    /// Write into this file, instead of to stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long, requires = "out")]
    force: bool,
    /// The profile for destinations in another account
    #[arg(long, value_name = "PROFILE")]
    destination_profile: Option<String>,
    /// The role to assume for destinations in another account
    #[arg(long, value_name = "ARN")]
    destination_assume_role: Option<Arn>,
}

/// The result of an import.
struct Imported {
    draft: Draft,
    text: String,
    /// What `apply` would change apart from tags, and the failure if its plan refuses the manifest.
    changes: Vec<Change>,
    refused: Option<Failure>,
}

pub(super) async fn run(
    global: &Global,
    args: &ImportArgs,
    printer: &Printer,
    object: &mut ImportObject,
) -> Ended {
    if let Some(path) = args.out.as_ref().filter(|path| path.exists() && !args.force) {
        let message = format!("`{}` is there already", path.display());
        return Err(Failure::new(Kind::Manifest, "file-exists", message)
            .hint("`--force` writes over it; `--out` names another"));
    }
    let name = global.name.as_deref().map(PairName::new).transpose()?;
    // The bucket's Region is looked up first; every Region can answer that call.
    let home = Region::new(global.home.as_deref().unwrap_or("us-east-1"))?;
    let (mut context, sandbox) = begin(global, printer, &home, "", None, global.sandbox).await?;
    let mut calls = 0;
    let found = found(global, sandbox.as_ref(), args, name, &mut context, &mut calls);
    let (live, wish) = Box::pin(found).await?;
    let imported = planned(&context, import::draft(&live, &wish)?).await?;
    calls += context.aws.count().total();
    context.done(imported.refused.is_none(), false);
    object.pair.set(imported.draft.name.to_string());
    object.manifest.set(imported.text.clone());
    object.notes.set(imported.draft.notes.clone());
    object.changes.set(imported.changes);
    object.api_calls.set(calls);
    object.elapsed_ms.set(millis(context.started.elapsed()));
    match &args.out {
        Some(path) => {
            write(path, args.force, &imported.text)?;
            object.file.set(path.display().to_string());
            printer.text(&format!("{}\n", path.display()));
        }
        None => printer.text(&imported.text),
    }
    for note in &imported.draft.notes {
        output::say(&format!("note: {note}"));
    }
    match imported.refused {
        None => Ok(0),
        Some(failure) => {
            Err(failure.hint("the manifest is written, and `plan` refuses it until this is fixed"))
        }
    }
}

fn write(path: &PathBuf, force: bool, text: &str) -> Result<(), Failure> {
    let mut options = std::fs::OpenOptions::new();
    // Without `--force`, a file that was created in the meantime is not overwritten.
    let options =
        if force { options.create(true).truncate(true) } else { options.create_new(true) };
    let written = options.write(true).open(path).and_then(|mut it| it.write_all(text.as_bytes()));
    written.map_err(|error| {
        let message = format!("can't write `{}`: {error}", path.display());
        Failure::new(Kind::Manifest, "not-written", message)
    })
}

/// Reads everything that is live, and the user's flags about it. Destinations in another account
/// are read with the credentials that are given for them.
async fn found(
    global: &Global,
    sandbox: Option<&Sandbox>,
    args: &ImportArgs,
    name: Option<PairName>,
    context: &mut RunContext,
    calls: &mut u64,
) -> Result<(Live, Wish), Failure> {
    let region = context.unless_ending(observe::place(&context.aws, &args.bucket)).await?;
    let source = BucketPlace { region, bucket: args.bucket.clone() };
    if context.aws.home() != &source.region {
        *calls += context.aws.count().total();
        context.aws = Arc::new(connect(global, &source.region, None, sandbox).await?);
    }
    let seen = Box::pin(observe::live_source(&context.aws, &source));
    let seen = context.unless_ending(seen).await?;
    let sides = context.unless_ending(observe::live_destinations(&context.aws, &seen)).await?;
    let away = context.unless_ending(observe::foreign(&context.aws, &sides)).await?;
    let mut wish = Wish { name, ..Wish::default() };
    let mut accounts = BTreeMap::new();
    if !away.is_empty() {
        let login = login(args, &away)?;
        wish.logins = away.iter().map(|side| (side.region.clone(), login.clone())).collect();
        let skeleton = skeleton(&source, &away, &login)?;
        *calls += context.aws.count().total();
        context.aws = Arc::new(connect(global, &source.region, Some(&skeleton), sandbox).await?);
        let topology = observe::identified(&context.aws, &skeleton);
        let topology = context.unless_ending(topology).await?;
        let of = |side: &BucketPlace| {
            (side.region.clone(), topology.wanted.account_of(&side.region).clone())
        };
        accounts.extend(away.iter().map(of));
    }
    Ok((read(context, seen, &sides, &accounts).await?, wish))
}

async fn read(
    context: &RunContext,
    source: LiveBucket,
    sides: &[BucketPlace],
    accounts: &BTreeMap<Region, AccountId>,
) -> Result<Live, Failure> {
    let live = Box::pin(observe::live_all(&context.aws, source, sides, accounts));
    context.unless_ending(live).await
}

fn login(args: &ImportArgs, away: &[BucketPlace]) -> Result<Login, Failure> {
    let profile = args.destination_profile.clone();
    let login = Login { profile, assume_role: args.destination_assume_role.clone() };
    if login != Login::default() {
        return Ok(login);
    }
    let names: Vec<String> = away.iter().map(|side| format!("`{}`", side.bucket)).collect();
    let message = format!("{} is in another account, or you may not see it", names.join(", "));
    let failure = Failure::new(Kind::InTheWay, "bucket-not-ours", message);
    let failure = match away.first() {
        Some(side) => failure.in_region(&side.region),
        None => failure,
    };
    Err(failure.hint(
        "give that account's credentials: `--destination-profile` or `--destination-assume-role`",
    ))
}

/// Returns the smallest manifest that names the credentials for each Region.
fn skeleton(
    source: &BucketPlace,
    away: &[BucketPlace],
    login: &Login,
) -> Result<Manifest, Failure> {
    let destination = |side: &BucketPlace| {
        json!({"region": side.region, "bucket": side.bucket, "adopt": true, "profile": login.profile,
            "assume_role": login.assume_role})
    };
    let text = json!({
        "name": "import",
        "source": {"region": source.region, "bucket": source.bucket, "adopt": true},
        "destinations": away.iter().map(destination).collect::<Vec<_>>(),
        "key": {"kind": "none"},
    });
    Ok(manifest::parse(&text.to_string(), &Origin::Flags, None)?)
}

/// Returns what `plan` would change. If the policy proof fails with the usual profile, tries the
/// strict profile, whose proof may succeed.
async fn planned(context: &RunContext, draft: Draft) -> Result<Imported, Failure> {
    let mut strict = draft.clone();
    strict.strict = true;
    let imported = asked(context, draft).await?;
    let is_lacking = imported.refused.as_ref().is_some_and(|it| it.code == "role-lacks");
    if !is_lacking {
        return Ok(imported);
    }
    match asked(context, strict).await {
        Ok(strict) if strict.refused.is_none() => Ok(strict),
        // The strict draft is not a valid manifest, or is refused too.
        _ => Ok(imported),
    }
}

async fn asked(context: &RunContext, mut draft: Draft) -> Result<Imported, Failure> {
    let bare = draft.text();
    let manifest = manifest::parse(&bare, &Origin::Flags, None).map_err(|error| {
        Failure::new(
            Kind::Manifest,
            "not-expressible",
            format!("no manifest can say this: {error}"),
        )
    })?;
    let session = Session::part(context, Input::with_own_templates(manifest));
    let (mut changes, mut refused) = (Vec::new(), None);
    match Box::pin(ops::plan(&session)).await {
        Ok(Planned { plan, .. }) => {
            for change in changes_beside_tags(&plan) {
                let Change { kind, region, name, reason, .. } = &change;
                draft.notes.push(format!(
                    "`crrctl apply` would change {kind} of `{name}` in {region}: {reason}"
                ));
                changes.push(change);
            }
        }
        Err(failure) if matches!(failure.kind, Kind::Denied | Kind::InTheWay | Kind::Manifest) => {
            draft.notes.push(format!("`crrctl plan` refuses it: {}", failure.message));
            refused = Some(failure);
        }
        Err(failure) => return Err(failure),
    }
    let text = draft.text();
    Ok(Imported { draft, text, changes, refused })
}
