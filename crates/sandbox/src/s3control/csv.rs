//! Reads and writes lines of comma-separated values (RFC 4180), the format of S3's manifests and
//! reports.
//! Not for: values that contain line breaks, which S3's URL-encoded keys never do.

/// Splits one line into its values; `None` if a quoted value is malformed.
pub(crate) fn split(line: &str) -> Option<Vec<String>> {
    let (mut values, mut rest) = (Vec::new(), line);
    loop {
        let value;
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut text = String::new();
            let mut inner = quoted;
            loop {
                let end = inner.find('"')?;
                text.push_str(&inner[..end]);
                inner = &inner[end + 1..];
                let Some(more) = inner.strip_prefix('"') else { break };
                text.push('"');
                inner = more;
            }
            (value, rest) = (text, inner);
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            (value, rest) = (rest[..end].to_owned(), &rest[end..]);
        }
        values.push(value);
        if rest.is_empty() {
            return Some(values);
        }
        rest = rest.strip_prefix(',')?;
    }
}

/// Joins values into one line and quotes the values that require it.
pub(crate) fn join(values: &[&str]) -> String {
    let quoted = |value: &&str| {
        if value.contains([',', '"', '\n', '\r']) {
            format!("\"{}\"", value.replace('"', "\"\""))
        } else {
            (*value).to_owned()
        }
    };
    values.iter().map(quoted).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_joined_can_be_split() {
        let values = ["a", "", "b,c", "say \"hi\"", "ä"];
        let line = join(&values);
        assert_eq!(line, "a,,\"b,c\",\"say \"\"hi\"\"\",ä");
        assert_eq!(split(&line).unwrap(), values);
        assert_eq!(split(""), Some(vec![String::new()]));
        assert_eq!((split("\"a"), split("\"a\"b")), (None, None));
    }
}
