//! Reads files of the user into memory, up to a length: a device or a wrong file may have no end.
//! Not for: answers of AWS, which `aws` bounds.

use std::fs::File;
use std::io::{Error, ErrorKind, Read};
use std::path::Path;

/// Returns the text of a file.
///
/// # Errors
/// The file can't be read, is longer than `at_most` bytes, or is not UTF-8.
pub fn text(path: &Path, at_most: u64) -> Result<String, Error> {
    text_of(File::open(path)?, at_most)
}

/// Returns the text that `reader` yields.
///
/// # Errors
/// As for [`text`].
pub fn text_of(reader: impl Read, at_most: u64) -> Result<String, Error> {
    let mut bytes = Vec::new();
    reader.take(at_most + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > at_most {
        let why = format!("it is longer than {at_most} bytes, and no more is read");
        return Err(Error::new(ErrorKind::FileTooLarge, why));
    }
    let not_text = |error: std::string::FromUtf8Error| {
        let valid = error.utf8_error().valid_up_to();
        Error::new(ErrorKind::InvalidData, format!("it is not UTF-8 from byte {valid} on"))
    };
    String::from_utf8(bytes).map_err(not_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_end_is_refused_and_what_fits_is_read() {
        assert_eq!(text_of(&b"abc"[..], 3).unwrap(), "abc");
        let error = text_of(std::io::repeat(b'a'), 64 << 10).unwrap_err();
        assert_eq!(error.to_string(), "it is longer than 65536 bytes, and no more is read");
        assert_eq!(text_of(&b"\xff"[..], 3).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
