//! An endpoint that answers nothing: where no request of the run had an answer, a request is not
//! sent again for long. Later, a broken connection is retried as usual.
//! Not for: what is retried otherwise (see `clients::configuration`).

use super::calls::Calls;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{
    ClassifyRetry, RetryAction, RetryClassifierPriority,
};
use std::time::{Duration, Instant};

/// How long after its start a run sends requests again that had no answer. An attempt may take 5 s
/// (the time to connect), and the next pause up to 4 s.
const AT_MOST: Duration = Duration::from_secs(2);

/// Forbids retries while nothing answers.
#[derive(Debug)]
pub(super) struct Silence {
    pub(super) calls: Calls,
    pub(super) begun: Instant,
}

impl ClassifyRetry for Silence {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let is_answered = context.response().is_some() || self.calls.round_trip().is_some();
        if is_answered || self.begun.elapsed() < AT_MOST {
            return RetryAction::NoActionIndicated;
        }
        RetryAction::RetryForbidden
    }

    fn name(&self) -> &'static str {
        "crrctl silence"
    }

    fn priority(&self) -> RetryClassifierPriority {
        RetryClassifierPriority::run_before(
            RetryClassifierPriority::modeled_as_retryable_classifier(),
        )
    }
}
