//! `croft explain` and `croft graph`, which tell of a definition, and `croft
//! render --explain`, which tells of an instance.

use serde_json::{Value, json};

use super::{
    Desk,
    render::{ADA, GREETING},
};

const WEBAPP: &str = include_str!("../../../../examples/webapp/definition.yaml");

/// What depends on what in `WEBAPP`, and whether it only reads it. `WebApp` is
/// the instance.
const NEEDS: [(&str, &str, bool); 5] = [
    ("WebApp", "identity", false),
    ("banners", "site", true),
    ("identity", "site", false),
    ("WebApp", "pages", false),
    ("pages", "audit", false),
];

/// A collection, a child that needs it, and objects of others: one by name, any
/// number by label.
const SITE: &str = r#"apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata:
  name: sites
spec:
  schema:
    apiVersion: v1alpha1
    kind: Site
    shortNames: [st]
    spec:
      pages: "[]string | default=[]"
    status:
      count: ${size(page)}
      uid: ${index.metadata.uid}
  resources:
  - id: settings
    externalRef:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: settings, namespace: shared}
    readyWhen:
    - ${settings.data.open == "yes"}
  - id: parts
    externalRef:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        namespace: shared
        selector: {matchLabels: {app: shop}}
  - id: page
    forEach:
    - path: ${schema.spec.pages}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: "${schema.metadata.name}-${path}"}
      data: {parts: "${string(size(parts))}"}
  - id: index
    template:
      apiVersion: v1
      kind: Secret
      metadata: {name: index}
      stringData: {count: "${string(size(page))}", open: "${settings.data.open}"}
"#;

const ONE: &str = "\
apiVersion: kro.run/v1alpha1
kind: Site
metadata:
  name: one
  namespace: team
spec:
  pages: [b, a]
";

const LIVE: &str = "\
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: ConfigMap, metadata: {name: settings, namespace: shared}, data: {open: 'no'}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: x, namespace: shared, labels: {app: shop}}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: 'y', namespace: shared, labels: {app: shop}}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: one-a, namespace: team}}
";

fn site() -> Desk {
    Desk::with(&[("rg.yaml", SITE), ("one.yaml", ONE), ("live.yaml", LIVE)])
}

/// What `render --explain` says of an instance, line by line.
#[track_caller]
fn lines(desk: &Desk, more: &str) -> Vec<String> {
    let ran = desk.croft(&format!("render -f rg.yaml -f one.yaml --explain {more}")).done();
    ran.stderr.lines().map(str::to_owned).collect()
}

/// A drawing of `WEBAPP`.
#[track_caller]
fn drawn(args: &str) -> String {
    let ran = Desk::with(&[("rg.yaml", WEBAPP)]).croft(&format!("graph -f rg.yaml {args}")).done();
    assert_eq!(ran.stderr, "");
    ran.stdout
}

/// The lines of a drawing that have this in them, without their margins, sorted.
fn sorted<'a>(drawing: &'a str, part: &str) -> Vec<&'a str> {
    let mut lines: Vec<&str> = drawing.lines().map(str::trim).filter(|line| line.contains(part)).collect();
    lines.sort_unstable();
    lines
}

/// How a format says each of `NEEDS`, sorted.
fn needs(say: impl Fn(&str, &str, bool) -> String) -> Vec<String> {
    let mut lines: Vec<String> = NEEDS.into_iter().map(|(from, to, is_read)| say(from, to, is_read)).collect();
    lines.sort_unstable();
    lines
}

#[test]
fn a_definition_is_told_in_columns() {
    let ran = Desk::with(&[("rg.yaml", GREETING)]).croft("explain -f rg.yaml").done();
    assert_eq!(ran.stderr, "");
    let lines: Vec<&str> = ran.stdout.lines().collect();
    assert_eq!(lines[..2], ["API     kro.run/v1alpha1 Greeting, greetings, namespaced", "Module  builtin:kro"]);
    assert!(lines[2].starts_with("        sha256:") && lines[3].ends_with(" bytes"), "{lines:?}");
    assert_eq!(
        lines[4..],
        [
            "",
            "In the order in which they are created:",
            "  ID    ROLE   KIND          DEPENDS ON  NEEDED BY",
            "  card  child  ConfigMap v1  -           seal",
            "  horn  child  ConfigMap v1  -           -",
            "  seal  child  Secret v1     card        -",
            "",
            "A consumer is asked for rights on:",
            "  configmaps  get, list, watch, create, update, patch, delete",
            "  secrets     get, list, watch, create, update, patch, delete",
        ]
    );
}

#[test]
fn json_tells_all_of_it_to_programs() {
    let ran = site().croft("explain -f rg.yaml -o json").done();
    let told: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(
        told["api"],
        json!({
            "apiVersion": "kro.run/v1alpha1",
            "group": "kro.run",
            "version": "v1alpha1",
            "kind": "Site",
            "plural": "sites",
            "scope": "Namespaced",
            "shortNames": ["st"],
        })
    );
    let node = |id: &str| told["nodes"].as_array().unwrap().iter().find(|node| node["id"] == id).unwrap().clone();
    assert_eq!(
        node("page"),
        json!({
            "id": "page",
            "role": "collection",
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "dependsOn": ["parts"],
            "neededBy": ["index"],
        })
    );
    assert_eq!(
        (node("settings")["role"].clone(), node("parts")["role"].clone()),
        ("external".into(), "external collection".into())
    );
    // It is managed as well, and so claimed with all verbs.
    assert_eq!(told["reads"], json!(["ConfigMap"]));
    let claimed: Vec<&Value> = told["claims"].as_array().unwrap().iter().map(|claim| &claim["resource"]).collect();
    assert_eq!(claimed, ["configmaps", "secrets"]);
    assert_eq!(told["module"]["reference"], "builtin:kro");
    assert!(told["module"]["programBytes"].as_u64().unwrap() > 0, "{told}");
    assert_eq!(told["unknownKinds"], json!([]));
}

#[test]
fn a_kind_whose_resource_is_a_guess_is_named() {
    let lamp =
        GREETING.replacen("apiVersion: v1\n      kind: ConfigMap", "apiVersion: example.org/v1\n      kind: Lamp", 1);
    let ran = Desk::with(&[("rg.yaml", &lamp)]).croft("explain -f rg.yaml").done();
    assert!(ran.stdout.ends_with("\nNot known offline: Lamp.example.org\n"), "{}", ran.stdout);
}

#[test]
fn a_bad_definition_is_not_explained() {
    let desk = Desk::with(&[("rg.yaml", &GREETING.replace("${card.metadata.uid}", "${crad.metadata.uid}"))]);
    desk.croft("explain -f rg.yaml").refused(&["--> rg.yaml:23:37", "was refused: 1 problem"]);
}

#[test]
fn what_is_read_and_not_there_is_said_with_what_was_looked_for() {
    assert_eq!(
        lines(&site(), ""),
        [
            "Site team/one: IN_PROGRESS",
            "  read: settings: ConfigMap shared/settings, nothing found",
            "  read: parts: ConfigMap with app=shop in shared, nothing found",
            "  collection: page: 2 objects, 2 to be created",
            "  to be created: page: ConfigMap team/one-a, after parts",
            "  to be created: page: ConfigMap team/one-b, after parts",
            "  blocked: index waits for `settings`, `page` to be ready",
            "  absent: status.count, status.uid",
        ]
    );
}

#[test]
fn what_was_found_is_counted_and_what_is_not_ready_says_why() {
    let lines = lines(&site(), "--observed live.yaml");
    for line in [
        "  read: settings: ConfigMap shared/settings, 1 object found",
        "  read: parts: ConfigMap with app=shop in shared, 2 objects found: shared/x, shared/y",
        "  collection: page: 2 objects, 1 ready, 1 to be created",
        "  ready: page: ConfigMap team/one-a, after parts",
        "  to be created: page: ConfigMap team/one-b, after parts",
    ] {
        assert!(lines.iter().any(|it| it == line), "`{line}` is not in {lines:#?}");
    }
    let unready = lines.iter().find(|line| line.starts_with("  not ready (")).unwrap();
    assert!(unready.contains("readyWhen") && unready.ends_with("): settings: ConfigMap shared/settings"), "{unready}");
}

#[test]
fn an_instance_that_is_left_alone_says_so_of_its_children() {
    let desk = site();
    desk.write("one.yaml", ONE.replace("  namespace: team\n", "  annotations: {kro.run/reconcile: suspended}\n"));
    let lines = lines(&desk, "");
    assert!(lines[1].starts_with("  suspended: "), "{lines:#?}");
    assert!(lines.iter().any(|line| line == "  collection: page: 2 objects, 2 held back"), "{lines:#?}");
}

#[test]
fn a_reason_is_not_said_twice() {
    let desk = Desk::with(&[("rg.yaml", GREETING), ("one.yaml", ADA)]);
    let lines = lines(&desk, "");
    assert!(lines.iter().any(|line| line == "  blocked: seal waits for `card` to be ready"), "{lines:#?}");
    assert!(lines.iter().any(|line| line == "  absent: status.message"), "{lines:#?}");
}

#[test]
fn mermaid_is_the_usual_drawing_and_has_all_arrows_and_shapes() {
    let drawing = drawn("-o mermaid");
    assert_eq!(drawing, drawn(""));
    assert!(drawing.starts_with("flowchart TD\n"), "{drawing}");
    let name = |id: &str| if id == "WebApp" { "instance".to_owned() } else { format!("id_{id}") };
    let arrow = |is_read| if is_read { "-.->" } else { "-->" };
    let wanted = needs(|from, to, is_read| format!("{} {} {}", name(from), arrow(is_read), name(to)));
    assert_eq!(sorted(&drawing, "->"), wanted);
    for line in [
        r#"instance(["WebApp<br/>kro.run/v1alpha1<br/>instance"])"#,
        r#"id_banners{{"banners<br/>ConfigMap v1<br/>external collection"}}"#,
        r#"id_pages[["pages<br/>ConfigMap v1<br/>collection"]]"#,
        r#"id_audit["audit<br/>Secret v1<br/>child"]"#,
        "class id_banners external",
    ] {
        assert!(drawing.lines().any(|it| it.trim() == line), "`{line}` is not in:\n{drawing}");
    }
}

#[test]
fn dot_dashes_what_is_only_read() {
    let drawing = drawn("-o dot");
    assert!(drawing.starts_with("digraph \"WebApp kro.run/v1alpha1\" {\n") && drawing.ends_with("}\n"), "{drawing}");
    let name = |id: &str| if id == "WebApp" { "WebApp kro.run/v1alpha1".to_owned() } else { id.to_owned() };
    let style = |is_read| if is_read { " [style=dashed]" } else { "" };
    let wanted = needs(|from, to, is_read| format!("\"{}\" -> \"{}\"{};", name(from), name(to), style(is_read)));
    assert_eq!(sorted(&drawing, " -> "), wanted);
    assert_eq!(sorted(&drawing, "label=").len(), 6, "{drawing}");
    assert_eq!(sorted(&drawing, "peripheries=2").len(), 2, "the collections:\n{drawing}");
}

#[test]
fn the_picture_of_the_readme_is_what_graph_draws() {
    let written = drawn("-o svg");
    let picture = include_str!("../../../../docs/images/webapp.svg");
    assert_eq!(written, picture, "`croft graph -f examples/webapp/definition.yaml -o svg > docs/images/webapp.svg`");
}

#[test]
fn svg_is_one_picture_that_says_each_arrow_in_words() {
    let drawing = drawn("-o svg");
    assert!(drawing.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" "), "{drawing}");
    assert!(drawing.ends_with("</svg>\n") && drawing.matches("<svg").count() == 1, "{drawing}");
    for (from, to, is_read) in NEEDS {
        let (verb, class) = if is_read { ("reads", "edge read") } else { ("needs", "edge") };
        let arrow = format!("<title>{to} {verb} {from}</title><path class=\"{class}\" ");
        assert_eq!(drawing.matches(&arrow).count(), 1, "`{arrow}` in:\n{drawing}");
    }
    let said = |verb: &str| sorted(&drawing, "<title>").iter().filter(|line| line.contains(verb)).count();
    assert_eq!((said(" needs "), said(" reads ")), (4, 1), "{drawing}");
}

#[test]
fn a_bad_definition_is_not_drawn() {
    let desk = Desk::with(&[("rg.yaml", &GREETING.replace("${card.metadata.uid}", "${crad.metadata.uid}"))]);
    for format in ["mermaid", "dot", "svg"] {
        desk.croft(&format!("graph -f rg.yaml -o {format}")).refused(&["--> rg.yaml:23:37", "was refused: 1 problem"]);
    }
}
