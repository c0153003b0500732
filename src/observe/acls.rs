//! Looks whether an ACL keeps S3 from turning ACLs off, where a plan does that to a bucket that exists.
//! Not for: object ownership itself (see `settings::ownership`).

use crate::aws::Aws;
use crate::events;
use crate::failure::{Failure, Kind};
use crate::joined;
use crate::manifest::BucketPlace;
use crate::names::BucketName;
use crate::plan::{Action, Plan};
use crate::steps::find;
use crate::world::World;

/// Reads the ACLs of the buckets whose object ownership `plan` changes.
///
/// # Errors
/// An ACL grants something to others: S3 refuses the change (S3 User Guide, "Controlling ownership of
/// objects and disabling ACLs for your bucket"). Or an ACL can't be read.
pub async fn acls(aws: &Aws, world: &World, plan: &Plan) -> Result<(), Failure> {
    let changes = |action: &&Action| action.kind() == events::Kind::Ownership && action.changes();
    let places = plan.actions.iter().filter(changes).filter_map(|action| {
        let bucket = BucketName::new(&*action.name).ok()?;
        let place = BucketPlace { region: action.region.clone(), bucket };
        world.buckets.contains_key(&place.bucket).then_some(place)
    });
    joined::all(places.map(|place| async move { grants_nothing(aws, &place).await }))
        .await
        .map(drop)
}

async fn grants_nothing(aws: &Aws, place: &BucketPlace) -> Result<(), Failure> {
    let grantees = find::acl_grantees(aws, place).await?;
    if grantees.is_empty() {
        return Ok(());
    }
    let (bucket, grantees) = (&place.bucket, grantees.join(", "));
    let message = format!(
        "the ACL of `{bucket}` grants something to {grantees}, and S3 turns ACLs off only where nobody but the owner has grants"
    );
    let hints = [
        "remove the grants to others from the bucket's ACL (`aws s3api put-bucket-acl --acl private`)",
        "or leave them in force: `buckets: {ownership: keep}` in the manifest",
    ];
    let failure = Failure::new(Kind::InTheWay, "InvalidBucketAclWithObjectOwnership", message);
    Err(hints.into_iter().fold(failure.in_region(&place.region), Failure::hint))
}
