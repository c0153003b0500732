//! The account and the key that policy documents name: given by the user, read from AWS, or marked
//! placeholders.
//! Not for: rendering the documents (see `policy`).

use crate::aws::Aws;
use crate::cli::Global;
use crate::cli::output;
use crate::cli::session::{connect, start_sandbox};
use crate::failure::{Failure, Kind};
use crate::manifest::{Accounts, Manifest, PairKeys, Topology};
use crate::names::{AccountId, KeyId, Region};
use crate::observe::{self, Depth};
use crate::plan::rules;
use crate::policy;

#[derive(Debug, clap::Args)]
pub(super) struct ValuesArgs {
    /// The account that the documents are for; with `--key-id` no credentials are needed
    #[arg(long, value_name = "ID")]
    account: Option<AccountId>,
    /// The pair's multi-Region key
    #[arg(long, value_name = "mrk-…")]
    key_id: Option<KeyId>,
}

/// The accounts and keys that policy documents name.
pub(super) struct Values {
    pub(super) accounts: Accounts,
    pub(super) keys: PairKeys,
    /// The id of the source's key.
    pub(super) key_id: Option<String>,
    /// Whether placeholders stand for any of them.
    pub(super) are_placeholders: bool,
    /// The clients that they were read with, if they were read.
    aws: Option<Aws>,
}

impl Values {
    /// Takes the given values. Missing values are read from AWS or, if that is not possible,
    /// replaced with placeholders, which is reported.
    pub(super) async fn find(
        global: &Global,
        args: &ValuesArgs,
        manifest: &Manifest,
    ) -> Result<Self, Failure> {
        let mut account = args.account.clone().or_else(|| manifest.home_account().cloned());
        let (mut away, mut clients) = (None, None);
        let mut keys = args.key_id.clone().map(PairKeys::multi_region).unwrap_or_default();
        let mut why = "the pair's alias names no key yet".to_owned();
        if account.is_none() || !manifest.topology(&policy::some_account()?)?.knows_keys(&keys) {
            match live(global, manifest).await {
                Ok((aws, live, live_keys)) => {
                    // If the live account is not the requested account, its key is not the
                    // requested key.
                    let is_same = account.as_ref().is_none_or(|given| given == &live.home);
                    if is_same && args.key_id.is_none() {
                        keys = live_keys;
                        clients = (!global.sandbox).then_some(aws);
                    }
                    account.get_or_insert(live.home);
                    away = Some(live.away);
                }
                Err(failure) => why = failure.message,
            }
        }
        let known = account.is_some();
        let account = account.map_or_else(policy::some_account, Ok)?;
        let mut unknown: Vec<&Region> = manifest.unknown_accounts().collect();
        let mut accounts = manifest.some_accounts(&account);
        if let Some(away) = away {
            (accounts.away, unknown) = (away, Vec::new());
        }
        let topology = manifest.topology_in(&accounts)?;
        let missing = [("account", !known), ("key", !topology.knows_keys(&keys))];
        let missing = missing.into_iter().filter(|(_, is_missing)| *is_missing);
        let missing = missing.map(|(what, _)| what.to_owned());
        let unknown = unknown.into_iter().map(|region| format!("account in {region}"));
        let missing: Vec<String> = missing.chain(unknown).collect();
        let are_placeholders = !missing.is_empty();
        if are_placeholders {
            let what = missing.join(" and ");
            output::say(&format!(
                "placeholders stand for the {what} ({why}); give `--account` and `--key-id`"
            ));
        }
        let keys = topology.or_some_keys(&keys);
        let key_id = keys.id(&topology.source.region).map(ToString::to_string);
        Ok(Self { accounts, keys, key_id, are_placeholders, aws: clients })
    }

    /// Returns the pair with all that stands of it, also what the manifest no longer names. `None`
    /// if that can't be read: then the documents are for what the manifest names.
    pub(super) async fn standing(&self, manifest: &Manifest) -> Option<Topology> {
        let aws = self.aws.as_ref()?;
        let (topology, named) = observe::first_wave(aws, manifest).await.ok()?;
        let read = Box::pin(observe::second_wave(aws, &topology, named, Depth::Wanted));
        Some(rules::standing(&topology, &read.await.ok()?))
    }
}

/// Reads the accounts and keys from the sandbox or from AWS.
async fn live(global: &Global, manifest: &Manifest) -> Result<(Aws, Accounts, PairKeys), Failure> {
    let sandbox = if global.sandbox { Some(start_sandbox().await?) } else { None };
    let aws = connect(global, manifest.source_region(), Some(manifest), sandbox.as_ref()).await?;
    match observe::names(&aws, manifest).await {
        Err(failure) if failure.kind == Kind::Credentials => {
            Err(Failure { message: "there are no usable credentials".to_owned(), ..failure })
        }
        Err(failure) => Err(failure),
        Ok((accounts, keys)) => Ok((aws, accounts, keys)),
    }
}
