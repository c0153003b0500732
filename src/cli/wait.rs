//! `crrctl wait`: waits for the replication of any object. It requires no manifest; if a manifest
//! names the object's bucket, that side's Region and credentials are used.
//! Not for: fresh objects that crrctl uploads (see `probe`).

use super::Global;
use super::objects::WaitObject;
use super::output::{Ended, Printer};
use super::session::{Inputs, begin, read_or_find};
use crate::names::{BucketName, Region};
use crate::observe;
use crate::probe::{self, WaitedObject};
use crate::report::{self, tables};
use crate::units::format_duration;
use clap::ValueEnum;
use clap::builder::NonEmptyStringValueParser;
use std::time::Duration;

#[derive(Debug, clap::Args)]
pub(super) struct WaitArgs {
    /// The object, such as `s3://orders-src/2026/05/order.json`
    #[arg(value_name = "s3://BUCKET/KEY", value_parser = uri)]
    object: Uri,
    /// The version; else the one that is current now
    #[arg(long, value_name = "ID", value_parser = NonEmptyStringValueParser::new())]
    version_id: Option<String>,
    /// What to wait for
    #[arg(long = "for", value_enum, default_value_t = WaitFor::Completed)]
    wanted: WaitFor,
}

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WaitFor {
    /// COMPLETED at every destination, or the object is itself a replica
    Completed,
}

/// A bucket and a key.
#[derive(Debug, Clone)]
pub(super) struct Uri {
    pub(super) bucket: BucketName,
    pub(super) key: String,
}

pub(super) fn uri(text: &str) -> Result<Uri, String> {
    let form = "an object is named like `s3://BUCKET/KEY`";
    let (bucket, key) =
        text.strip_prefix("s3://").and_then(|rest| rest.split_once('/')).ok_or(form)?;
    if key.is_empty() {
        return Err(form.to_owned());
    }
    let bucket = BucketName::new(bucket).map_err(|error| error.to_string())?;
    Ok(Uri { bucket, key: key.to_owned() })
}

pub(super) async fn run(
    global: &Global,
    args: &WaitArgs,
    printer: &Printer,
    object: &mut WaitObject,
) -> Ended {
    let WaitFor::Completed = args.wanted;
    // The bucket's Region is looked up first; every Region can answer that call.
    let manifest = match read_or_find(global, false).await.and_then(Inputs::one) {
        Ok(input) => Some(input.manifest),
        Err(failure) if global.names_a_pair() => return Err(failure),
        // The default manifest is optional here: if it is missing or invalid, it is ignored.
        Err(_) => None,
    };
    let bucket = args.object.bucket.as_str();
    let told = manifest.as_ref().and_then(|it| Some((it, it.region_of_bucket(bucket)?.clone())));
    let home = match &told {
        Some((manifest, _)) => manifest.source_region().clone(),
        None => Region::new(global.home.as_deref().unwrap_or("us-east-1"))?,
    };
    let named = told.as_ref().map(|(manifest, _)| *manifest);
    let (context, _sandbox) = begin(global, printer, &home, "", named, global.sandbox).await?;
    if let Some((manifest, region)) = &told {
        context.unless_ending(observe::expect_owner(&context.aws, manifest, region)).await?;
    }
    let looked_at = WaitedObject {
        bucket: args.object.bucket.clone(),
        key: args.object.key.clone(),
        version_id: args.version_id.clone(),
        region: told.map(|(_, region)| region),
    };
    let at_most = global.timeout.unwrap_or(Duration::from_mins(20));
    let (waited, failure) =
        probe::wait(&context.aws, looked_at, at_most, &context.events, &context.stop).await;
    context.done(failure.is_none(), false);
    if let Some(waited) = waited {
        if failure.is_none() {
            let took = format_duration(Duration::from_millis(waited.elapsed_ms));
            let key = report::inline(&waited.object.key);
            printer.text(&tables::verdict(&format!("{key} is {} after {took}", waited.status)));
        }
        object.object.set(waited.object);
        object.status.set(waited.status);
        object.elapsed_ms.set(waited.elapsed_ms);
    }
    failure.map_or(Ok(0), Err)
}
