//! Definitions that are wrong: each is refused with the place in the file, an
//! excerpt and, where one can be given, a hint.

use super::{
    Desk,
    render::{GREETING, SOMETHING},
};

/// Replaces one text that occurs exactly once.
#[track_caller]
fn with(text: &str, good: &str, bad: &str) -> String {
    assert_eq!(text.matches(good).count(), 1, "{good}");
    text.replace(good, bad)
}

/// Renders a definition, which must be refused at `line:column` with an excerpt
/// that shows this source line, saying all of these.
#[track_caller]
fn refused(definition: &str, at: &str, line: &str, says: &[&str]) {
    let ran = Desk::with(&[("rg.yaml", definition)]).croft("render -f rg.yaml").refused(says);
    let place = format!("--> rg.yaml:{at}\n");
    assert!(ran.stderr.contains(&place), "not at {at}:\n{}", ran.stderr);
    let number = at.split(':').next().unwrap();
    assert!(ran.stderr.contains(&format!("{number} | {line}\n")), "no excerpt `{line}`:\n{}", ran.stderr);
    assert!(ran.stderr.contains("error: rg.yaml was refused: "), "{}", ran.stderr);
}

#[test]
fn an_unknown_type_is_refused_where_it_stands() {
    let bad = with(SOMETHING, "name: string\n", "name: strng\n");
    refused(&bad, "10:13", "      name: strng", &["strng", "hint: "]);
}

#[test]
fn an_unknown_marker_is_refused_where_it_stands() {
    let bad = with(SOMETHING, "integer | default=200\n", "integer | defualt=200\n");
    refused(&bad, "18:27", "        field2: integer | defualt=200", &["defualt", "hint: "]);
}

#[test]
fn a_default_of_another_type_is_refused() {
    let bad = with(SOMETHING, "'integer | default=100'", "'integer | default=\"many\"'");
    let ran = Desk::with(&[("rg.yaml", &bad)]).croft("render -f rg.yaml").refused(&["--> rg.yaml:15:"]);
    assert!(ran.stderr.contains("many"), "{}", ran.stderr);
}

#[test]
fn a_reference_to_nothing_is_refused_within_its_expression() {
    let bad = with(GREETING, "${card.metadata.uid}", "${crad.metadata.uid}");
    refused(&bad, "23:37", "        signature: sealed on card ${crad.metadata.uid}", &["crad", "card"]);
}

#[test]
fn a_cycle_is_refused_with_its_ids() {
    let bad = with(GREETING, "${schema.spec.greeting}, ", "${seal.metadata.uid}, ");
    let ran = Desk::with(&[("rg.yaml", &bad)]).croft("render -f rg.yaml").refused(&["cycle", "seal", "card"]);
    assert!(ran.stderr.contains("--> rg.yaml:"), "{}", ran.stderr);
}

#[test]
fn an_id_given_twice_is_refused() {
    let bad = with(GREETING, "- id: horn", "- id: card");
    let ran = Desk::with(&[("rg.yaml", &bad)]).croft("render -f rg.yaml").refused(&["card", "--> rg.yaml:32:9"]);
    assert!(ran.stderr.contains("- id: card"), "{}", ran.stderr);
}

#[test]
fn an_expression_that_does_not_parse_is_refused_where_it_stands() {
    let bad = with(GREETING, "${schema.spec.loud}", "${schema.spec.loud &&}");
    let ran = Desk::with(&[("rg.yaml", &bad)]).croft("render -f rg.yaml").refused(&["--> rg.yaml:34:28"]);
    assert!(ran.stderr.contains("    - ${schema.spec.loud &&}"), "{}", ran.stderr);
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let bad = with(SOMETHING, "name: string\n", "name: strng\n");
    let bad = with(&bad, "'boolean | default=true'", "bool");
    let ran = Desk::with(&[("rg.yaml", &bad)]).croft("render -f rg.yaml").refused(&["was refused: 2 problems"]);
    let (first, second) = (ran.stderr.find("rg.yaml:10:").unwrap(), ran.stderr.find("rg.yaml:14:").unwrap());
    assert!(first < second, "{}", ran.stderr);
}

#[test]
fn a_text_that_is_no_yaml_is_refused_where_it_breaks() {
    refused_yaml(&with(SOMETHING, "    kind: Something", "     kind: Something"), "8:10", "check the indentation");
    refused_yaml(&with(SOMETHING, "  resources: []", "\tresources: []"), "20:1", "indent with spaces");
    refused_yaml(&with(SOMETHING, "  resources: []", "  resources: [}"), "20:15", "a value belongs here");
}

#[test]
fn what_kubectl_takes_silently_is_warned_of() {
    let warned = |text: &str, words: &[&str]| {
        let ran = Desk::with(&[("rg.yaml", text)]).croft("check -f rg.yaml").done();
        assert!(words.iter().all(|word| ran.stderr.contains(word)), "{}", ran.stderr);
    };
    warned(&(SOMETHING.to_owned() + "  resources: []\n"), &["--> rg.yaml:21:3", "keep one of the two"]);
    let no = with(SOMETHING, "name: string\n", "no: string\n");
    warned(&no, &["--> rg.yaml:10:7", "means `false` to kubectl", "quote it: `\"no\":`"]);
}

#[track_caller]
fn refused_yaml(text: &str, at: &str, hint: &str) {
    let place = format!("--> rg.yaml:{at}\n");
    Desk::with(&[("rg.yaml", text)]).croft("render -f rg.yaml").refused(&[&place, "= hint: ", hint]);
}

const MULTI_LINE: &str = "\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata:
  name: mlq
spec:
  schema:
    apiVersion: v1alpha1
    kind: Mlq
    spec:
      host: string | default=\"a\"
    status:
      endpoint: '${
        cm.?data.?host.orValue(\"\") != \"\"
        ? (\"https://\" + cm.data.host)
        : \"\"
      }'
  resources:
  - id: cm
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: a}
      data: {
        host: \"${
        schema.spec.host
      }\"
      }
";

#[test]
fn a_quoted_text_may_end_in_the_column_of_its_key() {
    Desk::with(&[("rg.yaml", MULTI_LINE)]).croft("check -f rg.yaml").done();
    let wrong = MULTI_LINE.replace("schema.spec.host", "schema.spec.hots");
    let ran = Desk::with(&[("rg.yaml", &wrong)]).croft("check -f rg.yaml").refused(&["did you mean `host`?"]);
    assert!(ran.stderr.contains("--> rg.yaml:25:21"), "{}", ran.stderr);
}

#[test]
fn an_iterator_called_n_is_false_as_for_kubectl() {
    let text = "\
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: yn}
spec:
  schema: {apiVersion: v1alpha1, kind: Yn, spec: {names: '[]string | default=[\"a\"]'}}
  resources:
  - id: cms
    forEach:
    - n: ${schema.spec.names}
    template: {apiVersion: v1, kind: ConfigMap, metadata: {name: 'x-${n}'}, data: {y: \"1\"}}
";
    let words =
        ["--> rg.yaml:9:7", "means `false` to kubectl", "forEach iterator name \"false\"", "quote it: `\"y\":`"];
    let ran = Desk::with(&[("rg.yaml", text)]).croft("check -f rg.yaml").refused(&[]);
    assert!(words.iter().all(|word| ran.stderr.contains(word)), "{}", ran.stderr);
}
