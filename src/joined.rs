//! Runs several calls concurrently. All calls finish. If several fail, the error of the first call
//! in argument order is returned, even if another call failed earlier; what else was denied is added
//! to a denial.
//! Not for: calls that never end, or too many calls to be in flight at once.

use futures::future::{FutureExt, join, join_all, join3};

/// An error that may tell of other failed calls beside its own.
pub trait Beside {
    /// Returns the error of two failed calls. `self` is that of the first.
    #[must_use]
    fn beside(self, other: Self) -> Self;
}

// These are not `async fn`s, because an `async fn` would store the calls twice.

/// Waits for all `calls` and returns their results, in argument order.
///
/// # Errors
/// The error of the first failed call in argument order.
pub fn all<T, E: Beside, F: Future<Output = Result<T, E>>>(
    calls: impl IntoIterator<Item = F>,
) -> impl Future<Output = Result<Vec<T>, E>> {
    let add = |found: Result<Vec<T>, E>, next| {
        pair(found, next).map(|(mut found, next)| {
            found.push(next);
            found
        })
    };
    join_all(calls).map(move |ended| ended.into_iter().fold(Ok(Vec::new()), add))
}

/// Waits for both calls.
///
/// # Errors
/// The error of the first failed call in argument order.
pub fn both<A, B, E: Beside>(
    first: impl Future<Output = Result<A, E>>,
    second: impl Future<Output = Result<B, E>>,
) -> impl Future<Output = Result<(A, B), E>> {
    join(first, second).map(|(first, second)| pair(first, second))
}

/// Waits for three calls.
///
/// # Errors
/// The error of the first failed call in argument order.
pub fn three<A, B, C, E: Beside>(
    first: impl Future<Output = Result<A, E>>,
    second: impl Future<Output = Result<B, E>>,
    third: impl Future<Output = Result<C, E>>,
) -> impl Future<Output = Result<(A, B, C), E>> {
    join3(first, second, third).map(|(first, second, third)| {
        pair(pair(first, second), third).map(|((first, second), third)| (first, second, third))
    })
}

/// Returns what two calls that have ended returned.
///
/// # Errors
/// The error of the first failed call.
pub fn pair<A, B, E: Beside>(first: Result<A, E>, second: Result<B, E>) -> Result<(A, B), E> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(first), Err(second)) => Err(first.beside(second)),
        (Err(error), Ok(_)) | (Ok(_), Err(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    impl Beside for String {
        fn beside(self, other: Self) -> Self {
            self + &other
        }
    }

    async fn fails(name: &str, millis: u64) -> Result<(), String> {
        tokio::time::sleep(Duration::from_millis(millis)).await;
        Err(name.to_owned())
    }

    #[tokio::test(start_paused = true)]
    async fn the_errors_are_told_in_their_order_whichever_came_first() {
        for (one, other) in [(1, 2), (2, 1)] {
            let told = Err("ab".to_owned());
            assert_eq!(all([fails("a", one), fails("b", other)]).await.map(drop), told);
            assert_eq!(both(fails("a", one), fails("b", other)).await.map(drop), told);
            let third = async { Ok(()) };
            let three = three(fails("a", one), third, fails("b", other)).await;
            assert_eq!(three.map(drop), told);
        }
        let ready = |n: u8| async move { Ok::<_, String>(n) };
        assert_eq!(all([ready(1), ready(2)]).await, Ok(vec![1, 2]));
    }
}
