//! The form of a POST upload: its fields and its file (S3 API Reference, `POST Object`).
//! Not for: what the fields mean (see `posts`), or the policy in one of them (see `post_policy`).

use bytes::Bytes;

/// A form: its fields in lower case with their values, and its file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) fields: Vec<(String, String)>,
    pub(super) file: Option<File>,
}

/// The file of a form. It may have no name.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: Option<String>,
    pub(super) data: Bytes,
}

impl Form {
    /// Parses a body of `multipart/form-data`. Fields after the file do not count.
    pub(super) fn parse(body: &Bytes, boundary: &str) -> Self {
        let delimiter = format!("--{boundary}");
        let end_of_part = format!("\r\n{delimiter}");
        let mut form = Self::default();
        let mut at = 0;
        while let Some(start) = find(&body[at..], delimiter.as_bytes()) {
            let start = at + start + delimiter.len();
            let length = find(&body[start..], end_of_part.as_bytes());
            let part = body.slice(start..length.map_or(body.len(), |length| start + length));
            at = start + part.len();
            let Some(head) = find(&part, b"\r\n\r\n") else { continue };
            let (head, value) = (String::from_utf8_lossy(&part[..head]), part.slice(head + 4..));
            let Some(name) = attribute(&head, "name") else { continue };
            let name = name.to_ascii_lowercase();
            if name == "file" {
                let name = attribute(&head, "filename");
                form.file = Some(File { name, data: value });
                break;
            }
            form.fields.push((name, String::from_utf8_lossy(&value).into_owned()));
        }
        form
    }

    /// Returns the value of a field, whose name is in lower case.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

/// Returns an attribute of `Content-Disposition` from the headers of a part.
fn attribute(head: &str, name: &str) -> Option<String> {
    let (_, rest) = head.split_once(&format!(" {name}=\""))?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_its_fields_and_its_file() {
        let body = "--b\r\nContent-Disposition: form-data; name=\"Key\"\r\n\r\na b\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\nContent-Type: x\r\n\r\n12\r\n3\r\n\
                    --b\r\nContent-Disposition: form-data; name=\"late\"\r\n\r\n1\r\n--b--\r\n";
        let parse = |body: &str| Form::parse(&Bytes::from(body.to_owned()), "b");
        let fields = vec![("key".into(), "a b".into())];
        let file = File { name: Some("f".into()), data: Bytes::from_static(b"12\r\n3") };
        assert_eq!(parse(body), Form { fields, file: Some(file) });
        let unnamed = parse(&body.replace("; filename=\"f\"", ""));
        assert_eq!(unnamed.file.unwrap().name, None);
        assert_eq!(parse("rubbish"), Form::default());
    }
}
