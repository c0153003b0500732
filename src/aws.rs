//! How AWS is called: clients per Region, errors with all that AWS said, retries for propagation, waiting for states, and a
//! count of the calls.
//! Not for: which calls make what (see `steps`).

mod raw_request;
mod calls;
mod clients;
mod cloudwatch;
mod error;
mod lag;
mod pace;
mod s3control;
mod seen;
pub mod settle;
mod throttle;

pub use calls::{CallCount, Calls};
pub use clients::{Aws, Connection, Credentials, QuotaFactor, region};
pub use cloudwatch::{MAX_SERIES, Series};
pub use error::{At, Class, Error, action, denied};
