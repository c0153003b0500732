//! The replication role: it exists and has the pair's tags.
//! Not for: the role's permissions (see `proof`).

use super::Finding;
use super::seen::Seen;

pub(super) fn check(seen: &Seen) -> Vec<Finding> {
    let (name, role) = ("role.exists", &seen.topology.role);
    if let Some(shared) = &seen.topology.shared_role() {
        return vec![match &seen.role {
            Ok(Some(_)) if seen.topology.role_settings.given.is_some() => {
                Finding::pass(name, format!("{shared}, as it was given"))
            }
            Ok(Some(_)) => Finding::pass(name, format!("{shared}, which rules of others have too")),
            Ok(None) => Finding::fail(
                name,
                format!("the configuration's role {shared} does not exist"),
                "crrctl does not make this role: its owner must fix it",
            )
            .because(&["AssumeRoleNotPermitted"]),
            Err(error) => Finding::unread(name, error),
        }];
    }
    vec![match &seen.role {
        Ok(Some(live)) if seen.topology.wanted.owns(&live.tags) => {
            Finding::pass(name, format!("`{role}`, with the pair's tags"))
        }
        Ok(Some(_)) => {
            let detail = format!("the role `{role}` does not bear this pair's tags");
            Finding::fail(
                name,
                detail,
                "`apply` ends with exit code 10 here: give the pair another `role.name`",
            )
        }
        Ok(None) if !seen.stands() => {
            Finding::skip(name, format!("`{role}` is not there yet: `crrctl apply` makes it"))
        }
        Ok(None) => {
            let detail = format!("the role `{role}` does not exist");
            Finding::fail(name, detail, "`crrctl apply` makes it again")
                .because(&["AssumeRoleNotPermitted"])
        }
        Err(error) => Finding::unread(name, error),
    }]
}
