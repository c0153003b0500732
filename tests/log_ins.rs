//! How people log in: `aws login`, and a role that wants the code of an MFA device.
//! Not for: keys in the environment or in a profile, and roles without a device (see `accounts` and `secrets`).

use crate::common::{Output, PAIR, Stand, bare, finished};
use crate::secrets::{Session, session};
use crrctl_sandbox::DEFAULT_ACCOUNT;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The session that the profile of `aws login` names.
const LOGIN: &str = "arn:aws:iam::111122223333:user/ann";

/// Returns `crrctl` without keys in its environment, in the home of `stand`.
fn keyless(stand: &Stand, args: &[&str]) -> Command {
    let mut command = stand.command(args);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    // Nothing outside this machine is asked for a fresh token.
    command.env("HTTPS_PROXY", "http://127.0.0.1:9").env("NO_PROXY", "127.0.0.1,localhost");
    command.stdin(Stdio::null());
    command
}

fn write(stand: &Stand, name: &str, text: &str) {
    let path = stand.path(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Returns the path of the token that `aws login` keeps (AWS SDKs and Tools Reference Guide, "Login
/// credentials provider").
fn token_file() -> String {
    format!(".aws/login/cache/{}.json", hex::encode(Sha256::digest(LOGIN)))
}

/// Returns a token as `aws login` writes it.
fn token(session: &Session, expires: &str) -> Value {
    // A key that was made for this test.
    let key = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIErF8hJx6ZgTi+YEN6n5wCHKMO5ZAZa7etU39nMOGJK/oAoGCCqGSM49\nAwEHoUQDQgAEWDFIU8BcLkdqj7SIc3xHeVBcE3zwfxw4AQqLUoChcvLxFQpBTcph\n++aniyl59ckntmiJWNgWaLDdIwXci0ZjgQ==\n-----END EC PRIVATE KEY-----\n";
    json!({
        "accessToken": {
            "accessKeyId": session.id, "secretAccessKey": session.secret, "sessionToken": session.token,
            "accountId": DEFAULT_ACCOUNT, "expiresAt": expires,
        },
        "tokenType": "aws_sigv4", "refreshToken": "refresh-marked", "idToken": "id-marked",
        "clientId": "arn:aws:signin:::devtools/same-device", "dpopKey": key,
    })
}

/// Asserts that nothing that lets others act is shown.
#[track_caller]
fn tells_no_secret(output: &Output, session: &Session) {
    let text = format!("{output}");
    for secret in [&session.secret, &session.token, "refresh-marked", "id-marked", "PRIVATE KEY"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_log_in_of_the_aws_cli_signs_until_it_ends() {
    let stand = Stand::new();
    let (_, session) = session(&stand, DEFAULT_ACCOUNT);
    write(
        &stand,
        ".aws/config",
        &format!(
            "[profile ann]\nlogin_session = {LOGIN}\nregion = us-east-1\n[profile ops]\nrole_arn = arn:aws:iam::111122223333:role/hand\nsource_profile = ann\n"
        ),
    );
    let pair = |profile: &str, args: &[&str]| {
        let more = ["--profile", profile, "-o", "json"];
        let mut command = keyless(&stand, &[args, &PAIR, &more].concat());
        let began = Instant::now();
        let output = finished(&mut command);
        assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
        tells_no_secret(&output, &session);
        output
    };
    let whole = token(&session, "2099-01-01T00:00:00Z").to_string();
    let ended = token(&session, "2025-01-01T00:00:00Z").to_string();
    for (what, text) in [
        ("missing", None),
        ("empty", Some("")),
        ("no JSON", Some("not json")),
        ("another JSON", Some("[]")),
        ("cut off", Some(&whole[..whole.len() / 2])),
        ("without a token", Some("{\"refreshToken\": \"refresh-marked\"}")),
        ("over", Some(&*ended)),
    ] {
        if let Some(text) = text {
            write(&stand, &token_file(), text);
        }
        for (profile, args) in
            [("ann", &["plan"][..]), ("ops", &["plan"]), ("ann", &["apply", "--yes"])]
        {
            let told = pair(profile, args).exits(4).json();
            let message = told["error"]["message"].as_str().unwrap();
            assert!(message.contains("`aws login --profile ann`"), "{what}: {message}");
        }
        let mut list = keyless(&stand, &["list", "--profile", "ann"]);
        let told = finished(&mut list).exits(4).stderr;
        assert!(told.contains("`aws login --profile ann`"), "{what}: {told}");
    }
    write(&stand, &token_file(), &whole);
    let caller = pair("ann", &["plan"]).exits(0).json()["caller"].clone();
    assert_eq!(caller, "arn:aws:sts::111122223333:assumed-role/hand/test");
    let _ = pair("ann", &["apply", "--yes"]).exits(0);
    let _ = pair("ann", &["destroy", "--yes"]).exits(0);
    // A person may name it by the variable, or make it the default.
    let mut named = keyless(&stand, &[&["plan"], &PAIR[..]].concat());
    let _ = finished(named.env("AWS_PROFILE", "ann")).exits(0);
}

/// The device of the tests.
const DEVICE: &str = "arn:aws:iam::111122223333:mfa/ann";

/// Makes a user, and a role that it may assume with a device alone, and the profiles of both.
fn with_a_device(stand: &Stand) {
    let key = stand.iam(async |iam| {
        let may = |action: &str| {
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}).to_string()
        };
        iam.create_user().user_name("ann").send().await.unwrap();
        let put = iam.put_user_policy().user_name("ann").policy_name("own");
        put.policy_document(may("sts:AssumeRole")).send().await.unwrap();
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": DEFAULT_ACCOUNT}, "Action": "sts:AssumeRole",
            "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
        }]});
        let create = iam.create_role().role_name("ops");
        create.assume_role_policy_document(trust.to_string()).send().await.unwrap();
        let put = iam.put_role_policy().role_name("ops").policy_name("all");
        put.policy_document(may("*")).send().await.unwrap();
        iam.create_access_key().user_name("ann").send().await.unwrap().access_key.unwrap()
    });
    let role = "role_arn = arn:aws:iam::111122223333:role/ops\nsource_profile = ann\n";
    write(
        stand,
        ".aws/config",
        &format!("[profile mfa]\n{role}mfa_serial = {DEVICE}\n[profile bare]\n{role}"),
    );
    let (id, secret) = (key.access_key_id(), key.secret_access_key());
    let keys = format!("[ann]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n");
    write(stand, ".aws/credentials", &keys);
}

/// Runs a command on a terminal, which `script` provides, and types `code` once the question stands.
/// Returns the exit code and what the terminal shows.
fn typed(stand: &Stand, args: &[&str], code: &str) -> (i32, String) {
    let command = keyless(stand, args);
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<&str> = words.map(|it| it.to_str().unwrap()).collect();
    let mut script = Command::new("script");
    script.args(["-qec", &words.join(" "), "/dev/null"]).env_clear();
    for (name, value) in command.get_envs().filter_map(|(name, value)| Some((name, value?))) {
        script.env(name, value);
    }
    script.env("PATH", std::env::var_os("PATH").unwrap()).env("NO_COLOR", "1");
    script.current_dir(stand.path("")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let (mut keyboard, mut screen) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (mut shown, mut piece, mut is_typed) = (Vec::new(), [0; 4096], false);
    while let Ok(length @ 1..) = screen.read(&mut piece) {
        shown.extend(&piece[..length]);
        if !is_typed && String::from_utf8_lossy(&shown).contains("for the profile `mfa`:") {
            keyboard.write_all(format!("{code}\n").as_bytes()).unwrap();
            is_typed = true;
        }
    }
    let code = child.wait().unwrap().code().unwrap();
    (code, String::from_utf8(shown).unwrap().replace('\r', ""))
}

/// The code is asked for once, and is neither shown nor recorded.
#[test]
fn the_code_of_a_device_is_asked_for_once_and_never_shown() {
    let stand = Stand::new();
    with_a_device(&stand);
    let record = stand.path("run.ndjson");
    let record = record.to_str().unwrap();
    for (args, code) in [
        (&["plan", "-vvv"][..], "271828"),
        (&["apply", "--yes", "-vvv", "--record", record], "314159"),
        (&["destroy", "--yes", "-vvv"], "161803"),
    ] {
        let (ended, shown) = typed(&stand, &[args, &PAIR, &["--profile", "mfa"]].concat(), code);
        assert_eq!(ended, 0, "{shown}");
        assert_eq!(shown.matches("the code of the MFA device").count(), 1, "{shown}");
        assert!(shown.contains(DEVICE) && !shown.contains(code), "{shown}");
        // The answer is not shown, and neither is the end of its line: the next line begins all the same.
        assert!(shown.contains("for the profile `mfa`: \n"), "{shown}");
    }
    let recorded = std::fs::read_to_string(record).unwrap();
    assert!(recorded.lines().count() > 30 && !recorded.contains("314159"), "{recorded}");
    assert!(!recorded.contains("TokenCode"), "{recorded}");
    assert_eq!(stand.leftovers().len(), 2, "the user and the role: {:?}", stand.leftovers());
}

#[test]
fn a_code_that_is_refused_is_told_as_such() {
    let stand = Stand::new();
    with_a_device(&stand);
    let plan = [&["plan"], &PAIR[..], &["--profile", "mfa"]].concat();
    assert_eq!(typed(&stand, &plan, "123456").0, 0);
    for (code, told) in [
        ("123456", "STS does not take the code of the MFA device"),
        ("12345", "has six digits"),
        ("", "has six digits"),
    ] {
        let (ended, shown) = typed(&stand, &plan, code);
        assert_eq!(ended, 4, "{shown}");
        assert!(shown.contains(told) && shown.contains(DEVICE), "{shown}");
        assert!(code.is_empty() || !shown.contains(code), "{shown}");
        assert!(!shown.contains("add this statement"), "{shown}");
    }
    // Without a device in the profile, and without a terminal.
    let without = [&["plan"], &PAIR[..], &["--profile", "bare"]].concat();
    let refused = finished(&mut keyless(&stand, &without)).exits(5).stderr;
    assert!(refused.contains("sts:AssumeRole"), "{refused}");
    let nobody = finished(&mut keyless(&stand, &plan)).exits(4).stderr;
    assert!(nobody.contains("there is no terminal to ask"), "{nobody}");
    // Nothing but the profile was needed to know that.
    let home = tempfile::TempDir::new().unwrap();
    let _ = finished(bare(&home, &[&["plan"], &PAIR[..]].concat()).stdin(Stdio::null())).exits(4);
}
