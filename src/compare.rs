//! Comparison of a recording with the answers of the sandbox: what is read of the file, what a fresh
//! sandbox needs first, which answers differ, which differences are known, and how long AWS took.
//! Pure: whoever replays hands the answers in.
//! Not for: replaying (see `cli::compare`).

mod answers;
mod furnish;
mod ids;
mod known;
mod lag;
mod read;
mod repeats;

pub use answers::{Kind, Unlike, differences};
pub use furnish::{Furnished, furnished};
pub use ids::{Ids, Mark};
pub use known::{Known, known};
pub use lag::{Lag, Waited};
pub use read::{Broken, Numbered, Recording, Run, read};
pub use repeats::Repeats;
