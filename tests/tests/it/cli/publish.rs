//! `croft publish` offline: which objects, under which names, and what is said
//! of a definition that cannot be published.

use serde_json::Value;

use super::{
    Desk,
    render::{GREETING, SOMETHING},
};

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["kind"].as_str().unwrap()).collect()
}

#[test]
fn everything_that_publishes_an_api_is_printed_in_order() {
    let desk = Desk::with(&[("rg.yaml", GREETING)]);
    let ran = desk.croft("publish -f rg.yaml --workspace root:provider:team").done();
    let objects = ran.objects();
    assert_eq!(
        kinds(&objects),
        [
            "CustomResourceDefinition",
            "CustomResourceDefinition",
            "APIResourceSchema",
            "APIExport",
            "APIBinding",
            "ClusterRole",
            "ClusterRoleBinding",
        ]
    );
    assert_eq!(objects[3]["metadata"]["name"], "greetings.kro.run");
    let claimed: Vec<_> =
        objects[3]["spec"]["permissionClaims"].as_array().unwrap().iter().map(|claim| &claim["resource"]).collect();
    assert!(claimed.contains(&&Value::from("configmaps")) && claimed.contains(&&Value::from("secrets")), "{claimed:?}");
    assert_eq!(objects[4]["spec"]["reference"]["export"]["path"], "root:provider:team");
    assert_eq!(ran.stderr, "");
}

#[test]
fn the_shared_layout_exports_the_definitions_too() {
    let desk = Desk::with(&[("rg.yaml", SOMETHING)]);
    let objects = desk.croft("publish -f rg.yaml --layout shared --prefix v2024-12-07 --export mine").done().objects();
    let schemas = objects.iter().filter(|object| object["kind"] == "APIResourceSchema");
    let names: Vec<_> = schemas.map(|schema| schema["metadata"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["v2024-12-07.somethings.kro.run", "v2024-12-07.resourcegroups.kro.run"]);
    assert_eq!(kinds(&objects).iter().filter(|kind| **kind == "APIBinding").count(), 2);
    assert!(objects.iter().any(|object| object["kind"] == "APIExport" && object["metadata"]["name"] == "mine"));
}

#[test]
fn a_changed_definition_gets_a_new_schema_name_and_an_equal_one_does_not() {
    let schema = |definition: &str| {
        let objects = Desk::with(&[("rg.yaml", definition)]).croft("publish -f rg.yaml").done().objects();
        let schema = objects.into_iter().find(|object| object["kind"] == "APIResourceSchema").unwrap();
        schema["metadata"]["name"].as_str().unwrap().to_owned()
    };
    assert_eq!(schema(GREETING), schema(&format!("# a remark\n{GREETING}")));
    assert_ne!(
        schema(GREETING),
        schema(&GREETING.replace("loud: boolean", "noisy: boolean").replace("spec.loud", "spec.noisy"))
    );
}

#[test]
fn a_bad_definition_is_refused_like_everywhere() {
    let desk = Desk::with(&[("rg.yaml", &SOMETHING.replace("name: string\n", "name: strng\n"))]);
    desk.croft("publish -f rg.yaml").refused(&["--> rg.yaml:10:13", "was refused: 1 problem"]);
    desk.write("two.yaml", format!("{SOMETHING}---\na: 1\n"));
    desk.croft("publish -f two.yaml").refused(&["a second document is not expected here"]);
}

#[test]
fn json_is_one_list() {
    let desk = Desk::with(&[("rg.yaml", SOMETHING)]);
    let list: Value = serde_json::from_str(&desk.croft("publish -f rg.yaml -o json").done().stdout).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"].as_array().unwrap(), &desk.croft("publish -f rg.yaml").done().objects());
}
