//! One action under way: what its run shares, and where it tells how it gets on. Each kind of work
//! has a module, whose `run` gets this, the action and its work.
//! Not for: what the action does (see the module of its kind).

use super::Steps;
use crate::aws::Error;
use crate::aws::settle::{self, Look, Wait};
use crate::events::Progress;
use crate::failure::Failure;
use std::ops::Deref;

/// One action under way. It leads to what its run shares.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) steps: &'a Steps,
    pub(super) progress: &'a Progress,
}

impl Deref for Run<'_> {
    type Target = Steps;

    fn deref(&self) -> &Steps {
        self.steps
    }
}

impl Run<'_> {
    /// Repeats a call while its error means propagation delay (see [`settle::retry`]).
    pub(super) async fn retry<T, F>(&self, call: impl FnMut() -> F) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Error>>,
    {
        settle::retry(&self.steps.stop, self.progress, call).await
    }

    /// Polls until a state is reached (see [`settle::until`]).
    pub(super) async fn until<T, F>(
        &self,
        wait: &Wait,
        look: impl FnMut() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<Look<T>, Failure>>,
    {
        settle::until(&self.steps.stop, self.progress, wait, look).await
    }
}
