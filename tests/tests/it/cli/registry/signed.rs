//! Signatures, and the policy that asks for them.

use std::{fs, path::Path, process::Command};

use harness::registry::{Kind, cosign};
use serde_json::{Value, json};

use super::{super::Desk, definition, desk, registry};

/// cosign looks for its roots of trust elsewhere, and does without.
const NO_NETWORK: [(&str, &str); 1] = [("HTTPS_PROXY", "http://127.0.0.1:1")];

fn keys() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("registry")
}

/// A folder with a module and with keys, of which `release` is to be trusted.
fn signers() -> Desk {
    let desk = desk();
    for (from, to) in [("ed", "release"), ("p256", "other"), ("sec1", "openssl"), ("cosign", "cosign")] {
        for end in ["key", "pub"] {
            desk.write(&format!("{to}.{end}"), fs::read(keys().join(format!("{from}.{end}"))).unwrap());
        }
    }
    desk
}

/// A policy that wants `release` to have signed everything of a registry.
fn policy(desk: &Desk, place: &str, more: &Value) {
    let mut policy = json!({
        "apiVersion": "croft.run/v1alpha1",
        "kind": "ModulePolicy",
        "keys": [{"name": "release", "publicKey": desk.read("release.pub")}],
        "signed": [{"module": place, "by": ["release"]}],
    });
    for (name, value) in more.as_object().unwrap() {
        policy[name] = value.clone();
    }
    desk.write("policy.yaml", policy.to_string());
}

impl Desk {
    fn sign(&self, reference: &str, key: &str) {
        let line = format!("module sign {reference} --key {key}");
        self.croft_with(&line, &[("COSIGN_PASSWORD", "secret")], "").done();
    }
}

#[test]
fn what_is_signed_is_verified_in_either_kind_of_registry_and_in_a_folder() {
    for kind in [Some(Kind::Distribution), Some(Kind::Referrers), None] {
        let running = kind.map(registry);
        if let Some(None) = running {
            return;
        }
        let place = match &running {
            Some(Some((registry, _))) => format!("oci://{}/team/hello", registry.host()),
            _ => "oci-layout:modules".to_owned(),
        };
        let desk = signers();
        let pinned = desk.push(&format!("{place}:v1"));
        let verify = |key: &str| desk.alone(&format!("module verify {pinned} --key {key}.pub"));
        verify("release").refused(&["is not signed by `release.pub`: there is no signature", "hint: sign it"]);
        // Each adds one, and none takes another's place.
        for key in ["other", "openssl", "cosign", "release"] {
            desk.sign(&pinned, &format!("{key}.key"));
            assert_eq!(verify(key).done().stdout.trim(), pinned);
        }
        verify("other").done();
        assert_eq!(desk.croft(&format!("module tags {place}")).done().stdout, "v1\n");
        // Another module under the same tag has no signature of this one.
        let moved = desk.croft(&format!("module push hello.wasm {place}:v1 --revision 2")).done().stdout;
        desk.alone(&format!("module verify {} --key release.pub", moved.trim())).refused(&["there is no signature"]);
        verify("release").done();
    }
}

#[test]
fn a_definition_runs_only_with_the_signature_that_the_policy_wants() {
    let Some((mut registry, _folder)) = registry(Kind::Distribution) else { return };
    let desk = signers();
    let place = format!("oci://{}/", registry.host());
    let pinned = desk.push(&format!("{place}team/hello:v1"));
    desk.write("definition.yaml", definition(&pinned));
    policy(&desk, &place, &json!({}));
    let with_policy = "-f definition.yaml --module-policy policy.yaml";
    let commands = ["check", "render", "explain", "graph", "publish"];
    for command in commands {
        desk.alone(&format!("{command} -f definition.yaml")).done();
        desk.alone(&format!("{command} {with_policy}"))
            .refused(&["has to be signed by the key `release`, and there is no signature"]);
    }
    desk.sign(&pinned, "other.key");
    desk.alone(&format!("check {with_policy}")).refused(&["what there is does not do: one by another key, `"]);
    desk.sign(&pinned, "release.key");
    for command in commands {
        desk.alone(&format!("{command} {with_policy}")).done();
    }
    // The signature was pulled with the module: neither takes the registry again.
    registry.stop().unwrap();
    desk.alone(&format!("check {with_policy}")).done();
    policy(&desk, &place, &json!({"keys": [{"name": "release", "publicKey": desk.read("openssl.pub")}]}));
    desk.alone(&format!("check {with_policy} --registry-timeout 2")).failed(&["cannot reach the registry"]);
}

#[test]
fn an_allow_list_a_revocation_and_the_end_of_a_key_are_told_apart() {
    let desk = signers();
    let pinned = desk.push("oci-layout:modules:v1");
    desk.sign(&pinned, "release.key");
    desk.write("definition.yaml", definition(&pinned));
    let check = |place: &str, more: Value| {
        policy(&desk, place, &more);
        desk.alone("check -f definition.yaml --module-policy policy.yaml")
    };
    check("oci-layout:", json!({})).done();
    let digest = &pinned[pinned.find("sha256:").unwrap()..];
    check("oci-layout:", json!({"allow": [{"module": "oci-layout:", "digests": [digest]}]})).done();
    let elsewhere = json!({"allow": [{"module": "oci://registry.example.org/team/"}]});
    check("oci-layout:", elsewhere).refused(&["does not allow the module", "`oci://registry.example.org/team/`"]);
    let revoked = json!({"revoked": [{"digest": digest, "why": "it says hello to everybody"}]});
    check("oci-layout:", revoked).refused(&["was revoked by the policy of this host", "it says hello to everybody"]);
    let module = host_core::name::Digest::of(&super::hello()).to_string();
    let revoked = json!({"revoked": [{"digest": module, "why": "it says hello to everybody"}]});
    check("oci-layout:", revoked).refused(&["was revoked by the policy of this host", &module]);
    let key = json!([{"name": "release", "publicKey": desk.read("release.pub"), "validUntil": "2020-01-31"}]);
    check("oci-layout:", json!({"keys": key})).refused(&["the key `release` (which was valid until 2020-01-31)"]);

    // A module that is given by hand is a file, and what is built in is a module too.
    check("oci-layout:", json!({"allow": []})).refused(&["nor any other"]);
    desk.alone("check -f definition.yaml --module hello.wasm --module-policy policy.yaml")
        .refused(&["`file:hello.wasm`"]);
    policy(&desk, "oci-layout:", &json!({"builtin": "refused"}));
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/webapp/definition.yaml");
    desk.croft_with(&format!("check -f {example}"), &[("CROFT_MODULE_POLICY", "policy.yaml")], "")
        .refused(&["does not allow the module `builtin:kro`"]);
}

#[test]
fn a_policy_that_is_not_understood_is_refused_with_its_place() {
    let desk = signers();
    desk.write("definition.yaml", definition("file:hello.wasm"));
    let check = |text: &str| {
        desk.write("policy.yaml", text);
        desk.alone("check -f definition.yaml --module-policy policy.yaml")
    };
    let head = "apiVersion: croft.run/v1alpha1\nkind: ModulePolicy\n";
    check(&format!("{head}revokd: []\n")).refused(&["policy.yaml:3:1", "did you mean `revoked`?"]);
    check(&format!("{head}keys:\n- name: release\n  publicKey: nothing\n")).refused(&[
        "policy.yaml:5:14",
        "the key `release` cannot be used: it is not in PEM",
        "openssl pkey",
    ]);
    check(&format!("{head}signed:\n- module: oci://a.example.org/\n  by: [relase]\n")).refused(&["policy.yaml:5:8"]);
    check("").refused(&["holds no document", "kind: ModulePolicy"]);
    check(&format!("{head}---\n{head}")).refused(&["a second document is not expected here"]);
    desk.alone("check -f definition.yaml --module-policy missing.yaml").refused(&["missing.yaml"]);
    // The host does not start either, with the same words.
    desk.write("policy.yaml", format!("{head}alow: []\n"));
    desk.alone("run --module-policy policy.yaml").refused(&["policy.yaml:3:1", "did you mean `allow`?"]);
}

#[test]
fn keys_that_cannot_sign_are_refused_and_nothing_is_signed() {
    let desk = signers();
    let pinned = desk.push("oci-layout:modules:v1");
    let sign = |key: &str, password: &str| {
        desk.croft_with(&format!("module sign {pinned} --key {key}"), &[("COSIGN_PASSWORD", password)], "")
    };
    sign("cosign.key", "wrong").refused(&["cannot use the key `cosign.key`: the password is wrong", "COSIGN_PASSWORD"]);
    sign("release.pub", "").refused(&["it is a public key"]);
    sign("missing.key", "").refused(&["cannot read the key `missing.key`"]);
    sign("hello.wasm", "").refused(&["cannot read the key"]);
    let nothing = host_core::name::Digest::of(b"nothing");
    desk.croft(&format!("module sign oci-layout:modules@{nothing} --key release.key")).refused(&["there is no blob"]);
    desk.alone(&format!("module verify {pinned} --key release.pub")).refused(&["there is no signature"]);
    desk.alone(&format!("module verify {pinned} --key release.key")).refused(&["not a `PUBLIC KEY`"]);
}

/// What croft signs cosign verifies with the key alone, and the other way round.
#[test]
fn cosign_and_croft_verify_what_the_other_signed() {
    let cosign = match cosign(&mut |line| eprintln!("{line}")) {
        Ok(cosign) => cosign,
        Err(error) => return eprintln!("left out, croft is not compared with cosign: {error:#}"),
    };
    for kind in [Kind::Distribution, Kind::Referrers] {
        let Some((registry, _folder)) = registry(kind) else { return };
        let desk = signers();
        let pinned = desk.push(&format!("oci://{}/team/hello:v1", registry.host()));
        let image = pinned.trim_start_matches("oci://").replace(":v1@", "@");
        let cosign = |arguments: &str| {
            let mut command = Command::new(&cosign);
            command.args(arguments.split_whitespace()).arg(&image).current_dir(desk.path(""));
            command.env("COSIGN_PASSWORD", "secret").env("HOME", desk.path("")).envs(NO_NETWORK).output().unwrap()
        };
        let verify =
            |key: &str| cosign(&format!("verify --key {key}.pub --insecure-ignore-tlog --allow-http-registry"));
        for key in ["release", "other", "cosign"] {
            assert!(!verify(key).status.success(), "{key} before it signed");
            desk.sign(&pinned, &format!("{key}.key"));
            let verified = verify(key);
            assert!(verified.status.success(), "{key} {kind:?}: {}", String::from_utf8_lossy(&verified.stderr));
        }
        let again = desk.croft(&format!("module push hello.wasm oci://{}/team/hello:v2 --revision 2", registry.host()));
        let pinned = again.done().stdout.trim().to_owned();
        desk.write("log.json", r#"{"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"}"#);
        let image = pinned.trim_start_matches("oci://").replace(":v2@", "@");
        let mut command = Command::new(harness::registry::cosign(&mut |_| {}).unwrap());
        let line = "sign --key cosign.key --signing-config log.json --allow-http-registry --yes";
        command.args(line.split_whitespace()).arg(&image).current_dir(desk.path(""));
        command.env("COSIGN_PASSWORD", "secret").env("HOME", desk.path("")).envs(NO_NETWORK);
        let signed = command.output().unwrap();
        assert!(signed.status.success(), "{}", String::from_utf8_lossy(&signed.stderr));
        desk.alone(&format!("module verify {pinned} --key cosign.pub")).done();
        desk.alone(&format!("module verify {pinned} --key release.pub")).refused(&["one by another key"]);
    }
}
