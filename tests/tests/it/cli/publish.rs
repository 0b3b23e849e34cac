//! `croft publish` offline: which objects, under which names, what is said of a
//! definition that cannot be published, and of one that would break consumers.

use serde_json::Value;

use super::{
    Desk,
    render::{GREETING, SOMETHING},
};

/// Compares with `old.yaml`, and says nothing of the workspace.
const AGAINST_OLD: &str = "publish -f rg.yaml --workspace root:provider --against old.yaml";

fn kinds(objects: &[Value]) -> Vec<&str> {
    objects.iter().map(|object| object["kind"].as_str().unwrap()).collect()
}

/// `GREETING` with another name for one of its fields.
fn renamed() -> String {
    GREETING.replace("loud: boolean", "noisy: boolean").replace("spec.loud", "spec.noisy")
}

/// What was published of `GREETING`, in `old.yaml`, and a definition to publish
/// now, in `rg.yaml`.
fn republished(definition: &str) -> Desk {
    let desk = Desk::with(&[("rg.yaml", GREETING)]);
    desk.write("old.yaml", desk.croft("publish -f rg.yaml").done().stdout);
    desk.write("rg.yaml", definition);
    desk
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
    assert_ne!(schema(GREETING), schema(&renamed()));
}

#[test]
fn a_bad_definition_is_refused_like_everywhere() {
    let desk = Desk::with(&[("rg.yaml", &SOMETHING.replace("name: string\n", "name: strng\n"))]);
    desk.croft("publish -f rg.yaml").refused(&["--> rg.yaml:10:13", "was refused: 1 problem"]);
    desk.write("two.yaml", format!("{SOMETHING}---\na: 1\n"));
    desk.croft("publish -f two.yaml").refused(&["this is not a definition", "--> two.yaml:22:1"]);
}

#[test]
fn json_is_one_list() {
    let desk = Desk::with(&[("rg.yaml", SOMETHING)]);
    let list: Value = serde_json::from_str(&desk.croft("publish -f rg.yaml -o json").done().stdout).unwrap();
    assert_eq!(list["kind"], "List");
    assert_eq!(list["items"].as_array().unwrap(), &desk.croft("publish -f rg.yaml").done().objects());
}

#[test]
fn a_field_that_is_renamed_breaks_consumers_and_is_refused() {
    let ran = republished(&renamed()).croft(AGAINST_OLD).refused(&[
        "note: breaks consumers: `spec.loud` is removed (PROPERTY_REMOVED); keep the field",
        "note: changes for consumers: `spec.noisy` is new (PROPERTY_ADDED)\n",
        "error: breaking changes detected in `Greeting.kro.run`: 1, compared with `old.yaml`\n",
        "hint: break consumers nevertheless with `--allow-breaking-changes`",
    ]);
    assert_eq!(ran.stderr.matches("note: ").count(), 2, "{}", ran.stderr);
}

#[test]
fn consumers_are_broken_where_the_flag_or_the_annotation_says_so() {
    let annotated = renamed().replacen(
        "  name: greetings.kro.run\n",
        "  name: greetings.kro.run\n  annotations: {kro.run/allow-breaking-changes: \"true\"}\n",
        1,
    );
    let unwilling = annotated.replace("\"true\"}", "\"false\"}");
    republished(&unwilling).croft(AGAINST_OLD).refused(&["(PROPERTY_REMOVED)"]);
    let flag = format!("{AGAINST_OLD} --allow-breaking-changes");
    for (definition, args) in [(renamed(), flag.as_str()), (annotated, AGAINST_OLD)] {
        let ran = republished(&definition).croft(args).done();
        assert!(kinds(&ran.objects()).contains(&"APIResourceSchema"), "{}", ran.stdout);
        assert_eq!(
            ran.stderr,
            "note: changes for consumers: `spec.noisy` is new (PROPERTY_ADDED)\n\
             note: breaks consumers, as allowed: `spec.loud` is removed (PROPERTY_REMOVED)\n"
        );
    }
}

#[test]
fn a_field_that_may_be_left_out_breaks_nobody() {
    let more = GREETING.replace("      loud: boolean", "      mood: string\n      loud: boolean");
    let ran = republished(&more).croft(AGAINST_OLD).done();
    assert!(!ran.objects().is_empty());
    assert_eq!(ran.stderr, "note: changes for consumers: `spec.mood` is new (PROPERTY_ADDED)\n");
}

#[test]
fn the_same_api_changes_nothing_by_its_crd_and_by_its_schema() {
    let desk = republished(GREETING);
    let published = desk.croft("publish -f rg.yaml --workspace root:provider").done();
    let objects = published.objects();
    for kind in ["CustomResourceDefinition", "APIResourceSchema"] {
        // JSON is YAML too.
        desk.write("old.yaml", objects.iter().find(|object| object["kind"] == kind).unwrap().to_string());
        let ran = desk.croft(AGAINST_OLD).done();
        assert_eq!(ran.stderr, "note: nothing changes for consumers, compared with `old.yaml`\n", "{kind}");
        assert_eq!(ran.stdout, published.stdout, "{kind}");
    }
}

#[test]
fn there_must_be_something_to_compare_with() {
    let desk = republished(GREETING);
    desk.write("other.yaml", SOMETHING);
    for args in ["--against rg.yaml", "--against other.yaml"] {
        desk.croft(&format!("publish -f rg.yaml {args}")).refused(&[
            "holds no version of the API `Greeting.kro.run`",
            "hint: give its CRD, its APIResourceSchema, or what `croft publish` printed",
        ]);
    }
    desk.croft("publish -f rg.yaml --against nowhere.yaml").refused(&["cannot read `nowhere.yaml`"]);
    desk.croft("publish -f - --against -").refused(&["the standard input can be read only once"]);
}

/// A definition with children that kcp itself does not serve, of either kind.
const WORKLOAD: &str = "apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: apps.kro.run}
spec:
  schema:
    apiVersion: v1alpha1
    kind: App
    spec: {image: string | required=true}
  resources:
  - id: settings
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.metadata.name}'}
  - id: web
    template:
      apiVersion: v1
      kind: Service
      metadata: {name: '${schema.metadata.name}'}
      spec: {ports: [{port: 80}]}
  - id: server
    template:
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: '${schema.metadata.name}'}
      spec:
        selector: {matchLabels: {app: '${schema.metadata.name}'}}
        template:
          metadata: {labels: {app: '${schema.metadata.name}'}}
          spec: {containers: [{name: main, image: '${schema.spec.image}'}]}
";
const IDENTIFIED: &str = "--identity deployments.apps=ab12 --identity services=cd34";

#[test]
fn what_kcp_does_not_serve_is_told_before_anything_is_published() {
    let desk = Desk::with(&[("rg.yaml", WORKLOAD)]);
    let said = desk.croft("check -f rg.yaml").done().stderr;
    assert!(said.contains("note: not served by kcp itself") && said.contains("deployments.apps, services"), "{said}");
    assert_eq!(desk.croft("check -f rg.yaml -o json").done().stderr, "");
    let told = desk.croft("explain -f rg.yaml").done().stdout;
    assert!(told.contains("Not served by kcp itself") && told.contains("\n  services\n"), "{told}");
    let told: Value = serde_json::from_str(&desk.croft("explain -f rg.yaml -o json").done().stdout).unwrap();
    assert_eq!(told["notOfKcp"], serde_json::json!(["services", "deployments.apps"]));
    desk.write("rg.yaml", GREETING);
    assert!(!desk.croft("check -f rg.yaml").done().stderr.contains("not served"));
    assert!(!desk.croft("explain -f rg.yaml").done().stdout.contains("Not served"));
}

#[test]
fn a_claim_without_an_identity_is_told_and_not_handed_out() {
    let desk = Desk::with(&[("rg.yaml", WORKLOAD)]);
    let said = desk.croft("publish -f rg.yaml --workspace root:provider").done().stderr;
    assert!(said.contains("claims services, deployments.apps without saying whose"), "{said}");
    desk.croft("publish -f rg.yaml -o provider --identity services=cd34")
        .refused(&["claims deployments.apps without saying whose", "hint: give `--identity deployments.apps=HASH`"]);
    let ran = desk.croft(&format!("publish -f rg.yaml --workspace root:provider --accept-claims {IDENTIFIED}")).done();
    assert_eq!(ran.stderr, "");
    let objects = ran.objects();
    for kind in ["APIExport", "APIBinding"] {
        let object = objects.iter().find(|object| object["kind"] == kind).unwrap();
        let claims = object["spec"]["permissionClaims"].as_array().unwrap();
        let identity =
            |resource: &str| claims.iter().find(|claim| claim["resource"] == resource).unwrap()["identityHash"].clone();
        assert_eq!((identity("deployments"), identity("services")), ("ab12".into(), "cd34".into()), "{kind}");
        assert_eq!(identity("configmaps"), Value::Null, "{kind}");
    }
}

#[test]
fn an_identity_that_nobody_needs_is_refused() {
    let desk = Desk::with(&[("rg.yaml", WORKLOAD)]);
    for (given, said) in [
        ("deployment.apps=ab12", "names `deployment.apps`, which the definition does not need"),
        ("configmaps=ab12", "names `configmaps`, which kcp itself serves"),
    ] {
        desk.croft(&format!("publish -f rg.yaml --identity {given}"))
            .refused(&[said, "hint: it needs the identity of `services`, `deployments.apps`"]);
    }
    desk.croft("publish -f rg.yaml --identity services=a --identity services=b")
        .refused(&["two identities of `services`"]);
    assert_eq!(desk.croft("publish -f rg.yaml --identity services").status, 2);
}

#[test]
fn what_goes_where_is_printed_to_be_applied_in_order() {
    let desk = Desk::with(&[("rg.yaml", GREETING)]);
    let objects = desk.croft("publish -f rg.yaml -o provider").done().objects();
    assert_eq!(
        kinds(&objects),
        ["CustomResourceDefinition", "APIResourceSchema", "APIExport", "ClusterRole", "ClusterRoleBinding"]
    );
    assert_eq!(objects[0]["metadata"]["name"], "resourcegroups.kro.run");
    let objects = desk.croft("publish -f rg.yaml -o definition").done().objects();
    assert_eq!((kinds(&objects), &objects[0]["metadata"]["namespace"]), (vec!["ResourceGroup"], &"default".into()));
    desk.croft("publish -f rg.yaml -o consumer")
        .refused(&["names no workspace", "hint: give the provider's with `--workspace`"]);
    let ran = desk.croft("publish -f rg.yaml -o consumer --workspace root:provider").done();
    let objects = ran.objects();
    assert_eq!(kinds(&objects), ["APIBinding"]);
    assert_eq!(objects[0]["spec"].get("permissionClaims"), None);
    assert!(
        ran.stdout.contains("\n#  permissionClaims:\n") && ran.stdout.contains("#    state: Accepted\n"),
        "{}",
        ran.stdout
    );
    // The remark is what it says: a part of `spec`.
    let answered: String = ran
        .stdout
        .lines()
        .filter(|line| !line.starts_with("# ") || line.starts_with("#  "))
        .map(|line| format!("{}\n", line.strip_prefix('#').unwrap_or(line)))
        .collect();
    desk.write("answered.yaml", &answered);
    let accepting = desk.croft("publish -f rg.yaml -o consumer --workspace root:provider --accept-claims").done();
    let source = host::yaml::Source::parse("answered", &answered).unwrap();
    assert_eq!(source.documents[0].value, accepting.objects()[0]);
    let shared = desk.croft("publish -f rg.yaml -o provider --layout shared").done().objects();
    assert!(!kinds(&shared).contains(&"CustomResourceDefinition"), "{shared:#?}");
    assert_eq!(shared.last().unwrap()["kind"], "APIBinding");
}

/// A definition whose child is an instance of `SOMETHING`'s API.
const OUTER: &str = "apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: outers.kro.run}
spec:
  schema: {apiVersion: v1alpha1, kind: Outer, spec: {size: integer}}
  resources:
  - id: inner
    template:
      apiVersion: kro.run/v1alpha1
      kind: Inner
      metadata: {name: '${schema.metadata.name}'}
      spec: {size: '${schema.spec.size}'}
";
const INNER: &str = "apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: inners.kro.run}
spec:
  schema: {apiVersion: v1alpha1, kind: Inner, spec: {size: integer}}
  resources: []
";

#[test]
fn several_definitions_are_printed_part_by_part() {
    let desk = Desk::with(&[("outer.yaml", OUTER), ("inner.yaml", INNER)]);
    let all = "publish -f outer.yaml -f inner.yaml --workspace root:provider --identity inners.kro.run=ab12";
    let provider = desk.croft(&format!("{all} -o provider")).done().objects();
    let crds = provider.iter().filter(|object| object["kind"] == "CustomResourceDefinition");
    assert_eq!(crds.count(), 1, "{provider:#?}");
    assert_eq!(kinds(&provider).iter().filter(|kind| **kind == "APIExport").count(), 2);
    assert_eq!(desk.croft(&format!("{all} -o definition")).done().objects().len(), 2);
    assert_eq!(kinds(&desk.croft(&format!("{all} -o consumer")).done().objects()), ["APIBinding"; 2]);
    desk.croft(&format!("{all} --layout shared"))
        .refused(&["this is a second ResourceGraphDefinition for the shared layout"]);
}

#[test]
fn what_cannot_name_a_workspace_or_an_object_is_refused_before_anything_is_printed() {
    let desk = Desk::with(&[("rg.yaml", GREETING)]);
    for (option, what) in [
        ("--workspace=", "expected the path of a workspace"),
        ("--workspace=ROOT:x", "expected the path of a workspace"),
        ("--workspace=root/x", "expected the path of a workspace"),
        ("--export=A_B", "expected a name"),
        ("--export=a:b", "expected a name"),
        ("--prefix=A_B", "expected lower-case letters"),
        ("--prefix=v1.2", "expected lower-case letters"),
    ] {
        let ran = desk.croft(&format!("publish -f rg.yaml {option}"));
        assert_eq!(ran.status, 2, "{option}");
        assert!(ran.stderr.contains(what), "{option}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{option}");
    }
}
