//! A client that costs little: requests are signed once, beforehand, and sent over a connection that stays.

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use std::fmt::Write as _;
use std::io::{Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, SystemTime};

/// Signs as the root of the sandbox's account.
pub(crate) struct Signer {
    service: &'static str,
    region: &'static str,
}

impl Signer {
    /// For S3 in a Region.
    pub(crate) fn s3(region: &'static str) -> Self {
        Self { service: "s3", region }
    }

    /// Returns a whole request as it goes over the wire.
    pub(crate) fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Vec<u8> {
        let secret = crrctl_sandbox::SECRET;
        let account = crrctl_sandbox::DEFAULT_ACCOUNT;
        let identity = Credentials::new(account, secret, None, None, "bench").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap();
        let url = format!("http://sandbox{target}");
        let all = [("host", "sandbox")].into_iter().chain(headers.iter().copied());
        let request = SignableRequest::new(method, &url, all, SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
        let mut text = format!("{method} {target} HTTP/1.1\r\nhost: sandbox\r\n");
        for (name, value) in headers.iter().copied().chain(instructions.headers()) {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        let _ = write!(text, "content-length: {}\r\n\r\n", body.len());
        [text.as_bytes(), body].concat()
    }
}

/// A connection that is opened when it is needed and again after it broke.
pub(crate) struct Connection {
    address: SocketAddr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// To the sandbox at an address.
    pub(crate) fn new(address: SocketAddr) -> Self {
        Self { address, stream: None, buffer: Vec::new() }
    }

    /// Sends a request and returns the answer's status and body.
    pub(crate) fn call(&mut self, request: &[u8]) -> Result<(u16, Vec<u8>)> {
        let head_only = request.starts_with(b"HEAD ");
        let done = self.exchange(request, head_only);
        if done.is_err() {
            self.stream = None;
        }
        done
    }

    fn exchange(&mut self, request: &[u8], head_only: bool) -> Result<(u16, Vec<u8>)> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let stream = TcpStream::connect(self.address)?;
                stream.set_nodelay(true)?;
                stream.set_read_timeout(Some(Duration::from_secs(3)))?;
                none.insert(stream)
            }
        };
        stream.write_all(request)?;
        self.buffer.clear();
        let mut chunk = [0; 8 * 1024];
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            match stream.read(&mut chunk)? {
                0 => return Err(ErrorKind::UnexpectedEof.into()),
                read => self.buffer.extend_from_slice(&chunk[..read]),
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or_else(|| Error::from(ErrorKind::InvalidData))?;
        let value = |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).map(str::trim);
        let chunked = value("transfer-encoding:") == Some("chunked");
        let closes = value("connection:") == Some("close");
        let length = value("content-length:").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = self.buffer.split_off(head);
        if !head_only {
            while if chunked { !body.ends_with(b"0\r\n\r\n") } else { body.len() < length } {
                match stream.read(&mut chunk)? {
                    0 => return Err(ErrorKind::UnexpectedEof.into()),
                    read => body.extend_from_slice(&chunk[..read]),
                }
            }
        }
        if closes {
            self.stream = None;
        }
        Ok((status, body))
    }
}
