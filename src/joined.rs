//! Runs several calls concurrently. All calls finish. If several fail, the error of the first call
//! in argument order is returned, even if another call failed earlier.
//! Not for: calls that never end, or too many calls to be in flight at once.

use futures::future::{FutureExt, join, join_all, join3};

// These are not `async fn`s, because an `async fn` would store the calls twice.

/// Waits for all `calls` and returns their results, in argument order.
///
/// # Errors
/// The error of the first failed call in argument order.
pub fn all<T, E, F: Future<Output = Result<T, E>>>(
    calls: impl IntoIterator<Item = F>,
) -> impl Future<Output = Result<Vec<T>, E>> {
    join_all(calls).map(|ended| ended.into_iter().collect())
}

/// Waits for both calls.
///
/// # Errors
/// The error of the first failed call in argument order.
pub fn both<A, B, E>(
    first: impl Future<Output = Result<A, E>>,
    second: impl Future<Output = Result<B, E>>,
) -> impl Future<Output = Result<(A, B), E>> {
    join(first, second).map(|(first, second)| Ok((first?, second?)))
}

/// Waits for three calls.
///
/// # Errors
/// The error of the first failed call in argument order.
pub fn three<A, B, C, E>(
    first: impl Future<Output = Result<A, E>>,
    second: impl Future<Output = Result<B, E>>,
    third: impl Future<Output = Result<C, E>>,
) -> impl Future<Output = Result<(A, B, C), E>> {
    join3(first, second, third).map(|(first, second, third)| Ok((first?, second?, third?)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    async fn fails(name: &str, millis: u64) -> Result<(), &str> {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Err(name)
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_in_their_order_is_told_whichever_came_first() {
        for (one, other) in [(1, 2), (2, 1)] {
            assert_eq!(all([fails("a", one), fails("b", other)]).await, Err("a"));
            assert_eq!(both(fails("a", one), fails("b", other)).await, Err("a"));
            let third = async { Ok(()) };
            assert_eq!(three(fails("a", one), fails("b", other), third).await, Err("a"));
        }
    }
}
