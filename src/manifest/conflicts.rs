//! Refuses two pairs of one manifest that share a name, a bucket, a role, or an alias. Each pair
//! owns its resources, so the second pair would find a resource that is not its own.
//! Not for: validating a single pair (see `check`).

use super::error::Located;
use super::login::Login;
use super::topology::{Manifest, Placed};
use crate::names::AccountId;
use serde_saphyr::Location;
use std::collections::BTreeMap;

/// A resource, identified without the account id.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Thing<'a> {
    Name(&'a str),
    /// Bucket names are globally unique (S3 User Guide, "General purpose bucket naming rules"). A
    /// name with `{account}` depends on the credentials, so it is compared together with them.
    Bucket(&'a str, Option<&'a Login>),
    /// Role names are unique within an account.
    Role(&'a str, &'a Login),
    /// Aliases are unique within an account and Region.
    Alias(&'a str, &'a str, &'a Login),
}

/// Refuses resources that two pairs share. Each pair comes with the position of its entry.
pub(super) fn refuse(pairs: &[(Location, Manifest)]) -> Result<(), Located> {
    let mut taken: BTreeMap<Thing<'_>, usize> = BTreeMap::new();
    for (index, (at, pair)) in pairs.iter().enumerate() {
        for (key, thing) in things(pair) {
            let (what, hint) = told(&thing);
            let Some(other) = taken.insert(thing, index).filter(|other| *other != index) else {
                continue;
            };
            return Err(shared(pairs, (index, *at), key, other, &what).hint(hint));
        }
    }
    refuse_filled_in(pairs)
}

fn shared(
    pairs: &[(Location, Manifest)],
    (index, at): (usize, Location),
    key: &str,
    other: usize,
    what: &str,
) -> Located {
    let first = pairs[other].1.name();
    let message = format!("{what} of `pairs[{other}]` (`{first}`) too");
    Located::at(at, format!("pairs[{index}].{key}"), message)
}

/// Returns whether `name` is `pattern` with an account id in place of `{account}`.
pub(super) fn is_filled_in(pattern: &str, name: &str) -> bool {
    let Some((head, tail)) = pattern.split_once("{account}") else { return false };
    let account = name.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail));
    account.is_some_and(|it| AccountId::new(it).is_ok())
}

/// Refuses a bucket that one pair names with its account id, and another with `{account}`.
fn refuse_filled_in(pairs: &[(Location, Manifest)]) -> Result<(), Located> {
    let named = |(index, (at, pair)): (usize, &(Location, Manifest))| {
        let buckets = things(pair).into_iter().filter_map(|(key, thing)| match thing {
            Thing::Bucket(bucket, of_account) => {
                Some((key, bucket.to_owned(), of_account.is_some()))
            }
            Thing::Name(_) | Thing::Role(..) | Thing::Alias(..) => None,
        });
        let at = *at;
        buckets
            .map(move |(key, bucket, is_open)| (index, at, key, bucket, is_open))
            .collect::<Vec<_>>()
    };
    let (open, given): (Vec<_>, Vec<_>) =
        pairs.iter().enumerate().flat_map(named).partition(|(.., is_open)| *is_open);
    for (index, at, key, bucket, _) in &given {
        let may_be = |pattern: &str| is_filled_in(pattern, bucket);
        if let Some((other, ..)) = open.iter().find(|it| it.0 != *index && may_be(&it.3)) {
            let (what, hint) = told(&Thing::Bucket(bucket, None));
            return Err(shared(pairs, (*index, *at), key, *other, &what).hint(hint));
        }
    }
    Ok(())
}

fn things(pair: &Manifest) -> Vec<(&'static str, Thing<'_>)> {
    let login_of =
        |placed: &Placed| pair.away.get(&placed.region).map_or(&pair.login, |it| &it.login);
    let mut things = vec![("name", Thing::Name(pair.name.as_str()))];
    let sides = std::iter::once(("source.bucket", &pair.source));
    for (key, placed) in sides.chain(pair.destinations.iter().map(|it| ("destinations", it))) {
        let of_account = placed.bucket.contains("{account}").then(|| login_of(placed));
        things.push((key, Thing::Bucket(&placed.bucket, of_account)));
    }
    if pair.role_settings.given.is_none() {
        things.push(("role.name", Thing::Role(&pair.role, &pair.login)));
        if pair.replication.two_way {
            let back = pair.reverse_roles.iter();
            things.extend(back.map(|(it, role)| ("role.name", Thing::Role(role, login_of(it)))));
        }
    }
    for region in pair.alias_regions() {
        let login = pair.away.get(region).map_or(&pair.login, |it| &it.login);
        let alias = pair.key.alias.as_str();
        things.push(("key.alias", Thing::Alias(alias, region.as_str(), login)));
    }
    things
}

fn told(thing: &Thing<'_>) -> (String, &'static str) {
    match thing {
        Thing::Name(name) => (format!("`{name}` is the name"), "give each pair a name of its own"),
        Thing::Bucket(bucket, _) => (
            format!("`{bucket}` is a bucket"),
            "give each pair buckets of its own; `{name}` in a default stands for the pair's name",
        ),
        Thing::Role(role, _) => {
            (format!("`{role}` is the role"), "put `{name}` into `role.name`, or leave it out")
        }
        Thing::Alias(alias, region, _) => (
            format!("`{alias}` is the alias in {region}"),
            "leave `key.alias` out of the defaults, so that each pair's has its name",
        ),
    }
}
