//! `croft module test`: fixtures, and modules that each break one law.

use serde_json::{Value, json};

use crate::{
    cli::{
        Desk, Ran,
        render::{ADA, GREETING},
    },
    sandbox::guests,
};

/// A definition for a module beside it, and an instance of its API.
const THINGS: &str = "\
apiVersion: example.org/v1
kind: Things
metadata: {name: things}
spec: {module: 'file:m.wasm'}
";

const THING: &str = "\
apiVersion: example.org/v1
kind: Thing
metadata: {name: one, labels: {a: b}}
spec: {size: 12, parts: [a, b], note: nothing depends on it}
";

/// A project with one fixture, whose module is a guest.
pub(super) fn project(guest: &str) -> Desk {
    let desk = Desk::with(&[("definition.yaml", THINGS)]);
    desk.deep("m.wasm", guests::binary(guest)).deep("fixtures/one/instance.yaml", THING)
}

/// The greeting in the kro language, with two fixtures.
fn greetings() -> Desk {
    let card =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ada-card, uid: '7'}\ndata: {message: 'Hello, ada!'}\n";
    let desk = Desk::with(&[("definition.yaml", GREETING)]);
    let desk = desk.deep("fixtures/first/instance.yaml", ADA).deep("fixtures/second/instance.yaml", ADA);
    desk.deep("fixtures/second/observed.yaml", card)
}

fn expected(desk: &Desk, name: &str) -> Value {
    let source = host::yaml::Source::parse(name, &desk.read(name)).unwrap();
    source.documents[0].value.clone()
}

#[track_caller]
fn failed(ran: &Ran, says: &[&str]) {
    assert_eq!((ran.status, ran.stdout.as_str()), (1, ""), "{}", ran.stderr);
    for part in says {
        assert!(ran.stderr.contains(part), "`{part}` is not in:\n{}", ran.stderr);
    }
}

#[test]
fn what_the_module_answers_is_written_on_request_and_expected_from_then_on() {
    let desk = greetings();
    let ran = desk.croft("module test");
    failed(
        &ran,
        &["differs  first\n", "--- fixtures/first/expected.yaml (missing)", "+      name: ada-card", "`--update`"],
    );
    assert!(!desk.path("fixtures/first/expected.yaml").exists());
    let ran = desk.croft("module test --update").done();
    assert!(ran.stderr.contains("written  first  (fixtures/first/expected.yaml)\n"), "{}", ran.stderr);
    let first = expected(&desk, "fixtures/first/expected.yaml");
    assert_eq!(first["blocked"][0]["waitsFor"], json!(["card"]));
    assert_eq!(first["state"], "IN_PROGRESS");
    let second = expected(&desk, "fixtures/second/expected.yaml");
    assert_eq!(second["children"][1]["manifest"]["stringData"]["signature"], "sealed on card 7");
    assert_eq!(second["children"][1]["dependsOn"], json!(["card"]));
    let ran = desk.croft("module test").done();
    for line in ["ok       first  (fuel ", "ok       second  (fuel ", "ok       idempotent: its children shown back"] {
        assert!(ran.stderr.contains(line), "`{line}` is not in:\n{}", ran.stderr);
    }
}

#[test]
fn a_difference_is_shown_line_by_line() {
    let desk = greetings();
    desk.croft("module test --update").done();
    let text = desk.read("fixtures/second/expected.yaml").replace("sealed on card 7", "sealed on card 8");
    desk.write("fixtures/second/expected.yaml", text);
    let ran = desk.croft("module test");
    let changed = "-      signature: sealed on card 8\n    +      signature: sealed on card 7\n";
    failed(&ran, &["ok       first", "differs  second", changed, "error: 1 of 2 fixtures failed, 0 of 5 laws broken"]);
    let ran = desk.croft("module test -o json");
    assert_eq!(ran.status, 1);
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["fixtures"][0]["outcome"], "ok");
    assert!(told["fixtures"][0]["fuel"].as_u64().unwrap() > 0 && told["fixtures"][0]["memory"].as_u64().unwrap() > 0);
    assert_eq!(told["fixtures"][1]["outcome"], "differs");
    assert!(told["fixtures"][1]["diff"].as_str().unwrap().contains("+      signature: sealed on card 7\n"));
    assert_eq!(told["laws"][0], json!({"law": "deterministic", "holds": true}));
}

#[test]
fn what_is_expected_may_be_json_and_is_written_as_such() {
    let desk = greetings().deep("fixtures/first/expected.json", "{}");
    desk.croft("module test fixtures/first --update").done();
    assert!(desk.read("fixtures/first/expected.json").starts_with("{\n  \"blocked\": [\n"));
    assert!(!desk.path("fixtures/second/expected.yaml").exists(), "only what was asked for is written");
    desk.croft("module test fixtures/first").done();
}

#[test]
fn a_refusal_is_an_answer_like_any_other() {
    let desk = Desk::with(&[("definition.yaml", GREETING)]);
    let desk =
        desk.deep("fixtures/no-name/instance.yaml", ADA.replace("\nspec:\n  name: ada", "\nspec:\n  greeting: Hi"));
    let desk =
        desk.deep("fixtures/bad/definition.yaml", GREETING.replace("${card.metadata.uid}", "${crad.metadata.uid}"));
    let desk = desk.deep("fixtures/bad/expected.yaml", "");
    desk.croft("module test --update").done();
    let refused = expected(&desk, "fixtures/no-name/expected.yaml");
    assert_eq!(
        (&refused["problems"][0]["code"], &refused["problems"][0]["at"]),
        (&json!("MissingField"), &json!("/spec/name"))
    );
    let refused = expected(&desk, "fixtures/bad/expected.yaml");
    assert_eq!(refused["problems"][0]["code"], "UnknownIdentifier");
    desk.croft("module test").done();
}

#[test]
fn without_an_instance_the_definition_is_tested() {
    let desk = Desk::with(&[("definition.yaml", GREETING)]).deep("fixtures/api/expected.yaml", "");
    desk.croft("module test --update").done();
    let api = expected(&desk, "fixtures/api/expected.yaml");
    assert_eq!(api["api"]["plural"], "greetings");
    assert_eq!(api["crd"]["metadata"]["name"], "greetings.kro.run");
    let of = |id: &str| api["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap();
    assert_eq!((&of("seal")["dependsOn"], of("card").get("dependsOn")), (&json!(["card"]), None));
    assert_eq!(api["kinds"][1], json!({"apiVersion": "v1", "kind": "Secret", "access": "manage"}));
    let ran = desk.croft("module test").done();
    assert!(ran.stderr.starts_with("ok       api\n"), "{}", ran.stderr);
}

#[test]
fn a_fixture_that_makes_no_sense_fails_alone_and_says_why() {
    let desk = greetings();
    desk.croft("module test --update").done();
    let desk = desk.deep("fixtures/typo/instnace.yaml", ADA).deep("fixtures/typo/expected.yaml", "{}");
    desk.croft("module test")
        .refused(&["nothing reads `fixtures/typo/instnace.yaml`", "did you mean `instance.yaml`?"]);
    let strange = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: somebody-elses}\n";
    for (file, content, says) in [
        ("instance.yaml", "a: [", "fixtures/odd/instance.yaml:1"),
        ("instance.yaml", strange, "this is not an instance of Greeting.kro.run"),
        ("instance.yaml", &format!("{ADA}---\n{ADA}"), "a second document is not expected here"),
        ("observed.yaml", "- 1", "an observed object has `apiVersion`"),
        ("observed.yaml", strange, "ConfigMap team/somebody-elses is observed, but the instance has no such child"),
    ] {
        let desk = greetings();
        desk.croft("module test --update").done();
        let desk = desk.deep("fixtures/odd/instance.yaml", ADA).deep(&format!("fixtures/odd/{file}"), content);
        failed(&desk.croft("module test"), &["ok       first", "failed   odd", says]);
    }
}

#[test]
fn a_folder_without_fixtures_is_refused_with_what_one_is() {
    let desk = Desk::with(&[("definition.yaml", GREETING)]);
    desk.croft("module test").refused(&["there are no fixtures in `.`", "hint: a fixture is a folder with"]);
    desk.croft("module test nowhere").refused(&["cannot read the folder `nowhere`", "No such file"]);
    let desk = Desk::with(&[]).deep("fixtures/one/instance.yaml", ADA);
    failed(&desk.croft("module test"), &["there is no definition for the fixture `fixtures/one`"]);
    let desk = project("core_module");
    failed(&desk.croft("module test"), &["failed   one", "a core WebAssembly module, not a component"]);
    desk.croft("module test --against nowhere.wasm").refused(&["cannot read the module `nowhere.wasm`"]);
    desk.croft("module test --against builtin:kro").refused(&["`builtin:kro` has no older version"]);
}

#[test]
fn a_module_that_keeps_the_laws_is_told_so() {
    let desk = project("steady");
    let ran = desk.croft("module test --update --against m.wasm").done();
    let held = ["deterministic", "idempotent", "stable", "admitted", "bounded", "compatible"];
    for law in held {
        assert!(ran.stderr.contains(&format!("ok       {law}: ")), "{}", ran.stderr);
    }
}

/// The one law that a guest breaks, as `-o json` has it.
#[track_caller]
fn broken(guest: &str, more: &str) -> Value {
    let desk = project(guest).deep("steady.wasm", guests::binary("steady"));
    let ran = desk.croft(&format!("module test --update -o json {more}"));
    assert_eq!(ran.status, 1, "{guest}: {ran:?}");
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(told["fixtures"][0]["outcome"], "written", "{guest}: the fixture alone tells nothing: {told:#}");
    let laws = told["laws"].as_array().unwrap();
    let mut broken: Vec<&Value> = laws.iter().filter(|law| law["holds"] == false).collect();
    assert_eq!(broken.len(), 1, "{guest}: {laws:#?}");
    broken.remove(0).clone()
}

/// The guest breaks this law and no other, and is shown with the smallest instance.
#[track_caller]
fn breaks(guest: &str, law: &str, says: &str) {
    let broken = broken(guest, if law == "compatible" { "--against steady.wasm" } else { "" });
    assert_eq!(broken["law"], law, "{guest}");
    assert!(broken["message"].as_str().unwrap().contains(says), "{guest}: {broken:#}");
    let smallest = json!({"apiVersion": "example.org/v1", "kind": "Thing", "metadata": {"name": "one"}});
    assert_eq!(broken["example"], json!({"instance": smallest, "observed": []}), "{guest}");
}

#[test]
fn each_law_is_seen_to_be_broken_with_the_smallest_example() {
    breaks("order_sensitive", "deterministic", "another order of the keys of maps gives another answer");
    breaks("restless", "idempotent", "ConfigMap default/thing is another one each time");
    breaks("faltering", "idempotent", "it fails when it is shown its own children");
    breaks("follower", "stable", "child `thing` changes with what a server fills in");
    breaks("straying", "admitted", "child `thing` is a Secret, which the definition's blueprint does not list");
    breaks("laborious", "bounded", "% of the 500000000 that a render has");
    breaks("spacious", "bounded", "bytes of memory, 6");
    breaks("stricter", "compatible", "does not render any more: no instance is new enough");
}

#[test]
fn a_broken_law_is_shown_with_the_difference_and_the_example() {
    let desk = project("restless");
    let ran = desk.croft("module test --update");
    let says = [
        "broken   idempotent: ConfigMap default/thing is another one each time the module is shown it (fixture `one`)\n",
        "    --- in one pass\n    +++ in the next\n",
        "    -  \"n\": \"",
        "    +  \"n\": \"",
        "  the smallest example:\n    apiVersion: example.org/v1\n    kind: Thing\n    metadata:\n      name: one\n",
        "error: 0 of 1 fixture failed, 1 of 5 laws broken",
    ];
    failed(&ran, &says);
}

/// The example of the docs, which every language is measured by.
#[test]
fn the_greeting_in_rust_answers_its_fixtures_and_keeps_the_laws() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (project, module) = (root.join("modules/hello"), root.join("target/modules/hello.wasm"));
    assert!(module.is_file(), "there is no `{}` (hint: `cargo xtask modules`)", module.display());
    let desk = Desk::with(&[]);
    desk.croft(&format!("module test {} --module {}", project.display(), module.display())).done();
}
