//! Presigned requests to KMS, IAM and STS: the signature is in the query.

use super::{ACCOUNT, EAST, Stand, credentials};
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use crrctl_sandbox::SECRET;
use std::time::{Duration, SystemTime};

/// A request that is to be presigned.
struct Ask<'a> {
    service: &'a str,
    method: &'a str,
    query: &'a str,
    target: Option<&'a str>,
    body: &'a str,
    secret: &'a str,
    signed: SystemTime,
    expires: u64,
}

impl Ask<'_> {
    fn url(&self) -> String {
        let identity = credentials(ACCOUNT, self.secret).into();
        let mut settings = SigningSettings::default();
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(self.expires));
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(EAST)
            .name(self.service)
            .time(self.signed)
            .settings(settings)
            .build()
            .unwrap();
        let url = format!("http://sandbox/?{}", self.query);
        let target = self.target.map(|target| ("x-amz-target", target));
        let headers = [("host", "sandbox")].into_iter().chain(target);
        let body = SignableBody::Bytes(self.body.as_bytes());
        let request = SignableRequest::new(self.method, &url, headers, body).unwrap();
        let (instructions, _) = sign(request, &params.into()).unwrap().into_parts();
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in instructions.params() {
            query.append_pair(name, value);
        }
        let joint = if self.query.is_empty() { "" } else { "&" };
        format!("/?{}{joint}{}", self.query, query.finish())
    }

    async fn send(&self, stand: &Stand, url: &str) -> (u16, String) {
        let target = self.target.map(|t| format!("x-amz-target: {t}\r\n")).unwrap_or_default();
        let request = format!(
            "{} {url} HTTP/1.1\r\nhost: sandbox\r\nconnection: close\r\n{target}content-length: {}\r\n\r\n{}",
            self.method,
            self.body.len(),
            self.body
        );
        let answer = stand.answer_to(request).await;
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_service_takes_them_and_refuses_wrong_ones() {
    let stand = Stand::start().await;
    let whoami = || Ask {
        service: "sts",
        method: "GET",
        query: "Action=GetCallerIdentity&Version=2011-06-15",
        target: None,
        body: "",
        secret: SECRET,
        signed: SystemTime::now(),
        expires: 60,
    };
    let roles = || Ask { service: "iam", query: "Action=ListRoles&Version=2010-05-08", ..whoami() };
    let target = Some("TrentService.ListKeys");
    let keys = || Ask { service: "kms", method: "POST", query: "", target, body: "{}", ..whoami() };
    for (ask, status, part) in [
        (whoami(), 200, "<Account>111122223333</Account>"),
        (roles(), 200, "<Roles>"),
        (keys(), 200, "\"Keys\""),
        (Ask { secret: "wrong", ..whoami() }, 403, "SignatureDoesNotMatch"),
        (Ask { secret: "wrong", ..keys() }, 400, "InvalidSignatureException"),
        (Ask { service: "kms", ..whoami() }, 403, "to correct service"),
        (Ask { expires: 604_801, ..whoami() }, 400, "X-Amz-Expires"),
    ] {
        let (got, answer) = ask.send(&stand, &ask.url()).await;
        assert!(got == status && answer.contains(part), "wanted {status} {part}: {answer}");
    }
    // Twenty minutes old: past its end, or good for an hour.
    let signed = SystemTime::now() - Duration::from_mins(20);
    for (expires, status) in [(60, 403), (3600, 200)] {
        let ask = Ask { signed, expires, ..whoami() };
        let (got, answer) = ask.send(&stand, &ask.url()).await;
        assert_eq!(got, status, "{answer}");
    }
    // Another question under the same signature, and a body that was not signed.
    let ask = whoami();
    let other = ask.url().replace("GetCallerIdentity", "AssumeRole");
    assert!(ask.send(&stand, &other).await.1.contains("SignatureDoesNotMatch"));
    let url = keys().url();
    let ask = Ask { body: r#"{"Limit":1}"#, ..keys() };
    assert!(ask.send(&stand, &url).await.1.contains("InvalidSignatureException"));
}
