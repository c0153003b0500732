//! The networks that people have: a TLS front with an authority of its own, a proxy, and everything
//! that answers wrongly, or not at all.
//! Not for: what AWS returns (see `told`).

use crate::common::{Output, PAIR, Stand, finished};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Returns the path of a file with certificates.
fn certificate(name: &str) -> String {
    format!("{}/tests/fixtures/tls/{name}.pem", env!("CARGO_MANIFEST_DIR"))
}

/// A listener in front of something else.
struct Front {
    at: SocketAddr,
    /// How many connections it has passed on.
    passed: Arc<AtomicUsize>,
}

impl Front {
    fn passed(&self) -> usize {
        self.passed.load(Ordering::Relaxed)
    }

    /// Speaks TLS with the certificate `name`, and passes everything on to `to`.
    fn tls(stand: &Stand, name: &str, to: SocketAddr) -> Self {
        let chain = vec![CertificateDer::from_pem_file(certificate(name)).unwrap()];
        let key = PrivateKeyDer::from_pem_file(certificate("key")).unwrap();
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let config = config.with_no_client_auth().with_single_cert(chain, key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::listening(stand, move |near, passed| {
            let acceptor = acceptor.clone();
            async move {
                // Who does not trust the certificate goes away.
                let Ok(mut near) = acceptor.accept(near).await else { return };
                passed.fetch_add(1, Ordering::Relaxed);
                let mut far = tokio::net::TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        })
    }

    /// Answers `CONNECT`, and passes everything on to the host that is asked for. Wants the user and
    /// password `ann:se@cret`.
    fn proxy(stand: &Stand) -> Self {
        Self::listening(stand, |mut near, passed| async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = near.read_u8().await else { return };
                head.push(byte);
            }
            let head = String::from_utf8(head).unwrap();
            let authority = head.strip_prefix("CONNECT ").and_then(|it| it.split(' ').next());
            let answer = match authority {
                None => "HTTP/1.1 405 Method Not Allowed\r\n\r\n",
                Some(_) if !head.contains("Basic YW5uOnNlQGNyZXQ=") => {
                    "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
                }
                Some(_) => "HTTP/1.1 200 Connection established\r\n\r\n",
            };
            near.write_all(answer.as_bytes()).await.unwrap();
            if !answer.contains(" 200 ") {
                return;
            }
            passed.fetch_add(1, Ordering::Relaxed);
            let mut far = tokio::net::TcpStream::connect(authority.unwrap()).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        })
    }

    /// Passes on what is signed for `region`.
    fn of_region(stand: &Stand, region: &'static str, to: SocketAddr) -> Self {
        Self::listening(stand, move |mut near, passed| async move {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                let Ok(byte) = near.read_u8().await else { return };
                head.push(byte);
            }
            if !String::from_utf8_lossy(&head).contains(&format!("/{region}/")) {
                return;
            }
            passed.fetch_add(1, Ordering::Relaxed);
            let mut far = tokio::net::TcpStream::connect(to).await.unwrap();
            far.write_all(&head).await.unwrap();
            let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
        })
    }

    /// Returns the URL, with a host name.
    fn url(&self) -> String {
        format!("http://localhost:{}", self.at.port())
    }

    fn listening<F>(
        stand: &Stand,
        serve: impl Fn(tokio::net::TcpStream, Arc<AtomicUsize>) -> F + Send + 'static,
    ) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        stand.wait(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (at, passed) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
            let counted = Arc::clone(&passed);
            tokio::spawn(async move {
                while let Ok((near, _)) = listener.accept().await {
                    tokio::spawn(serve(near, Arc::clone(&counted)));
                }
            });
            Self { at, passed }
        })
    }
}

/// Listens, and gives each connection `answer` after it has sent something; nothing where there is no
/// answer, and again and again where it is `endless`.
fn answering(answer: Option<&'static [u8]>, endless: bool) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            std::thread::spawn(move || {
                let mut client: TcpStream = client.unwrap();
                let mut request = [0; 4096];
                let _ = client.read(&mut request);
                match answer {
                    Some(answer) => {
                        let _ = client.write_all(answer);
                        while endless && client.write_all(&vec![b' '; 64 << 10]).is_ok() {}
                    }
                    // Ends when the client goes.
                    None => drop(client.read(&mut request)),
                }
            });
        }
    });
    at
}

fn run(stand: &Stand, args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = stand.command(&[args, &PAIR, &["-o", "json"]].concat());
    command.envs(variables.iter().copied()).stdin(Stdio::null());
    finished(&mut command)
}

#[test]
fn a_pair_lives_behind_a_proxy_and_an_authority_of_its_own() {
    let stand = Stand::new();
    let front = Front::tls(&stand, "front", stand.sandbox().address());
    let proxy = Front::proxy(&stand);
    let (url, authority) =
        (format!("https://localhost:{}", front.at.port()), certificate("authority"));
    let named = format!("http://ann:se%40cret@{}", proxy.at);
    let variables = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_CA_BUNDLE", &authority),
        ("HTTPS_PROXY", &named),
    ];
    for args in [
        &["plan"][..],
        &["apply", "--yes"],
        &["probe"],
        &["check"],
        &["status"],
        &["destroy", "--yes"],
    ] {
        let ended = run(&stand, args, &variables);
        assert!(!ended.stderr.contains("cret"), "secrets are never printed: {ended}");
        let _ = ended.exits(0);
    }
    assert_eq!(stand.leftovers(), [""; 0]);
    assert!(proxy.passed() > 0 && proxy.passed() == front.passed(), "all go by the proxy");
    // A profile may name the authority, and NO_PROXY the front.
    std::fs::write(stand.path("config"), format!("[default]\nca_bundle = {authority}\n")).unwrap();
    let config = stand.path("config");
    let before = proxy.passed();
    let variables = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
        ("HTTPS_PROXY", &named),
        ("NO_PROXY", "example.com,localhost"),
    ];
    let _ = run(&stand, &["plan"], &variables).exits(0);
    assert_eq!(proxy.passed(), before);
}

/// A name, the endpoint, variables beside it, and words that are told.
type Case<'a> = (&'a str, &'a str, Vec<(&'a str, &'a str)>, Vec<&'a str>);

/// Asserts that the URL and all words are told within ten seconds, and no secret is.
fn is_told(stand: &Stand, (case, url, variables, words): &Case<'_>) {
    let mut all = vec![("AWS_ENDPOINT_URL", *url)];
    all.extend(variables);
    let begun = Instant::now();
    let told = run(stand, &["plan"], &all);
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{case}: {took:?}\n{told}");
    let at = if url.ends_with("invalid") { format!("{url}:80") } else { (*url).to_owned() };
    for word in words.iter().chain([&at.as_str()]) {
        assert!(told.stderr.contains(word), "{case}: no `{word}`\n{told}");
    }
    assert!(!told.stderr.contains("cret") && !told.stdout.contains("cret"), "{case}: {told}");
    assert_eq!(told.json()["error"]["kind"], "unreachable", "{case}");
    let _ = told.exits(4);
}

/// Each names the URL, the proxy and what to try.
#[test]
fn whatever_is_in_the_way_is_told_soon() {
    let stand = Stand::new();
    let sandbox = stand.sandbox().address();
    let tls = |name| format!("https://localhost:{}", Front::tls(&stand, name, sandbox).at.port());
    let [front, expired, other_name] = ["front", "expired", "other-name"].map(tls);
    let (hanging, html) = (
        answering(None, false),
        answering(
            Some(b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<html>"),
            false,
        ),
    );
    let refusing = answering(Some(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n"), false);
    let [hanging, html, refusing] = [hanging, html, refusing].map(|it| format!("http://{it}"));
    let [hanging_tls, html_tls] = [&hanging, &html].map(|url| url.replace("http", "https"));
    let (proxy, authority) = (Front::proxy(&stand), certificate("authority"));
    let wanting = format!("http://ann:wrong-cret@{}", proxy.at);
    // Port 9 ("discard") has no listener.
    let (dead, dead_proxy) = ("http://127.0.0.1:9", "http://ann:cret@127.0.0.1:9");
    let trusting = ("AWS_CA_BUNDLE", authority.as_str());
    let cases: Vec<Case<'_>> = vec![
        ("no authority", &front, vec![], vec!["UnknownIssuer", "AWS_CA_BUNDLE", "`ca_bundle`"]),
        (
            "the wrong authority",
            &front,
            vec![("AWS_CA_BUNDLE", "other.pem")],
            vec!["only the authorities in `other.pem` (AWS_CA_BUNDLE)"],
        ),
        ("out of date", &expired, vec![trusting], vec!["out of date", "clock"]),
        ("another name", &other_name, vec![trusting], vec!["not for localhost"]),
        ("no TLS", &html_tls, vec![], vec!["no TLS"]),
        (
            "a dead proxy",
            &front,
            vec![trusting, ("HTTPS_PROXY", dead_proxy)],
            vec!["by the proxy http://127.0.0.1:9 (HTTPS_PROXY)", "check the proxy", "NO_PROXY"],
        ),
        (
            "a proxy that hangs",
            &front,
            vec![trusting, ("ALL_PROXY", &hanging)],
            vec!["(ALL_PROXY)", "no connection within 5 s"],
        ),
        (
            "a proxy that wants a password",
            &front,
            vec![trusting, ("https_proxy", &wanting)],
            vec!["(https_proxy)", "USER:PASSWORD"],
        ),
        (
            "a proxy that refuses",
            &front,
            vec![trusting, ("HTTPS_PROXY", &refusing)],
            vec!["the proxy refuses", "localhost"],
        ),
        (
            "a proxy for http that refuses",
            dead,
            vec![("HTTP_PROXY", &refusing)],
            vec!["status 403", "by the proxy", "(HTTP_PROXY)"],
        ),
        (
            "no proxy",
            &front,
            vec![("HTTPS_PROXY", "socks5://ann:cret@127.0.0.1:9")],
            vec!["HTTPS_PROXY holds no URL", "SOCKS"],
        ),
        (
            "nobody",
            dead,
            vec![],
            vec!["Connection refused", "--endpoint-url", "name it in HTTPS_PROXY"],
        ),
        ("no such name", "http://nowhere.invalid", vec![], vec!["--endpoint-url"]),
        ("silence", &hanging, vec![], vec!["no answer within 8 s"]),
        ("silence in TLS", &hanging_tls, vec![], vec!["no connection within 5 s"]),
        ("a log-in page", &html, vec![], vec!["NotFromAws", "status 200", "log-in page"]),
    ];
    std::fs::copy(certificate("front"), stand.path("other.pem")).unwrap();
    std::thread::scope(|scope| {
        for case in &cases {
            let stand = &stand;
            scope.spawn(move || is_told(stand, case));
        }
    });
}

#[test]
fn an_answer_that_never_comes_or_never_ends_is_told() {
    let stand = Stand::new();
    let hanging = format!("http://{}", answering(None, false));
    let head = b"HTTP/1.1 200 OK\r\nx-amzn-requestid: a\r\ncontent-length: 99999999999\r\n\r\n";
    let too_long = format!("http://{}", answering(Some(head), true));
    let _ = run(&stand, &["plan"], &[("AWS_ENDPOINT_URL", &hanging)]).told("TimedOut");
    let told = run(&stand, &["plan"], &[("AWS_ENDPOINT_URL", &too_long)]).exits(1);
    assert!(told.stderr.contains("AnswerUnreadable: the answer is longer than 16 MiB"), "{told}");
}

/// Runs a command on a manifest, without an endpoint in the environment.
fn run_on(stand: &Stand, args: &[&str], manifest: &str, config: &str) -> Output {
    std::fs::write(stand.path("pair.yaml"), manifest).unwrap();
    std::fs::write(stand.path("config"), config).unwrap();
    let mut command = stand.command(&[args, &["-f", "pair.yaml", "-o", "json"]].concat());
    command.env_remove("AWS_ENDPOINT_URL").env("AWS_CONFIG_FILE", stand.path("config"));
    finished(command.stdin(Stdio::null()))
}

/// An endpoint of a VPC serves one Region. The names of buckets are in the path, whatever the host.
#[test]
fn each_side_has_its_endpoints() {
    let stand = Stand::new();
    let sandbox = stand.sandbox().address();
    let sides = ["us-east-1", "us-west-2"].map(|region| Front::of_region(&stand, region, sandbox));
    let [here, there] = [&sides[0], &sides[1]].map(Front::url);
    let of_manifest = format!(
        "name: demo
source:
  region: us-east-1
  bucket: logs.{{account}}.example
  endpoints: {{s3: \"{here}\", kms: \"{here}\", iam: \"{here}\", sts: \"{here}\", s3_control: \"{here}\"}}
destinations:
  - {{region: us-west-2, endpoints: {{s3: \"{there}\", kms: \"{there}\", s3_control: \"{there}\"}}}}
"
    );
    let of_profiles = "name: demo
source: {region: us-east-1, bucket: \"logs.{account}.example\", profile: here}
destinations: [{region: us-west-2, profile: there}]
";
    let profile = |name: &str, url: &str| {
        let services = ["s3", "kms", "iam", "sts", "s3_control"];
        let services = services.map(|it| format!("{it} =\n  endpoint_url = {url}\n")).concat();
        let keys =
            "aws_access_key_id = 111122223333\naws_secret_access_key = crrctl-sandbox-secret\n";
        format!("[profile {name}]\n{keys}services = {name}\n[services {name}]\n{services}")
    };
    let config = profile("here", &here) + &profile("there", &there);
    for (manifest, config) in [(of_manifest.as_str(), ""), (of_profiles, config.as_str())] {
        let before = [sides[0].passed(), sides[1].passed()];
        for args in [&["apply", "--yes"][..], &["check"], &["export", "terraform"]] {
            let ended = run_on(&stand, args, manifest, config).exits(0);
            if args[0] == "export" && config.is_empty() {
                assert!(
                    ended.stdout.contains("endpoints {") && ended.stdout.contains(&there),
                    "{ended}"
                );
            }
        }
        let _ = run_on(&stand, &["destroy", "--yes"], manifest, config).exits(0);
        assert_eq!(stand.leftovers(), [""; 0]);
        assert!(before[0] < sides[0].passed() && before[1] < sides[1].passed());
    }
    // An endpoint for all comes before the manifest's.
    let manifest =
        of_manifest.replace(&there, "http://127.0.0.1:9").replace(&here, "http://127.0.0.1:9");
    let _ = run_on(&stand, &["plan", "--endpoint-url", &stand.endpoint()], &manifest, "").exits(0);
    let told = run_on(&stand, &["plan"], &manifest, "").exits(4);
    assert!(told.stderr.contains("can't connect to http://127.0.0.1:9"), "{told}");
}
