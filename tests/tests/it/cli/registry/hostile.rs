//! A registry that is down, slow, lies, sends elsewhere or never ends.

use std::time::{Duration, Instant};

use host_core::name::Digest;
use serde_json::json;

use super::{
    super::Desk,
    desk,
    fake::{Fake, Reply},
};

const WASM: &[u8] = b"\0asm, or something like it";
const MIB: u64 = 1 << 20;

/// The manifest of a module with some bytes, as a registry gives it.
fn manifest(size: u64) -> Vec<u8> {
    let config = json!({"mediaType": "application/vnd.wasm.config.v0+json", "digest": Digest::of(b"{}"), "size": 2});
    let layer = json!({"mediaType": "application/wasm", "digest": Digest::of(WASM), "size": size});
    json!({"schemaVersion": 2, "config": config, "layers": [layer]}).to_string().into_bytes()
}

fn pull(desk: &Desk, host: &str, digest: &Digest, more: &str) -> super::Ran {
    desk.alone(&format!("module pull oci://{host}/team/a@{digest} -o a.wasm {more}"))
}

#[test]
fn a_registry_that_is_down_is_said_to_be_and_nothing_is_written() {
    let desk = desk();
    // It is over at once, so that nobody listens there any more.
    let host = Fake::start(|_| Reply::Silence).host();
    let ran = pull(&desk, &host, &Digest::of(b"a"), "--registry-timeout 2");
    let what = format!("cannot reach the registry `{host}`");
    ran.failed(&[&what, "hint: is the registry up, and can this machine reach it?"]);
    assert!(!desk.path("a.wasm").exists());
}

#[test]
fn a_slow_registry_is_given_up_in_time() {
    let (desk, fake) = (desk(), Fake::start(|_| Reply::Silence));
    let start = Instant::now();
    let ran = pull(&desk, &fake.host(), &Digest::of(b"a"), "--registry-timeout 1");
    ran.failed(&["did not answer within 1 s", "hint: "]);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn another_manifest_than_was_asked_for_is_refused() {
    let (desk, fake) = (desk(), Fake::start(|_| Reply::ok(manifest(1))));
    let wanted = Digest::of(b"a");
    let ran = pull(&desk, &fake.host(), &wanted, "");
    ran.failed(&["gave content of the digest", wanted.as_str(), Digest::of(&manifest(1)).as_str()]);
}

#[test]
fn another_module_of_the_same_size_is_refused_and_not_kept() {
    let size = WASM.len() as u64;
    let bytes: Vec<u8> = WASM.iter().rev().copied().collect();
    let fake = Fake::start(move |asked| match asked.line.contains("/blobs/") {
        true => Reply::ok(bytes.clone()),
        false => Reply::ok(manifest(size)),
    });
    let desk = desk();
    let digest = Digest::of(&manifest(size));
    pull(&desk, &fake.host(), &digest, "").failed(&["gave content of the digest"]);
    assert!(!desk.path("a.wasm").exists());
    assert!(!desk.path("cache/croft/registry").join(Digest::of(WASM).hex()).exists());
}

#[test]
fn a_module_without_end_is_stopped_at_what_its_manifest_says() {
    for length in [None, Some(10 << 30)] {
        let size = WASM.len() as u64;
        let fake = Fake::start(move |asked| match asked.line.contains("/blobs/") {
            true => Reply::Endless(length),
            false => Reply::ok(manifest(size)),
        });
        let ran = pull(&desk(), &fake.host(), &Digest::of(&manifest(size)), "");
        ran.refused(&["has more than", "bytes"]);
        assert!(fake.sent() < 16 * MIB, "{}", fake.sent());
    }
}

#[test]
fn a_manifest_without_end_is_stopped() {
    for length in [None, Some(10 << 30)] {
        let fake = Fake::start(move |_| Reply::Endless(length));
        pull(&desk(), &fake.host(), &Digest::of(b"a"), "").refused(&["the manifest", "more than 4194304 bytes"]);
        assert!(fake.sent() < 32 * MIB, "{}", fake.sent());
    }
}

#[test]
fn a_manifest_that_tells_of_ten_gigabytes_is_refused_before_any_is_read() {
    let fake = Fake::start(|_| Reply::ok(manifest(10 << 30)));
    pull(&desk(), &fake.host(), &Digest::of(&manifest(10 << 30)), "").refused(&["has more than 50331648 bytes"]);
    assert_eq!(fake.asked().len(), 1);
}

#[test]
fn a_list_of_tags_without_end_is_stopped() {
    let fake = Fake::start(|_| Reply::Endless(None));
    let ran = desk().alone(&format!("module tags oci://{}/team/a", fake.host()));
    ran.refused(&["the list of tags", "more than 4194304 bytes"]);
}

#[test]
fn a_manifest_is_not_fetched_from_another_host() {
    let other = Fake::start(|_| Reply::ok(manifest(1)));
    let location = format!("http://{}/x", other.host());
    let fake = Fake::start(move |_| Reply::Whole(302, vec![("location", location.clone())], Vec::new()));
    let ran = pull(&desk(), &fake.host(), &Digest::of(&manifest(1)), "");
    ran.failed(&["sends the manifest", &other.host(), "only the content of a module may come from another host"]);
    assert!(other.asked().is_empty());
}

#[test]
fn a_module_may_come_from_another_host_which_gets_no_credentials() {
    let size = WASM.len() as u64;
    let other = Fake::start(|_| Reply::ok(WASM));
    let location = format!("http://{}/x", other.other_name());
    let fake = Fake::start(move |asked| match (&asked.authorization, asked.line.contains("/blobs/")) {
        (None, _) => Reply::Whole(401, vec![("www-authenticate", "Basic realm=\"a\"".into())], Vec::new()),
        (_, true) => Reply::Whole(307, vec![("location", location.clone())], Vec::new()),
        _ => Reply::ok(manifest(size)),
    });
    let desk = desk();
    desk.write("config.json", json!({"auths": {fake.host(): {"auth": "dXNlcjpzZWNyZXQ="}}}).to_string());
    let docker = desk.path("").display().to_string();
    let digest = Digest::of(&manifest(size));
    let line = format!("module pull oci://{}/team/a@{digest} -o a.wasm", fake.host());
    desk.alone_with(&line, &[("DOCKER_CONFIG", &docker)]).done();
    assert_eq!(std::fs::read(desk.path("a.wasm")).unwrap(), WASM);
    assert!(fake.asked().iter().any(|asked| asked.authorization.as_deref() == Some("Basic dXNlcjpzZWNyZXQ=")));
    assert_eq!(other.asked().len(), 1);
    assert_eq!(other.asked()[0].authorization, None);
}

#[test]
fn a_circle_of_redirects_ends() {
    let fake = Fake::start(|_| Reply::Whole(302, vec![("location", "/v2/again".into())], Vec::new()));
    pull(&desk(), &fake.host(), &Digest::of(b"a"), "").failed(&["it sent on too often already"]);
    assert!(fake.asked().len() < 8);
}

#[test]
fn a_redirect_to_plain_http_or_to_a_file_is_not_followed() {
    let size = WASM.len() as u64;
    for (to, why) in
        [("http://registry.example.org/x", "it is plain HTTP"), ("file:///etc/passwd", "it is not an address of HTTP")]
    {
        let fake = Fake::start(move |asked| match asked.line.contains("/blobs/") {
            true => Reply::Whole(302, vec![("location", to.into())], Vec::new()),
            false => Reply::ok(manifest(size)),
        });
        pull(&desk(), &fake.host(), &Digest::of(&manifest(size)), "").failed(&[to, why]);
    }
}

#[test]
fn credentials_are_asked_for_by_the_name_of_the_registry() {
    let fake = Fake::start(|_| Reply::Whole(401, vec![("www-authenticate", "Basic realm=\"a\"".into())], Vec::new()));
    let login = format!("docker login {}", fake.host());
    pull(&desk(), &fake.host(), &Digest::of(b"a"), "").failed(&["it wants credentials", &login]);
}

#[test]
fn a_token_is_fetched_once_and_credentials_do_not_go_to_a_server_in_the_clear() {
    let size = WASM.len() as u64;
    let tokens = Fake::start(|_| Reply::ok(r#"{"token": "t0"}"#));
    let realm = format!("Bearer realm=\"http://{}/token\",service=\"registry\"", tokens.host());
    let fake = Fake::start(move |asked| match (asked.authorization.as_deref(), asked.line.contains("/blobs/")) {
        (Some("Bearer t0"), true) => Reply::ok(WASM),
        (Some("Bearer t0"), false) => Reply::ok(manifest(size)),
        _ => Reply::Whole(401, vec![("www-authenticate", realm.clone())], Vec::new()),
    });
    pull(&desk(), &fake.host(), &Digest::of(&manifest(size)), "").done();
    let asked = tokens.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].line, "GET /token?scope=repository%3Ateam%2Fa%3Apull&service=registry");

    let realm = "Bearer realm=\"http://tokens.example.org/token\"";
    let fake = Fake::start(move |_| Reply::Whole(401, vec![("www-authenticate", realm.into())], Vec::new()));
    pull(&desk(), &fake.host(), &Digest::of(b"a"), "").failed(&["credentials would go there in the clear"]);
}

#[test]
fn what_is_not_there_is_said_with_its_place() {
    let fake = Fake::start(|_| Reply::status(404));
    let (digest, host) = (Digest::of(b"a"), fake.host());
    let place = format!("there is no manifest `{digest}` in `oci://{host}/team/a`");
    pull(&desk(), &host, &digest, "").refused(&[&place, "hint: push it with `croft module push`"]);
}

#[test]
fn an_error_of_the_registry_is_passed_on_in_its_words() {
    let said = br#"{"errors": [{"code": "TOOMANYREQUESTS", "message": "slow down\u001b[31m"}]}"#;
    let fake = Fake::start(|_| Reply::Whole(429, Vec::new(), said.to_vec()));
    let ran = pull(&desk(), &fake.host(), &Digest::of(b"a"), "");
    ran.failed(&["answered 429 to the manifest", "TOOMANYREQUESTS slow down[31m"]);
}

#[test]
fn something_else_than_a_module_is_told_from_one() {
    let image = json!({
        "schemaVersion": 2,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": Digest::of(b""), "size": 0},
        "layers": [],
    });
    let image = image.to_string().into_bytes();
    let digest = Digest::of(&image);
    let fake = Fake::start(move |_| Reply::ok(image.clone()));
    pull(&desk(), &fake.host(), &digest, "").refused(&[
        "is not a module: its configuration is `application/vnd.oci.image.config.v1+json`",
        "hint: a module is pushed with `croft module push`",
    ]);
}

#[test]
fn a_mirror_is_asked_first_and_cannot_give_something_else() {
    let size = WASM.len() as u64;
    let right = |asked: &super::fake::Asked| match asked.line.contains("/blobs/") {
        true => Reply::ok(WASM),
        false => Reply::ok(manifest(WASM.len() as u64)),
    };
    let (origin, liar, mirror) = (Fake::start(right), Fake::start(|_| Reply::ok("{}")), Fake::start(right));
    let digest = Digest::of(&manifest(size));
    let with = |fake: &Fake| format!("--registry-mirror {}=http://{}", origin.host(), fake.host());
    pull(&desk(), &origin.host(), &digest, &with(&mirror)).done();
    assert!(origin.asked().is_empty());
    assert_eq!(mirror.asked().len(), 2);
    pull(&desk(), &origin.host(), &digest, &with(&liar)).done();
    assert_eq!((origin.asked().len(), liar.asked().len()), (2, 2));
}
