//! No secret, session token or signature is ever printed or written, at any volume, wherever credentials come from: the environment, a
//! profile, a process, a role that is assumed. Every output and every report of many commands is searched.

use crate::common::{Output, Stand, finished};
use aws_sdk_s3::config::Credentials;
use crrctl_sandbox::{DEFAULT_ACCOUNT, SECRET};
use serde_json::json;
use std::process::Stdio;

const OTHER: &str = "444455556666";

/// A session of a role that may do anything.
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: String,
}

/// Makes the role `hand` in `account` and, as a user of the usual account, a session of it.
pub(crate) fn session(stand: &Stand, account: &str) -> (String, Session) {
    let client = |id: &str, secret: &str| {
        let config = aws_sdk_iam::Config::builder()
            .http_client(crate::common::plain_http())
            .behavior_version(aws_sdk_iam::config::BehaviorVersion::latest())
            .credentials_provider(Credentials::new(id, secret, None, None, "test"))
            .endpoint_url(stand.endpoint())
            .region(aws_sdk_iam::config::Region::new("us-east-1"));
        aws_sdk_iam::Client::from_conf(config.build())
    };
    let everything = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": DEFAULT_ACCOUNT}, "Action": "sts:AssumeRole",
    }]});
    stand.wait(async {
        let there = client(account, SECRET);
        let role = there.create_role().role_name("hand");
        let role = role.assume_role_policy_document(trust.to_string()).send().await.unwrap();
        let role = role.role().unwrap().arn().to_owned();
        let put = there.put_role_policy().role_name("hand").policy_name("all");
        put.policy_document(everything.to_string()).send().await.unwrap();
        let here = client(DEFAULT_ACCOUNT, SECRET);
        let _ = here.create_user().user_name("caller").send().await;
        let put = here.put_user_policy().user_name("caller").policy_name("all");
        put.policy_document(everything.to_string()).send().await.unwrap();
        let key = here.create_access_key().user_name("caller").send().await.unwrap();
        let key = key.access_key().unwrap().clone();
        let config = aws_sdk_sts::Config::builder()
            .http_client(crate::common::plain_http())
            .behavior_version(aws_sdk_sts::config::BehaviorVersion::latest())
            .credentials_provider(Credentials::new(
                key.access_key_id(),
                key.secret_access_key(),
                None,
                None,
                "test",
            ))
            .endpoint_url(stand.endpoint())
            .region(aws_sdk_sts::config::Region::new("us-east-1"));
        let sts = aws_sdk_sts::Client::from_conf(config.build());
        let session = sts.assume_role().role_arn(&role).role_session_name("test");
        let session = session.send().await.unwrap();
        let session = session.credentials().unwrap();
        // A user has two keys at most.
        let gone = here.delete_access_key().user_name("caller").access_key_id(key.access_key_id());
        gone.send().await.unwrap();
        let session = Session {
            id: session.access_key_id().to_owned(),
            secret: session.secret_access_key().to_owned(),
            token: session.session_token().to_owned(),
        };
        (role, session)
    })
}

/// Returns words that look like a secret or a token: long, and of small and capital letters and digits. Hashes are of small ones.
fn suspicious(text: &str) -> Option<&str> {
    let is_word = |c: char| !(c.is_ascii_alphanumeric() || "+/=".contains(c));
    text.split(is_word).flat_map(|word| word.split('/')).find(|word| {
        let has = |is: fn(&char) -> bool| word.chars().any(|c| is(&c));
        word.len() >= 40
            && has(char::is_ascii_lowercase)
            && has(char::is_ascii_uppercase)
            && has(char::is_ascii_digit)
    })
}

/// Searches one text.
fn clean(what: &str, text: &str, secrets: &[&str]) {
    for secret in secrets {
        assert!(!text.contains(secret), "{what} holds `{secret}`");
    }
    let lower = text.to_lowercase();
    for word in ["signature=", "aws4-hmac-sha256", "x-amz-security-token", "authorization:"] {
        assert!(!lower.contains(word), "{what} holds {word}");
    }
    assert_eq!(suspicious(text), None, "{what}");
}

/// Runs the life of a pair at the highest volume, with every report, and searches all of it. `prepare` gives each command its
/// credentials.
fn searched(
    stand: &Stand,
    manifest: &str,
    secrets: &[&str],
    prepare: impl Fn(&mut std::process::Command),
) -> usize {
    let path = stand.path("secrets.yaml");
    std::fs::write(&path, manifest).unwrap();
    let run = |args: &[&str], format: &str| -> Output {
        let (html, junit) = (stand.path("r.html"), stand.path("r.xml"));
        let reports = ["--html", html.to_str().unwrap(), "--junit", junit.to_str().unwrap()];
        let more = ["-f", path.to_str().unwrap(), "-vvv", "-o", format];
        let mut command = stand.command(&[args, &more, &reports].concat());
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        command
            .env("RUST_LOG", "trace")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", stand.path("summary.md"))
            .stdin(Stdio::null());
        prepare(&mut command);
        finished(&mut command)
    };
    let mut bytes = 0;
    for (args, code) in [
        (&["plan"][..], 0),
        (&["apply", "--yes"], 0),
        (&["status"], 0),
        (&["check"], 0),
        (&["probe"], 0),
        (&["policy", "operator"], 0),
        (&["destroy", "--yes"], 0),
        // A run that fails says the most.
        (&["probe"], 3),
    ] {
        for format in ["text", "json", "ndjson"] {
            // The second and third time there is nothing left to do, which is as good.
            let output = run(args, format);
            assert!([0, code, 2, 3].contains(&output.code), "{args:?}: {output}");
            assert!(output.stderr.contains("answered"), "calls are shown: {output}");
            let what = format!("{args:?} -o {format}");
            clean(&format!("stdout of {what}"), &output.stdout, secrets);
            clean(&format!("stderr of {what}"), &output.stderr, secrets);
            bytes += output.stdout.len() + output.stderr.len();
            for name in ["r.html", "r.xml", "summary.md"] {
                let text = std::fs::read_to_string(stand.path(name)).unwrap_or_default();
                clean(&format!("{name} of {what}"), &text, secrets);
                bytes += text.len();
            }
        }
    }
    bytes
}

const PAIR: &str =
    "name: quiet\nsource: {region: us-east-1}\ndestinations: [{region: us-west-2}]\n";

#[test]
fn the_search_finds_what_is_there() {
    assert!(suspicious("a key AKIDabcdefghijklmnopqrstuvwxyz0123456789ABCD here").is_some());
    assert_eq!(suspicious(&"0a".repeat(40)), None, "a hash");
    assert_eq!(suspicious("arn:aws:iam::111122223333:role/crrctl/crrctl-orders-us-east-1"), None);
    let caught = std::panic::catch_unwind(|| clean("it", "Signature=1", &[]));
    assert!(caught.is_err());
}

#[test]
fn a_session_in_the_environment() {
    let stand = Stand::new();
    let (_, it) = session(&stand, DEFAULT_ACCOUNT);
    let bytes = searched(&stand, PAIR, &[SECRET, &it.secret, &it.token], |command| {
        command
            .env("AWS_ACCESS_KEY_ID", &it.id)
            .env("AWS_SECRET_ACCESS_KEY", &it.secret)
            .env("AWS_SESSION_TOKEN", &it.token);
    });
    println!("{bytes} bytes searched");
}

#[test]
fn a_session_of_a_profile_and_one_of_a_process() {
    let stand = Stand::new();
    let (_, it) = session(&stand, DEFAULT_ACCOUNT);
    std::fs::create_dir_all(stand.path(".aws")).unwrap();
    let keys = format!(
        "[kept]\naws_access_key_id = {}\naws_secret_access_key = {}\naws_session_token = {}\n",
        it.id, it.secret, it.token
    );
    std::fs::write(stand.path(".aws/credentials"), keys).unwrap();
    let answer = json!({"Version": 1, "AccessKeyId": it.id, "SecretAccessKey": it.secret, "SessionToken": it.token});
    std::fs::write(stand.path("keys.json"), answer.to_string()).unwrap();
    let process = format!(
        "[profile asked]\ncredential_process = cat {}\n",
        stand.path("keys.json").display()
    );
    std::fs::write(stand.path(".aws/config"), process).unwrap();
    for profile in ["kept", "asked"] {
        let manifest = PAIR.replace("us-east-1}", &format!("us-east-1, profile: {profile}}}"));
        let bytes = searched(&stand, &manifest, &[SECRET, &it.secret, &it.token], |command| {
            command.env("AWS_PROFILE", profile).env("PATH", std::env::var("PATH").unwrap());
        });
        println!("{profile}: {bytes} bytes searched");
    }
}

#[test]
fn sessions_of_roles_that_are_assumed_here_and_there() {
    let stand = Stand::new();
    let (here, it) = session(&stand, DEFAULT_ACCOUNT);
    let (there, other) = session(&stand, OTHER);
    let manifest = format!(
        "name: quiet\nsource: {{region: us-east-1, assume_role: \"{here}\"}}\ndestinations: [{{region: us-west-2, assume_role: \"{there}\"}}]\nkey: {{kind: per-region}}\n"
    );
    // What the run's own sessions are nobody outside it knows: they are found by their looks.
    let (user, secret) = stand.iam(async |iam| {
        let key = iam.create_access_key().user_name("caller").send().await.unwrap();
        let key = key.access_key().unwrap();
        (key.access_key_id().to_owned(), key.secret_access_key().to_owned())
    });
    let known = [SECRET, &it.token, &other.token, &secret];
    let bytes = searched(&stand, &manifest, &known, |command| {
        command.env("AWS_ACCESS_KEY_ID", &user).env("AWS_SECRET_ACCESS_KEY", &secret);
    });
    println!("{bytes} bytes searched");
}
