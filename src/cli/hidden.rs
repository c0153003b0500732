//! Asks for a secret: the terminal does not show what is typed.
//! Not for: other questions (see `output`).

use super::output::{answer, say};
use crate::failure::Failure;
use crate::stop::Stop;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Asks on the terminal; returns the answer, or the failure of a run that is ending. Where the input
/// ends, the answer is empty.
pub(super) async fn ask(question: &str, stop: &Stop) -> Result<String, Failure> {
    let hidden = Hidden::begin();
    let answer = answer(question, stop).await;
    drop(hidden);
    let answer = answer?;
    if answer.is_some() {
        // The terminal did not show the end of the line either.
        say("");
    }
    Ok(answer.unwrap_or_default())
}

/// The terminal shows nothing of what is typed until this is dropped.
struct Hidden(Option<Termios>);

impl Hidden {
    /// Begins to hide what is typed. Input that is no terminal shows nothing anyway.
    fn begin() -> Self {
        let Ok(before) = tcgetattr(std::io::stdin()) else { return Self(None) };
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        let is_set = tcsetattr(std::io::stdin(), OptionalActions::Now, &silent).is_ok();
        Self(is_set.then_some(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
