//! Splits a sorted list into pages with markers, as KMS and IAM do. Not for: S3's listings, which
//! group keys by delimiter.

/// One page of a list, and the marker of the next page if there is one.
pub(crate) struct Page<T> {
    /// The items of this page.
    pub(crate) items: Vec<T>,
    /// The marker that requests the next page; `None` on the last page.
    pub(crate) next: Option<String>,
}

/// Returns at most `limit` items that come after `marker`. `name` returns the unique, sortable name
/// of an item.
pub(crate) fn page<T>(
    mut items: Vec<T>,
    marker: Option<&str>,
    limit: usize,
    name: impl Fn(&T) -> String,
) -> Page<T> {
    items.sort_by_cached_key(&name);
    if let Some(marker) = marker {
        items.retain(|item| name(item).as_str() > marker);
    }
    let cut = items.len() > limit;
    items.truncate(limit);
    let next = items.last().filter(|_| cut).map(name);
    Page { items, next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_join_up_to_the_whole_list() {
        let all: Vec<String> = ["c", "a", "b"].map(String::from).into();
        let first = page(all.clone(), None, 2, String::clone);
        assert_eq!((first.items, first.next.as_deref()), (vec!["a".into(), "b".into()], Some("b")));
        let second = page(all, Some("b"), 2, String::clone);
        assert_eq!((second.items, second.next), (vec![String::from("c")], None));
    }
}
