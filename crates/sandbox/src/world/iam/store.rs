//! Users, roles, policies, access keys and sessions of all accounts, and lookups of them. Not for:
//! decoding requests.

use super::{
    Entity, LinkedRoleDeletion, Managed, Role, ServiceCredential, User, aws_document, aws_managed,
};
use crate::world::random::letters;
use crate::world::{Recent, Stored};
use crrctl_iam::names::{AccountId, Arn};
use crrctl_iam::{Document, Named, Principal};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::SystemTime;

/// The secret access key of every account's root user. The root user's access key id is the
/// account's 12-digit id.
pub const SECRET: &str = "crrctl-sandbox-secret";

/// The maximum number of sessions. The sessions that expire first are removed first.
const MAX_SESSIONS: usize = 10_000;

/// The IAM state of all accounts.
#[derive(Debug, Clone, Default)]
pub(crate) struct Iam {
    pub(crate) roles: BTreeMap<(AccountId, String), Role>,
    pub(crate) users: BTreeMap<(AccountId, String), User>,
    /// Managed policies by ARN.
    pub(crate) managed: BTreeMap<String, Managed>,
    /// Access keys by id.
    pub(crate) keys: BTreeMap<String, AccessKey>,
    /// Service-specific credentials by id.
    pub(crate) service_credentials: BTreeMap<String, ServiceCredential>,
    sessions: BTreeMap<String, Session>,
    /// The codes of MFA devices that were used, each with the ARN of its user.
    pub(crate) used_codes: BTreeSet<(String, String)>,
    /// The tasks that delete service-linked roles by id.
    pub(crate) deletions: BTreeMap<String, LinkedRoleDeletion>,
    /// The users, roles and managed policies on which a quirk lasts.
    pub(crate) recent: Recent,
    /// The policies of the organization that every account belongs to.
    pub(crate) organization: Organization,
}

/// The policies of an organization, which limit all accounts of the sandbox.
#[derive(Debug, Clone, Default)]
pub(crate) struct Organization {
    /// Service control policies; none means that nothing is limited.
    pub(crate) scps: Vec<Document>,
    /// Resource control policies.
    pub(crate) rcps: Vec<Document>,
}

/// An access key of a user.
#[derive(Debug, Clone)]
pub(crate) struct AccessKey {
    pub(crate) owner: (AccountId, String),
    pub(crate) secret: String,
    pub(crate) active: bool,
    pub(crate) created: SystemTime,
}

/// Temporary credentials: a session of an assumed role or of a user.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    pub(crate) secret: String,
    pub(crate) token: String,
    pub(crate) expires: SystemTime,
    pub(crate) who: Who,
}

/// What temporary credentials carry beside their principal.
#[derive(Debug, Clone)]
pub(crate) struct Temporary {
    pub(crate) issued: SystemTime,
    /// The session tags.
    pub(crate) tags: Vec<(String, String)>,
    /// The keys of the session tags that pass to the next session of a role chain.
    pub(crate) transitive: Vec<String>,
    pub(crate) source_identity: Option<String>,
}

impl Temporary {
    /// Creates what credentials without session tags carry.
    pub(crate) fn plain(issued: SystemTime) -> Self {
        Self { issued, tags: Vec::new(), transitive: Vec::new(), source_identity: None }
    }
}

/// The principal that a credential belongs to.
#[derive(Debug, Clone)]
pub(crate) enum Who {
    /// Nobody: the request is not signed.
    Anonymous,
    Root {
        account: AccountId,
        /// `None` for the root user's access key.
        temporary: Option<Arc<Temporary>>,
    },
    User {
        account: AccountId,
        arn: Arn,
        id: String,
        /// `None` for an access key of the user.
        temporary: Option<Arc<Temporary>>,
    },
    Session {
        account: AccountId,
        role: Arn,
        name: String,
        id: String,
        /// The session policy.
        policy: Option<Arc<Document>>,
        temporary: Arc<Temporary>,
    },
}

/// The credential that a request is signed with.
#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
    pub(crate) expires: Option<SystemTime>,
    pub(crate) who: Who,
}

/// One policy of a user or role, with the name under which the policy simulator reports it.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    pub(crate) name: String,
    pub(crate) text: &'a str,
    pub(crate) document: &'a Document,
}

impl<'a> Source<'a> {
    /// Returns the policy for an evaluation, whose decision tells it by its kind and index.
    pub(crate) fn named(&self) -> Named<'a> {
        Named { name: "", document: self.document }
    }
}

/// The identity-based policies and the permissions boundary of a caller.
#[derive(Debug, Default)]
pub(crate) struct OwnPolicies<'a> {
    pub(crate) identity: Vec<&'a Document>,
    pub(crate) boundary: Option<&'a Document>,
}

impl Iam {
    /// Returns the ARNs of all roles, users and managed policies. Service-linked roles, which
    /// services create, are left out.
    pub(crate) fn arns(&self) -> Vec<String> {
        let roles = self.roles.values().filter(|role| !role.is_service_linked());
        let roles = roles.map(|role| role.arn.to_string());
        let users = self.users.values().map(|user| user.arn.to_string());
        roles.chain(users).chain(self.managed.keys().cloned()).collect()
    }

    /// Returns the inline policies of all roles.
    pub(crate) fn role_policies(&self) -> impl Iterator<Item = String> {
        let policies = |role: &Role| {
            role.entity.inline.values().map(|it| format!("{it:?}")).collect::<Vec<_>>()
        };
        self.roles.values().flat_map(policies)
    }

    /// Returns a role by its ARN.
    pub(crate) fn role(&self, arn: &str) -> Option<&Role> {
        let parsed = Arn::new(arn).ok()?;
        let account = AccountId::new(parsed.account()).ok()?;
        let name = parsed.resource().rsplit('/').next()?.to_owned();
        self.roles.get(&(account, name)).filter(|role| role.arn.as_str() == arn)
    }

    /// Returns whether an account has a role with this name, whatever its path.
    pub(crate) fn has_role_named(&self, account: &str, name: &str) -> bool {
        let account = AccountId::new(account).ok();
        account.is_some_and(|account| self.roles.contains_key(&(account, name.to_owned())))
    }

    fn user(&self, arn: &str) -> Option<&User> {
        let parsed = Arn::new(arn).ok()?;
        let account = AccountId::new(parsed.account()).ok()?;
        let name = parsed.resource().rsplit('/').next()?.to_owned();
        self.users.get(&(account, name)).filter(|user| user.arn.as_str() == arn)
    }

    /// Returns the unique id of the user or role of this ARN.
    pub(crate) fn id_of(&self, arn: &str) -> Option<String> {
        let role = self.role(arn).map(|role| role.id.clone());
        role.or_else(|| self.user(arn).map(|user| user.id.clone()))
    }

    /// Returns whether a user or role has this unique id.
    pub(crate) fn has_id(&self, id: &str) -> bool {
        self.roles.values().any(|role| role.id == id)
            || self.users.values().any(|user| user.id == id)
    }

    /// Returns the credential with an access key id. A 12-digit id is the access key id of the root
    /// user of that account.
    pub(crate) fn credential(&self, access_key: &str) -> Option<Credential> {
        if let Ok(account) = AccountId::new(access_key) {
            let who = Who::Root { account, temporary: None };
            return Some(Credential { secret: SECRET.to_owned(), token: None, expires: None, who });
        }
        if let Some(session) = self.sessions.get(access_key) {
            return Some(Credential {
                secret: session.secret.clone(),
                token: Some(session.token.clone()),
                expires: Some(session.expires),
                who: session.who.clone(),
            });
        }
        let key = self.keys.get(access_key).filter(|key| key.active)?;
        let user = self.users.get(&key.owner)?;
        let who = Who::User {
            account: key.owner.0.clone(),
            arn: user.arn.clone(),
            id: user.id.clone(),
            temporary: None,
        };
        Some(Credential { secret: key.secret.clone(), token: None, expires: None, who })
    }

    /// Stores a session and returns its access key id.
    pub(crate) fn begin(&mut self, session: Session, now: SystemTime) -> String {
        if self.sessions.len() >= MAX_SESSIONS {
            self.sessions.retain(|_, session| session.expires > now);
        }
        if self.sessions.len() >= MAX_SESSIONS {
            let first = self.sessions.iter().min_by_key(|(_, session)| session.expires);
            if let Some(id) = first.map(|(id, _)| id.clone()) {
                self.sessions.remove(&id);
            }
        }
        let id = format!("ASIA{}", letters(16));
        self.sessions.insert(id.clone(), session);
        id
    }

    /// Returns the user, or the role of the session, that `principal` names. Returns `None` if the
    /// user or role was deleted, or recreated since.
    fn entity_of(&self, principal: &Principal) -> Option<&Entity> {
        match principal {
            Principal::User { arn, id } => self
                .user(arn.as_str())
                .filter(|user| id.as_ref().is_none_or(|id| *id == user.id))
                .map(|user| &user.entity),
            Principal::RoleSession { role, id, .. } => self
                .role(role.as_str())
                .filter(|role| id.as_ref().is_none_or(|id| *id == role.id))
                .map(|role| &role.entity),
            Principal::Root { .. } | Principal::Service(_) | Principal::Anonymous => None,
        }
    }

    /// Returns the policies of a user or of a session's role.
    pub(crate) fn policies_of(&self, principal: &Principal) -> OwnPolicies<'_> {
        self.entity_of(principal).map(|entity| self.held(entity)).unwrap_or_default()
    }

    /// Returns the tags of a user or of a session's role.
    pub(crate) fn tags_of(&self, principal: &Principal) -> &[(String, String)] {
        self.entity_of(principal).map(|entity| &*entity.tags).unwrap_or_default()
    }

    /// Returns the identity-based policies of a user or role with their names. An inline policy is
    /// named after its user or role, too.
    pub(crate) fn sources_of(&self, principal: &Principal) -> Vec<Source<'_>> {
        let (kind, owner) = match principal {
            Principal::User { arn, .. } => ("user", arn),
            Principal::RoleSession { role, .. } => ("role", role),
            Principal::Root { .. } | Principal::Service(_) | Principal::Anonymous => {
                return Vec::new();
            }
        };
        let owner = owner.resource().rsplit('/').next().unwrap_or_default();
        let Some(entity) = self.entity_of(principal) else { return Vec::new() };
        let inline = self.in_effect(entity).iter().map(|(name, stored)| Source {
            name: format!("{kind}_{owner}_{name}"),
            text: stored.text(),
            document: &stored.document,
        });
        let attached = entity.attached.iter().filter_map(|arn| self.source(arn));
        inline.chain(attached).collect()
    }

    /// Returns the permissions boundary of a user or role with its name.
    pub(crate) fn boundary_of(&self, principal: &Principal) -> Option<Source<'_>> {
        self.source(self.entity_of(principal)?.boundary.as_ref()?)
    }

    /// Returns a managed policy with its name.
    fn source(&self, arn: &str) -> Option<Source<'_>> {
        let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
        let own = self.managed.get(arn).and_then(Managed::document);
        let (text, document) = match own {
            Some(stored) => (stored.text(), &stored.document),
            None => (aws_managed(arn)?.text, aws_document(arn)?),
        };
        Some(Source { name, text, document })
    }

    /// Returns the inline policies that are in effect.
    fn in_effect<'a>(&self, entity: &'a Entity) -> &'a BTreeMap<String, Stored> {
        self.recent.now().map_or_else(|| &*entity.inline, |now| entity.inline.at(now))
    }

    /// Sets the current time, so that changed policies take effect.
    pub(crate) fn pass_time(&mut self, now: SystemTime) {
        self.recent.pass_time(now);
    }

    fn held<'a>(&'a self, entity: &'a Entity) -> OwnPolicies<'a> {
        let attached = entity.attached.iter().filter_map(|arn| self.managed_document(arn));
        let inline = self.in_effect(entity).values().map(|stored| &stored.document);
        OwnPolicies {
            identity: inline.chain(attached).collect(),
            boundary: entity.boundary.as_ref().and_then(|arn| self.managed_document(arn)),
        }
    }

    /// Returns the document of a customer managed or AWS managed policy.
    pub(crate) fn managed_document(&self, arn: &str) -> Option<&Document> {
        let own = self.managed.get(arn).and_then(Managed::document).map(|it| &it.document);
        own.or_else(|| aws_document(arn))
    }
}
