//! Instances that break the API's schema: refused as a server would, but with
//! the place in the file.

use super::{
    Desk,
    render::{ADA, APP3, GREETING, SOMETHING},
};

#[track_caller]
fn refused(good: &str, bad: &str, says: &[&str]) {
    assert_eq!(APP3.matches(good).count(), 1, "{good}");
    let desk = Desk::with(&[("rg.yaml", SOMETHING), ("app3.yaml", &APP3.replace(good, bad))]);
    desk.croft("render -f rg.yaml -f app3.yaml").refused(says);
}

#[test]
fn a_value_of_another_type_is_refused_where_it_stands() {
    refused(
        "required: 15",
        "required: '15'",
        &["--> app3.yaml:8:13", "must be an integer", "leave the quotes out: `15`"],
    );
    refused("name: app3", "name: 3", &["--> app3.yaml:6:9", "must be a string", "put it in quotes"]);
    refused("config: {}", "config: []", &["app3.yaml:7:", "`spec.config` must be an object, not a list"]);
}

#[test]
fn a_required_field_that_is_missing_is_named_where_it_belongs() {
    refused(
        "  required: 15\n",
        "",
        &["--> app3.yaml:5:1", "`spec.required` is required", "`required` is missing here"],
    );
}

#[test]
fn a_field_that_the_api_lacks_is_refused_with_the_one_that_was_meant() {
    refused("  config: {}", "  config: {}\n  nmuber: 1", &["--> app3.yaml:8:3", "did you mean `number`?"]);
}

#[test]
fn an_instance_without_a_name_is_refused() {
    refused("metadata:\n  name: my-instance-will-cel-functions\n", "", &["an instance needs a name"]);
}

#[test]
fn several_problems_of_an_instance_are_told_at_once() {
    let says = ["app3.yaml:6:9", "app3.yaml:8:3", "app3.yaml was refused: 2 problems"];
    refused("name: app3\n  config: {}", "name: 3\n  config: {}\n  other: 1", &says);
}

#[test]
fn a_document_of_another_kind_is_refused() {
    refused("kind: Something", "kind: Somethings", &["app3.yaml:2:7", "not an instance of Something.kro.run"]);
    refused("v1alpha1", "v1", &["not an instance of Something.kro.run in version v1alpha1"]);
}

#[test]
fn one_refused_instance_of_several_prints_none() {
    let desk = Desk::with(&[
        ("rg.yaml", GREETING),
        ("ada.yaml", ADA),
        ("bad.yaml", &ADA.replace("name: ada\n", "nome: ada\n")),
    ]);
    desk.croft("render -f rg.yaml -f ada.yaml -f bad.yaml").refused(&["--> bad.yaml:"]);
}
