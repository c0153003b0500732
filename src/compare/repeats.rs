//! Requests that a run made more than once: polls, and what was tried again.
//! Not for: what came of them (see `lag`).

use super::read::Numbered;
use crate::recording::Exchange;
use std::collections::HashMap;

/// The exchanges of a run by their request.
#[derive(Debug)]
pub struct Repeats(HashMap<String, Vec<usize>>);

fn request(exchange: &Exchange) -> String {
    let Exchange { service, operation, region, caller, request, .. } = exchange;
    let request = serde_json::to_string(request).unwrap_or_default();
    format!("{caller} {} {operation} {region} {request}", service.name())
}

impl Repeats {
    /// Puts the exchanges of a run together by their request.
    pub fn of(exchanges: &[Numbered]) -> Self {
        let mut places: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, numbered) in exchanges.iter().enumerate() {
            places.entry(request(&numbered.exchange)).or_default().push(at);
        }
        Self(places)
    }

    /// Returns where the request of `exchange`, which is at `at`, was made again.
    pub fn later(&self, exchange: &Exchange, at: usize) -> impl Iterator<Item = usize> {
        self.places(exchange).iter().copied().filter(move |it| *it > at)
    }

    /// Returns where it was made before.
    pub fn earlier(&self, exchange: &Exchange, at: usize) -> impl Iterator<Item = usize> {
        self.places(exchange).iter().copied().filter(move |it| *it < at)
    }

    fn places(&self, exchange: &Exchange) -> &[usize] {
        self.0.get(&request(exchange)).map_or(&[], Vec::as_slice)
    }
}
