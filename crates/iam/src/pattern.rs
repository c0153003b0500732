//! Matches policy texts with wildcards and policy variables.
//! Sections: "IAM JSON policy elements: Resource" (wildcards), "IAM policy elements: Variables and
//! tags".
//! Not for: which element or operator allows wildcards or variables; the calling code decides.

use super::Context;

/// One step of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// This character. Also a character of a variable's value, and of `${*}`, `${?}`, `${$}`.
    Char(char),
    /// `?`: any one character.
    One,
    /// `*`: any number of characters.
    Many,
}

/// A policy text, compiled for matching.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pattern(Vec<Token>);

/// The special characters that a policy text can contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules<'c> {
    /// Whether `*` and `?` are wildcards.
    pub(super) wildcards: bool,
    /// The source of variable values; `None` for documents of version 2008-10-17, where variables
    /// are literal text.
    pub(super) variables: Option<&'c Context>,
}

impl Pattern {
    /// Compiles `text`. Returns `None` if a variable has no value and no default, so that nothing
    /// matches.
    pub(super) fn new(text: &str, rules: Rules<'_>) -> Option<Self> {
        let mut tokens = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            if let (Some(context), Some((variable, after))) = (rules.variables, variable(rest)) {
                tokens.extend(value(variable, context)?.chars().map(Token::Char));
                rest = after;
                continue;
            }
            tokens.push(match next {
                '*' if rules.wildcards => Token::Many,
                '?' if rules.wildcards => Token::One,
                plain => Token::Char(plain),
            });
            rest = &rest[next.len_utf8()..];
        }
        Some(Self(tokens))
    }

    /// Returns whether all of `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.run(text, |a, b| a == b)
    }

    /// Returns whether all of `text` matches, ignoring case.
    pub(super) fn matches_ignoring_case(&self, text: &str) -> bool {
        self.run(text, |a, b| a == b || a.to_lowercase().eq(b.to_lowercase()))
    }

    /// Backtracks to the latest `*` only. This is sufficient and keeps the time proportional to
    /// pattern length times text length.
    fn run(&self, text: &str, same: impl Fn(char, char) -> bool) -> bool {
        let mut at = 0;
        let mut rest = text.chars();
        let mut star: Option<(usize, std::str::Chars<'_>)> = None;
        loop {
            let before = rest.clone();
            match (self.0.get(at), rest.next()) {
                (None, None) => return true,
                (Some(Token::Many), _) => {
                    star = Some((at, before.clone()));
                    rest = before;
                    at += 1;
                }
                (Some(Token::One), Some(_)) => at += 1,
                (Some(Token::Char(wanted)), Some(found)) if same(*wanted, found) => at += 1,
                _ => {
                    let Some((position, mut tail)) = star.take() else { return false };
                    if tail.next().is_none() {
                        return false;
                    }
                    rest = tail.clone();
                    at = position + 1;
                    star = Some((position, tail));
                }
            }
        }
    }
}

/// Splits `${…}` off the front of `text`. Returns the text between the braces and the rest.
fn variable(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("${")?.split_once('}')
}

/// Returns the value of a variable. Sections: "Special characters" and "Specifying default values".
/// A key with several values can't be a variable ("Single-valued vs. multivalued context keys").
fn value<'a>(variable: &'a str, context: &'a Context) -> Option<&'a str> {
    if let "*" | "?" | "$" = variable {
        return Some(variable);
    }
    let (key, default) = match variable.split_once(',') {
        Some((key, default)) => (key, default.trim().strip_prefix('\'')?.strip_suffix('\'')),
        None => (variable, None),
    };
    match context.get(key.trim()) {
        Some([single]) => Some(single),
        Some([]) | None => default,
        Some(_) => None,
    }
}

/// Returns the parts of an ARN. A colon inside `${…}` is not a separator.
pub(super) fn arn_parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::with_capacity(6);
    let (mut start, mut at) = (0, 0);
    while at < text.len() && parts.len() < 5 {
        let rest = &text[at..];
        if let Some((_, after)) = variable(rest) {
            at = text.len() - after.len();
        } else if rest.starts_with(':') {
            parts.push(&text[start..at]);
            at += 1;
            start = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Returns whether `value` matches the ARN pattern `text`. Each of the six parts is matched
/// separately. Returns `None` if a variable has no value.
/// Section: "Amazon Resource Name (ARN) condition operators". A lone `*` matches every value.
pub(super) fn arn_like(text: &str, value: &str, rules: Rules<'_>) -> Option<bool> {
    if text == "*" {
        return Some(true);
    }
    let patterns = arn_parts(text);
    let values: Vec<&str> = value.splitn(6, ':').collect();
    let mut all = patterns.len() == 6 && values.len() == 6;
    for (pattern, value) in patterns.iter().zip(&values) {
        // Every part is compiled, so that a variable without a value is found in any part.
        all &= Pattern::new(pattern, rules)?.matches(value);
    }
    Some(all)
}

/// Returns whether the resource `value` matches the `Resource` text `text`; `None` if a variable
/// has no value.
///
/// Section: "IAM JSON policy elements: Resource". A wildcard matches `/` but none of the first five
/// colons; variables are replaced only after the fifth colon. If `complete` is set, an ARN with
/// fewer than six parts ends in `*` ("Identify AWS resources with ARNs": incomplete ARNs in
/// identity-based policies).
pub(super) fn resource_like(
    text: &str,
    value: &str,
    complete: bool,
    rules: Rules<'_>,
) -> Option<bool> {
    if !text.is_empty() && text.bytes().all(|byte| byte == b'*') {
        return Some(true);
    }
    let plain = Rules { variables: None, ..rules };
    let mut patterns = arn_parts(text);
    if patterns.first() != Some(&"arn") || (patterns.len() < 6 && !complete) {
        return Some(false);
    }
    patterns.resize(6, "*");
    let values: Vec<&str> = value.splitn(6, ':').collect();
    if values.len() != 6 {
        return Some(false);
    }
    for (pattern, value) in patterns.iter().zip(&values).take(5) {
        if !Pattern::new(pattern, plain)?.matches(value) {
            return Some(false);
        }
    }
    Some(Pattern::new(patterns[5], rules)?.matches(values[5]))
}

#[cfg(test)]
mod tests;
