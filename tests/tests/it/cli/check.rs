//! `croft check`: everything that is wrong, for people and for editors.

use serde_json::{Value, json};

use super::{
    Desk,
    render::{ADA, GREETING, SOMETHING},
};

/// A line of `GREETING` to be spelt in other ways.
const SIGNATURE: &str = "signature: sealed on card ${card.metadata.uid}";

/// A child of a kind that only its CRD describes, with a field that the CRD
/// lacks.
const ROOM: &str = "\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata:
  name: rooms
spec:
  schema:
    apiVersion: v1alpha1
    kind: Room
    spec:
      watts: integer | default=40
  resources:
  - id: lamp
    template:
      apiVersion: example.org/v1
      kind: Lamp
      metadata:
        name: ${schema.metadata.name}
      spec:
        wats: ${schema.spec.watts}
";

const LAMPS: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: lamps.example.org
spec:
  group: example.org
  names: {kind: Lamp, plural: lamps}
  scope: Namespaced
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              watts: {type: integer}
";

/// What an editor gets of a check, which must end with this status.
#[track_caller]
fn entries(desk: &Desk, args: &str, status: i32) -> Vec<Value> {
    let ran = desk.croft(&format!("check -o json {args}"));
    assert_eq!(ran.status, status, "{}", ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap()
}

/// `file:line:column code` of every entry.
fn places(entries: &[Value]) -> Vec<String> {
    let text = |entry: &Value, field: &str| entry[field].as_str().unwrap().to_owned();
    let place = |entry: &Value| {
        format!("{}:{}:{} {}", text(entry, "file"), entry["line"], entry["column"], text(entry, "code"))
    };
    entries.iter().map(place).collect()
}

fn misspelt() -> String {
    GREETING.replace(SIGNATURE, "signature: sealed on card ${crad.metadata.uid}")
}

#[test]
fn where_nothing_is_wrong_the_list_is_empty() {
    let desk = Desk::with(&[("rg.yaml", GREETING)]);
    let ran = desk.croft("check -f rg.yaml -o json").done();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("[]\n", ""));
    let ran = desk.croft("check -f rg.yaml").done();
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", "note: 1 definition: 0 errors, 0 warnings\n"));
}

#[test]
fn an_entry_has_all_that_an_editor_needs() {
    let desk = Desk::with(&[("rg.yaml", &misspelt())]);
    let wanted = json!([{
        "file": "rg.yaml",
        "line": 23,
        "column": 37,
        "endLine": 23,
        "endColumn": 41,
        "severity": "error",
        "code": "UnknownIdentifier",
        "message": "references unknown identifiers: [crad]",
        "hint": "did you mean `card`?",
        "pointer": "/spec/resources/0/template/stringData/signature",
    }]);
    assert_eq!(Value::from(entries(&desk, "-f rg.yaml", 1)), wanted);
}

#[test]
fn a_problem_within_an_expression_is_found_however_the_text_is_spelt() {
    for (spelt, line, column) in [
        ("signature: 'it''s ${crad.metadata.uid}'", 23, 29),
        ("signature: \"\\u00e9 é ${crad.metadata.uid}\"", 23, 32),
        ("signature: |\n          first é\n          then ${crad.metadata.uid}", 25, 18),
        ("signature: >-\n          first é\n          then ${crad.metadata.uid}", 25, 18),
        ("signature: \"a\n          b ${crad.metadata.uid}\"", 24, 15),
    ] {
        let text = GREETING.replace(SIGNATURE, spelt);
        for text in [text.replace('\n', "\r\n"), text] {
            let desk = Desk::with(&[("rg.yaml", &text)]);
            let found = entries(&desk, "-f rg.yaml", 1);
            let place = (&found[0]["line"], &found[0]["column"], &found[0]["endColumn"]);
            assert_eq!(place, (&json!(line), &json!(column), &json!(column + 4)), "{text}");
        }
    }
}

#[test]
fn all_definitions_of_all_files_are_checked_whatever_is_wrong_with_one() {
    let second = SOMETHING.replace("name: string\n", "name: strng\n");
    let desk = Desk::with(&[
        ("both.yaml", &format!("{}---\n{ADA}---\n{second}", misspelt())),
        ("broken.yaml", &SOMETHING.replace("resources: []", "resources: [}")),
        ("good.yaml", SOMETHING),
    ]);
    let found = entries(&desk, "-f both.yaml -f broken.yaml -f good.yaml", 1);
    let mut places = places(&found);
    places.sort();
    assert_eq!(places.len(), 3, "{places:?}");
    assert!(places[0].starts_with("both.yaml:23:37 UnknownIdentifier"), "{places:?}");
    assert!(places[1].starts_with("both.yaml:"), "{places:?}");
    assert_eq!(places[2], "broken.yaml:20:15 InvalidYaml");
    let ran = desk.croft("check -f both.yaml -f broken.yaml -f good.yaml");
    ran.refused(&["--> both.yaml:23:37", "--> broken.yaml:20:15", "error: 3 definitions: 3 errors, 0 warnings\n"]);
}

#[test]
fn the_count_is_the_last_line_and_is_said_once() {
    let stderr = Desk::with(&[("rg.yaml", &misspelt())]).croft("check -f rg.yaml").refused(&[]).stderr;
    assert!(stderr.ends_with("\nerror: 1 definition: 1 error, 0 warnings\n"), "{stderr}");
    assert_eq!(stderr.matches("1 definition").count(), 1, "{stderr}");
}

#[test]
fn a_file_that_cannot_be_read_keeps_no_other_from_being_checked() {
    let desk = Desk::with(&[("rg.yaml", &misspelt()), ("good.yaml", GREETING)]);
    assert_eq!(places(&entries(&desk, "-f nowhere.yaml -f rg.yaml", 1)), ["rg.yaml:23:37 UnknownIdentifier"]);
    assert!(entries(&desk, "-f good.yaml -f nowhere.yaml", 1).is_empty());
    let ran = desk.croft("check -f nowhere.yaml -f rg.yaml");
    ran.refused(&["--> rg.yaml:23:37", "error: 1 definition: 1 error, 0 warnings", "cannot read `nowhere.yaml`"]);
}

#[test]
fn without_a_definition_nothing_is_checked() {
    let desk = Desk::with(&[("ada.yaml", ADA), ("lamps.yaml", LAMPS)]);
    assert_eq!(places(&entries(&desk, "-f ada.yaml", 1)), ["ada.yaml:2:7 UnexpectedDocument"]);
    desk.croft("check -f ada.yaml -f lamps.yaml").refused(&["there is no definition among the documents", "hint: "]);
    desk.write("near.yaml", GREETING.replace("kind: ResourceGroup", "kind: ResourceGrup"));
    desk.croft("check -f ada.yaml -f near.yaml").refused(&["--> near.yaml:2:7", "kind: ResourceGroup"]);
    desk.croft("check -f - -f -").refused(&["the standard input can be read only once"]);
}

#[test]
fn a_kind_that_nobody_knows_is_a_warning_that_can_be_denied() {
    let desk = Desk::with(&[("room.yaml", ROOM)]);
    let found = entries(&desk, "-f room.yaml", 0);
    assert_eq!(places(&found), ["room.yaml:15:13 UnknownKind"]);
    assert_eq!(found[0]["severity"], "warning");
    assert_eq!(entries(&desk, "-f room.yaml --deny-warnings", 1), found);
    let ran = desk.croft("check -f room.yaml").done();
    assert!(ran.stderr.ends_with("note: 1 definition: 0 errors, 1 warning\n"), "{}", ran.stderr);
}

#[test]
fn a_kind_is_known_by_its_crd_beside_the_definition_or_in_a_file() {
    let all = format!("{ROOM}---\n{LAMPS}");
    let desk = Desk::with(&[("room.yaml", ROOM), ("lamps.yaml", LAMPS), ("all.yaml", &all)]);
    assert_eq!(places(&entries(&desk, "-f room.yaml --schemas lamps.yaml", 1)), ["room.yaml:19:9 UnknownField"]);
    assert_eq!(places(&entries(&desk, "-f room.yaml -f lamps.yaml", 1)), ["room.yaml:19:9 UnknownField"]);
    assert_eq!(places(&entries(&desk, "-f all.yaml", 1)), ["all.yaml:19:9 UnknownField"]);
}

#[test]
fn a_crd_that_is_wrong_is_told_like_a_definition_and_takes_no_other_with_it() {
    let bad = LAMPS.replace("  group: example.org\n", "");
    let desk = Desk::with(&[("room.yaml", ROOM), ("lamps.yaml", LAMPS), ("bad.yaml", &bad)]);
    let found = entries(&desk, "-f room.yaml --schemas bad.yaml --schemas lamps.yaml", 1);
    assert_eq!(places(&found), ["bad.yaml:5:1 MissingField", "room.yaml:19:9 UnknownField"]);
    assert_eq!(found[0]["pointer"], "/spec/group");
}
