//! Validates the endpoints of each side.
//! Not for: what is called there (see `aws`).

use super::super::endpoints::{Endpoints, Service};
use super::super::error::Located;
use super::super::raw::{At, Raw, RawEndpoints};
use super::super::topology::Placed;
use super::Checked;
use super::logins::Logins;
use crate::names::{EndpointUrl, Region};
use serde_saphyr::Spanned;
use std::collections::BTreeMap;

/// An endpoint of a side, and where it stands.
type Given<'a> = (Service, &'a Spanned<String>);

fn given(raw: Option<&RawEndpoints>) -> Vec<Given<'_>> {
    let Some(raw) = raw else { return Vec::new() };
    let RawEndpoints { cloudwatch, iam, kms, s3, s3_control, sts } = raw;
    let all: [(Service, &At<String>); 6] = [
        (Service::CloudWatch, cloudwatch),
        (Service::Iam, iam),
        (Service::Kms, kms),
        (Service::S3, s3),
        (Service::S3Control, s3_control),
        (Service::Sts, sts),
    ];
    all.into_iter().filter_map(|(service, url)| Some((service, url.as_ref()?))).collect()
}

/// Reads the endpoints of each side, by Region. IAM and STS are called once for each set of
/// credentials.
pub(super) fn endpoints(
    raw: &Raw,
    source: &Placed,
    destinations: &[Placed],
    logins: &Logins,
) -> Checked<BTreeMap<Region, Endpoints>> {
    let mut all: BTreeMap<Region, Endpoints> = BTreeMap::new();
    let own = ("source".to_owned(), source, given(raw.source.endpoints.as_ref()));
    let others = raw.destinations.value.iter().zip(destinations).enumerate();
    let others = others.map(|(index, (entry, place))| {
        (format!("destinations[{index}]"), place, given(entry.endpoints.as_ref()))
    });
    for (path, place, endpoints) in std::iter::once(own).chain(others) {
        let region = &place.region;
        let has_own_credentials = region == &source.region || logins.away.contains_key(region);
        for (service, url) in endpoints {
            let key = format!("{path}.endpoints.{}", service.key());
            // What stands there may hold a password, so it is not shown.
            let checked = EndpointUrl::new(url.value.as_str()).map_err(|error| {
                let message = format!("it is no URL of an endpoint: {}", error.rule);
                Located::at(url.referenced, &key, message)
            })?;
            if service.is_by_account() && !has_own_credentials {
                let message = format!(
                    "this side has the source's credentials, for which `source.endpoints.{}` counts",
                    service.key()
                );
                return Err(Located::at(url.referenced, key, message));
            }
            let of_region = all.entry(region.clone()).or_default();
            let before = of_region.0.insert(service, checked.clone());
            if before.is_some_and(|before| before != checked) {
                let message = format!(
                    "another side in {region} has another endpoint: each service of a Region has one"
                );
                return Err(Located::at(url.referenced, key, message));
            }
        }
    }
    Ok(all)
}
