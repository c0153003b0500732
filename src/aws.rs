//! Calls to AWS: one client per service and Region, errors with AWS's code and message, retries for
//! propagation delay, waiting for states, and request counts.
//! Not for: which calls create which resource (see `steps`).

mod alert_target;
mod raw_request;
mod alarms;
mod calls;
mod clients;
mod cloudtrail;
mod cloudwatch;
mod error;
mod lag;
mod listing;
mod pace;
mod recorder;
mod replay;
mod s3control;
mod seen;
pub mod settle;
mod tag_index;
mod throttle;
mod transport;

pub use calls::{CallCount, Calls};
pub use clients::{
    Aws, Connection, Credentials, LogIn, MfaLogin, MfaRole, ProfileSettings, QuotaFactor, region,
};
pub use cloudtrail::{DeniedCall, Lookup};
pub use cloudwatch::{MAX_SERIES, Series};
pub use error::{At, Class, Error, action, denied, is_of_account};
pub use lag::bound;
pub use listing::{is_unnamable, is_xml_text};
pub use replay::Answered;
pub use transport::{CaBundle, Obstacle, Way};
