//! Identifies the accounts that the credentials of the sides belong to.
//! Not for: where the credentials come from (see `manifest`).

use crate::aws::{At, Aws};
use crate::failure::{Failure, Kind};
use crate::joined;
use crate::manifest::{Accounts, KeyKind, KeyWish, Login, Manifest, Side, Topology};
use crate::names::{AccountId, Region};
use std::collections::BTreeMap;

/// Reads the account of each of the pair's credentials and sets it as the expected bucket owner of
/// S3 requests.
pub(crate) async fn identified(aws: &Aws, manifest: &Manifest) -> Result<Topology, Failure> {
    asked(aws, manifest, None).await
}

/// Like [`identified`], without the source's credentials: its account is `home`.
pub(crate) async fn identified_without(
    aws: &Aws,
    manifest: &Manifest,
    home: &AccountId,
) -> Result<Topology, Failure> {
    asked(aws, manifest, Some(home)).await
}

async fn asked(
    aws: &Aws,
    manifest: &Manifest,
    home: Option<&AccountId>,
) -> Result<Topology, Failure> {
    let mut regions = aws.callers();
    // The credentials for a Region whose own credentials are not available do not identify its
    // account. If `home` is given, the account of every caller except the source's is read.
    let is_asked = |region: &Region| match home {
        None => aws.guest_of(region).is_none(),
        Some(_) => region != aws.home(),
    };
    regions.retain(|region| is_asked(region));
    let found = joined::all(regions.iter().map(|region| of_region(aws, manifest, region))).await?;
    for (region, account) in regions.iter().zip(&found) {
        aws.expect_owner(region, account);
    }
    let home = home.or(found.first()).cloned();
    let home =
        home.ok_or_else(|| Failure::new(Kind::Credentials, "NoCredentials", "nobody was asked"))?;
    let mut away = BTreeMap::new();
    for region in aws.away() {
        let known = regions.iter().zip(&found).find(|(it, _)| aws.same_caller(it, region));
        let guest_of = aws.guest_of(region).filter(|_| known.is_none());
        let account = known.map(|(_, account)| account).or(guest_of);
        away.extend(account.map(|account| (region.clone(), account.clone())));
        if let Some(account) = guest_of {
            aws.expect_owner(region, account);
        }
        let account = away.get(region).unwrap_or(&home);
        matches(manifest.away().get(region).and_then(|it| it.account.as_ref()), account, region)?;
    }
    matches(manifest.home_account(), &home, aws.home())?;
    let handed_over = aws.away().filter(|it| aws.guest_of(it).is_some()).cloned().collect();
    let topology = manifest.topology_with(&Accounts { home, away }, &handed_over)?;
    share_keys(&topology)?;
    one_way_to_others(&topology)?;
    Ok(topology)
}

/// Makes every S3 request in `region` expect the account of its credentials as the bucket owner, or
/// the account that the credentials have cross-account access to.
pub(crate) async fn expect_owner(
    aws: &Aws,
    manifest: &Manifest,
    region: &Region,
) -> Result<(), Failure> {
    let account = match aws.guest_of(region) {
        Some(account) => account.clone(),
        None => of_region(aws, manifest, region).await?,
    };
    aws.expect_owner(region, &account);
    Ok(())
}

/// Returns the account that the source's credentials belong to.
pub(crate) async fn account(aws: &Aws) -> Result<AccountId, Failure> {
    let home = aws.home();
    let identity =
        aws.sts(home).get_caller_identity().send().await.at("sts:GetCallerIdentity", home)?;
    aws.identified(home, identity.arn());
    Ok(AccountId::new(identity.account().unwrap_or_default())?)
}

/// The failure code if a destination's own credentials do not work.
pub(crate) const AWAY: &str = "away-credentials";

async fn of_region(aws: &Aws, manifest: &Manifest, region: &Region) -> Result<AccountId, Failure> {
    let identity = aws.sts(region).get_caller_identity().send().await;
    let identity = identity.at("sts:GetCallerIdentity", region).map_err(|error| {
        let login = aws.login(region);
        if *login == Login::default() {
            return Failure::from(error);
        }
        let side = if region == manifest.source_region() {
            "the source".to_owned()
        } else {
            format!("the destination in {region}")
        };
        let message = format!("the credentials of {side} ({login}) do not work: {error}");
        let failure = Failure { message, ..Failure::from(error) };
        if region == manifest.source_region() {
            return failure;
        }
        let failure = Failure { code: AWAY.to_owned(), region: Some(region.clone()), ..failure };
        failure.hint(format!(
            "for the owner of that account: `crrctl policy render destination-bucket.{region}` and `key.{region}` print what it must allow, and `crrctl check --side destination` looks whether it does"
        ))
    })?;
    aws.identified(region, identity.arn());
    Ok(AccountId::new(identity.account().unwrap_or_default())?)
}

/// Checks the account that the manifest names.
fn matches(wanted: Option<&AccountId>, found: &AccountId, region: &Region) -> Result<(), Failure> {
    let Some(wanted) = wanted.filter(|wanted| *wanted != found) else { return Ok(()) };
    let message = format!(
        "the credentials for {region} are of account {found}, and the manifest says {wanted}"
    );
    Err(Failure::new(Kind::Credentials, "wrong-account", message)
        .in_region(region)
        .hint("choose other credentials with `profile` or `assume_role`, or correct `account`"))
}

/// Refuses a two-way pair if a destination's credentials are not available: its role and rules must
/// be created in its own account.
fn one_way_to_others(topology: &Topology) -> Result<(), Failure> {
    let Some(side) = topology.handed_over().next().filter(|_| topology.is_two_way()) else {
        return Ok(());
    };
    let account = &side.account;
    let message = format!(
        "{} replicates back by a role and rules of account {account}, whose credentials are not named",
        side.region
    );
    Err(Failure::new(Kind::Manifest, "two-way-handed-over", message)
        .in_region(&side.region)
        .hint("give the destination a `profile` or `assume_role`, or make it one way"))
}

/// The AWS managed key that S3 creates in each account that uses KMS without naming a key.
const AWS_MANAGED: &str = "alias/aws/s3";

/// Refuses keys that can't be used across accounts. A multi-Region key can't leave its account:
/// `ReplicateKey` has no cross-account use (KMS API Reference, `ReplicateKey`).
fn share_keys(topology: &Topology) -> Result<(), Failure> {
    let managed = |side: &&Side| match &side.key {
        KeyWish::Existing(key) => topology.is_foreign(side) && key.as_str() == AWS_MANAGED,
        _ => false,
    };
    if let Some(side) = topology.destinations.iter().find(managed) {
        // S3 User Guide, "Replicating encrypted objects": across accounts the key must be a
        // customer managed key.
        let message =
            format!("`{AWS_MANAGED}` in {} can't be used by another account", side.region);
        return Err(Failure::new(Kind::Manifest, "key-across-accounts", message)
            .in_region(&side.region)
            .hint("give the destination a customer managed key of its account"));
    }
    let shares = |side: &&Side| topology.is_foreign(side) && side.has_own_key();
    let is_shared = topology.wanted.key.kind == KeyKind::MultiRegion;
    let Some(side) = topology.destinations.iter().find(shares).filter(|_| is_shared) else {
        return Ok(());
    };
    let message = format!(
        "{} is in account {} and the source in {}: a multi-Region key has its replicas in its own account",
        side.region, &side.account, topology.source.account
    );
    Err(Failure::new(Kind::Manifest, "key-across-accounts", message)
        .in_region(&side.region)
        .hint("use `key: {kind: per-region}`: each account then has a key of its own")
        .hint("or give the destination a `key` of its account, or use `key: {kind: none}`"))
}
