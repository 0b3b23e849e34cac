use serde_json::{Value, json};

use super::*;

const RELEASE: &str = "oci://registry.example.org/team/greeting";

fn policy(mut document: Value) -> ModulePolicy {
    document["apiVersion"] = "croft.run/v1alpha1".into();
    document["kind"] = "ModulePolicy".into();
    ModulePolicy::read(&document).unwrap_or_else(|problems| panic!("{problems:?}"))
}

fn problems(mut document: Value) -> String {
    for (name, value) in [("apiVersion", "croft.run/v1alpha1"), ("kind", "ModulePolicy")] {
        document.as_object_mut().unwrap().entry(name).or_insert(value.into());
    }
    let problems = ModulePolicy::read(&document).err().unwrap_or_default();
    let hint = |problem: &contract::Problem| problem.hint.as_ref().map(|it| format!(" ({it})")).unwrap_or_default();
    problems.iter().map(|it| format!("{} {it}{}", it.code, hint(it))).collect::<Vec<_>>().join("\n")
}

fn pinned(text: &str) -> ModuleRef {
    format!("{text}@{}", manifest()).parse().unwrap()
}

fn manifest() -> Digest {
    Digest::of(b"manifest")
}

fn module() -> Digest {
    Digest::of(b"module")
}

fn by(names: &[&str]) -> Signatures {
    Signatures { verified: names.iter().map(|name| (*name).to_owned()).collect(), others: Vec::new() }
}

fn decided(policy: &ModulePolicy, reference: &str, signatures: &Signatures) -> String {
    let reference = if reference.starts_with("oci") { pinned(reference) } else { reference.parse().unwrap() };
    match policy.admit(&reference, &module(), signatures, "2026-11-28") {
        Ok(permit) => {
            assert_eq!(permit.module(), &module());
            "runs".to_owned()
        }
        Err(refusal) => format!("{}: {refusal}", refusal.reason()),
    }
}

#[test]
fn without_a_policy_everything_runs() {
    for reference in ["builtin:kro", "file:a.wasm", RELEASE, "oci-layout:a"] {
        assert_eq!(decided(&ModulePolicy::default(), reference, &by(&[])), "runs");
        assert_eq!(decided(&policy(json!({})), reference, &by(&[])), "runs");
    }
}

#[test]
fn an_allow_list_lets_nothing_else_run_but_what_is_built_in() {
    let policy = policy(json!({"allow": [{"module": "oci://registry.example.org/team/"}, {"module": "oci-layout:"}]}));
    let runs = |reference: &str| decided(&policy, reference, &by(&[]));
    assert_eq!(runs(RELEASE), "runs");
    assert_eq!(runs("oci-layout:a"), "runs");
    assert_eq!(runs("builtin:kro"), "runs");
    for other in [
        "oci://registry.example.org/team-2/greeting",
        "oci://registry.example.org/team",
        "oci://registry.example.org:5000/team/greeting",
        "oci://registry.example.org.evil.example/team/greeting",
        "oci://other.example.org/team/greeting",
        "file:a.wasm",
    ] {
        let said = runs(other);
        assert!(
            said.starts_with("ModuleNotAllowed: ") && said.contains("`oci://registry.example.org/team/`"),
            "{said}"
        );
    }
    assert!(policy.may_fetch(&pinned("oci://other.example.org/a")).is_err(), "asked for what may not run");
}

#[test]
fn an_empty_allow_list_allows_nothing() {
    let said = decided(&policy(json!({"allow": []})), RELEASE, &by(&[]));
    assert!(said.ends_with(", nor any other"), "{said}");
}

#[test]
fn what_is_built_in_can_be_refused_and_revoked() {
    assert!(decided(&policy(json!({"builtin": "refused"})), "builtin:kro", &by(&[])).starts_with("ModuleNotAllowed"));
    let revoked = policy(json!({"revoked": [{"digest": module().to_string(), "why": "too old"}]}));
    assert!(decided(&revoked, "builtin:kro", &by(&[])).ends_with("too old"));
}

#[test]
fn digests_may_be_those_of_manifests_or_of_modules() {
    let of = |digest: &Digest| {
        let digests = json!([digest.to_string()]);
        let policy = policy(json!({"allow": [{"module": RELEASE, "digests": digests}]}));
        decided(&policy, RELEASE, &by(&[]))
    };
    assert_eq!(of(&manifest()), "runs");
    assert_eq!(of(&module()), "runs");
    assert!(of(&Digest::of(b"other")).starts_with("ModuleNotAllowed: the policy of this host allows other digests"));
}

#[test]
fn a_revoked_digest_does_not_run_wherever_it_comes_from() {
    for digest in [manifest(), module()] {
        let digest = digest.to_string();
        let policy = policy(json!({
            "allow": [{"module": RELEASE, "digests": [digest.clone()]}],
            "revoked": [{"digest": digest, "why": "it deletes what it should keep"}],
        }));
        let said = decided(&policy, RELEASE, &by(&[]));
        assert!(said.starts_with("ModuleRevoked: ") && said.ends_with("it deletes what it should keep"), "{said}");
    }
}

fn signed() -> Value {
    json!({
        "keys": [
            {"name": "release", "publicKey": "R"},
            {"name": "backup", "publicKey": "B"},
            {"name": "former", "publicKey": "F", "validUntil": "2026-11-27"},
            {"name": "today", "publicKey": "T", "validUntil": "2026-11-28"},
        ],
        "signed": [{"module": "oci://registry.example.org/", "by": ["release", "backup"]}],
    })
}

#[test]
fn one_of_the_keys_is_enough_and_no_other() {
    let policy = policy(signed());
    assert!(policy.wants_signature(&pinned(RELEASE)) && !policy.wants_signature(&pinned("oci://other.example.org/a")));
    assert_eq!(decided(&policy, RELEASE, &by(&["backup"])), "runs");
    assert_eq!(decided(&policy, "oci://other.example.org/a", &by(&[])), "runs");
    let said = decided(&policy, RELEASE, &by(&[]));
    assert!(said.starts_with("ModuleNotSigned: "), "{said}");
    assert!(
        said.ends_with("has to be signed by the key `release` or the key `backup`, and there is no signature"),
        "{said}"
    );
    let found = Signatures { others: vec!["one for another digest".into()], ..by(&["former"]) };
    let said = decided(&policy, RELEASE, &found);
    assert!(said.starts_with("SignatureNotAccepted: "), "{said}");
    assert!(said.ends_with("what there is does not do: one by the key `former`; one for another digest"), "{said}");
}

#[test]
fn an_allow_list_does_not_switch_a_signature_off() {
    let mut document = signed();
    document["allow"] = json!([{"module": RELEASE, "digests": [manifest().to_string(), module().to_string()]}]);
    assert!(decided(&policy(document), RELEASE, &by(&[])).starts_with("ModuleNotSigned"));
}

#[test]
fn a_rule_for_a_part_does_not_switch_off_the_one_for_the_whole() {
    let mut document = signed();
    document["signed"].as_array_mut().unwrap().push(json!({"module": RELEASE, "by": ["today"]}));
    let policy = policy(document);
    assert!(decided(&policy, RELEASE, &by(&["today"])).contains("the key `release` or the key `backup`"));
    assert!(decided(&policy, RELEASE, &by(&["release"])).contains("the key `today`"));
    assert_eq!(decided(&policy, RELEASE, &by(&["release", "today"])), "runs");
}

#[test]
fn a_key_counts_until_its_last_day_is_over() {
    let with = |name: &str| {
        let mut document = signed();
        document["signed"] = json!([{"module": RELEASE, "by": [name]}]);
        decided(&policy(document), RELEASE, &by(&[name]))
    };
    assert_eq!(with("today"), "runs");
    assert!(with("former").contains("the key `former` (which was valid until 2026-11-27)"));
}

#[test]
fn what_is_not_understood_is_refused_with_place_and_hint() {
    let check = |document: Value, said: &str| {
        let problems = problems(document);
        assert!(problems.contains(said), "{problems}");
    };
    check(
        json!({"revokd": []}),
        "UnknownField a module policy has no field `revokd` here at `/revokd` (did you mean `revoked`?)",
    );
    check(json!({"allow": [{"modul": RELEASE}]}), "at `/allow/0/modul` (did you mean `module`?)");
    check(json!({"allow": [{"modul": RELEASE}]}), "MissingField `module` is missing at `/allow/0`");
    check(
        json!({"signed": [{"module": RELEASE, "by": ["relase"]}], "keys": [{"name": "release", "publicKey": "R"}]}),
        "UnknownKey there is no key `relase` in `keys` at `/signed/0/by/0` (did you mean `release`?)",
    );
    check(json!({"signed": [{"module": RELEASE, "by": []}]}), "MissingField a signature is by somebody");
    check(json!({"signed": [{"module": RELEASE}]}), "MissingField a signature is by somebody");
    check(json!({"signed": [{"module": "file:", "by": ["a"]}]}), "NoSignature a file has no signature");
    check(json!({"signed": {}}), "WrongType `signed` must be a list at `/signed`");
    check(json!({"allow": ["x"]}), "WrongType this must be an object at `/allow/0`");
    check(json!({"allow": [{"module": RELEASE, "digests": []}]}), "Empty no digest is allowed");
    check(json!({"allow": [{"module": RELEASE, "digests": ["sha256:1"]}]}), "InvalidDigest");
    check(json!({"allow": [{"module": "builtin:kro"}]}), "governed by `builtin: allowed`");
    for bad in [
        "oci://registry.example.org",
        "registry.example.org/a",
        "oci://*/a",
        "oci://registry.example.org/a:v1",
        "oci:///",
        "oci://team/",
        "file:a/",
    ] {
        check(json!({"allow": [{"module": bad}]}), "InvalidModulePattern");
    }
    check(json!({"builtin": false}), "`builtin` must be `allowed` or `refused`");
    check(json!({"revoked": [{"digest": module().to_string()}]}), "MissingField `why` is missing");
    check(json!({"keys": [{"name": "a", "publicKey": "A", "validUntil": "soon"}]}), "NotADay");
    check(
        json!({"keys": [{"name": "a", "publicKey": "A"}, {"name": "a", "publicKey": "B"}]}),
        "Duplicate there are two keys `a`",
    );
    check(json!({"kind": "Policy"}), "NotAPolicy a module policy has `kind: ModulePolicy` at `/kind`");
    assert!(!ModulePolicy::read(&json!([])).err().unwrap().is_empty());
}
