use contract::{Api, Role, Scope, UsedKind};

use serde_json::json;

use super::*;

fn gvk(kind: &str) -> Gvk {
    let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
    Gvk { group: group.into(), version: "v1".into(), kind: kind.into() }
}

fn blueprint() -> Blueprint {
    let node = |id: &str, depends_on: &[&str]| Node {
        id: id.into(),
        role: Role::Child,
        kind: gvk("ConfigMap"),
        depends_on: depends_on.iter().map(|id| (*id).to_owned()).collect(),
    };
    let manage = |kind: &str| UsedKind { kind: gvk(kind), access: Access::Manage };
    Blueprint {
        api: Api { kind: gvk("kro.run/Web"), plural: "webs".into(), scope: Scope::Namespaced, crd: Value::Null },
        kinds: vec![manage("ConfigMap"), manage("Namespace"), manage("kro.run/Web")],
        nodes: vec![node("a", &[]), node("b", &["a"]), node("c", &["a", "b"])],
    }
}

fn kinds() -> Kinds {
    let known = |kind: &str| (gvk(kind), crate::kinds::builtin(&gvk(kind)).unwrap());
    Kinds::from([known("ConfigMap"), known("Namespace")])
}

fn instance() -> Value {
    json!({"metadata": {"name": "shop", "namespace": "team", "uid": "u1"}})
}

fn child(id: &str, manifest: Value) -> Child {
    Child { id: id.into(), key: String::new(), manifest, depends_on: Vec::new() }
}

fn config_map(metadata: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
}

fn admit_with(children: Vec<Child>, claims: Option<&Claims>) -> Result<Vec<Admitted>, Violation> {
    let rendering = Rendering { children, ..Rendering::default() };
    admit(&rendering, Rules { blueprint: &blueprint(), kinds: &kinds(), claims, instance: &instance() })
}

fn refused(children: Vec<Child>) -> (&'static str, String) {
    let violation = admit_with(children, None).unwrap_err();
    (violation.reason(), violation.to_string())
}

#[test]
fn an_instance_has_twelve_hundred_children_and_not_one_more() {
    let children = |count: usize| {
        let child = |number: usize| {
            let manifest = config_map(json!({"name": format!("x{number}")}));
            Child { key: number.to_string(), ..child("a", manifest) }
        };
        (0..count).map(child).collect::<Vec<_>>()
    };
    assert_eq!(admit_with(children(1200), None).unwrap().len(), 1200);
    let (reason, message) = refused(children(1201));
    assert_eq!(reason, "TooManyChildren");
    assert!(message.contains("1201"), "{message}");
}

#[test]
fn a_child_goes_where_its_instance_is_and_carries_its_name() {
    let admitted = admit_with(vec![child("c", config_map(json!({"name": "x"})))], None).unwrap();
    assert_eq!(admitted[0].target().to_string(), "ConfigMap team/x");
    assert_eq!(admitted[0].wave(), 2);
    let metadata = &admitted[0].manifest()["metadata"];
    assert_eq!(metadata["labels"], json!({"croft.run/instance": "u1"}));
    assert_eq!(metadata["annotations"]["croft.run/owner"], "Web.kro.run team/shop");
    assert_eq!(metadata["annotations"]["croft.run/manifest"], admitted[0].digest().as_str());
}

#[test]
fn a_cluster_scoped_child_stays_without_a_namespace() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "x"}});
    let admitted = admit_with(vec![child("a", namespace.clone())], None).unwrap();
    assert_eq!(admitted[0].target().to_string(), "Namespace x");
    let mut placed = namespace;
    placed["metadata"]["namespace"] = "team".into();
    assert_eq!(refused(vec![child("a", placed)]).0, "InvalidManifest");
}

#[test]
fn a_secrets_text_is_applied_as_the_server_keeps_it() {
    let mut blueprint = blueprint();
    blueprint.kinds.push(UsedKind { kind: gvk("Secret"), access: Access::Manage });
    let mut kinds = kinds();
    kinds.insert(gvk("Secret"), crate::kinds::builtin(&gvk("Secret")).unwrap());
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}, "data": {"a": "MQ=="}, "stringData": {"b": "2"},
    });
    let rendering = Rendering { children: vec![child("a", secret)], ..Rendering::default() };
    let rules = Rules { blueprint: &blueprint, kinds: &kinds, claims: None, instance: &instance() };
    let manifest = admit(&rendering, rules).unwrap()[0].manifest().clone();
    assert_eq!((&manifest["data"], manifest.get("stringData")), (&json!({"a": "MQ==", "b": "Mg=="}), None));
}

#[test]
fn a_secret_of_another_shape_is_left_for_the_server_to_refuse() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "data": "text", "stringData": {"b": "2"}});
    assert_eq!(manifest::stored(secret.clone()), secret);
}

#[test]
fn the_digest_changes_with_what_is_rendered() {
    let digest =
        |metadata: Value| admit_with(vec![child("a", config_map(metadata))], None).unwrap()[0].digest().clone();
    assert_eq!(digest(json!({"name": "x"})), digest(json!({"name": "x"})));
    assert_ne!(digest(json!({"name": "x"})), digest(json!({"name": "x", "labels": {"a": "b"}})));
}

#[test]
fn what_strays_from_the_blueprint_is_refused() {
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}});
    assert_eq!(refused(vec![child("a", secret)]).0, "UndeclaredKind");
    assert_eq!(refused(vec![child("z", config_map(json!({"name": "x"})))]).0, "UnknownId");
    let web = json!({"apiVersion": "kro.run/v1", "kind": "Web", "metadata": {"name": "x"}});
    assert_eq!(refused(vec![child("a", web)]).0, "RecursiveApi");
}

#[test]
fn two_children_cannot_be_the_same_object() {
    let (reason, text) = refused(vec![
        child("a", config_map(json!({"name": "x"}))),
        child("b", config_map(json!({"name": "x", "namespace": "team"}))),
    ]);
    assert_eq!((reason, text.as_str()), ("DuplicateTarget", "children `a` and `b` are both ConfigMap team/x"));
    // Elements of one collection say by their keys which they are.
    let element = |key: &str| Child { key: key.into(), ..child("a", config_map(json!({"name": "x"}))) };
    let (_, text) = refused(vec![element("1"), element("2")]);
    assert_eq!(text, "children `a[1]` and `a[2]` are both ConfigMap team/x");
}

#[test]
fn a_module_cannot_pose_as_the_host_or_as_the_server() {
    let metadata = [
        json!({"name": ""}),
        json!({"name": ".."}),
        json!({"name": "a/b"}),
        json!({"name": "a b"}),
        json!({"name": "a?b"}),
        json!({"name": "x", "namespace": "../x"}),
        json!({"name": "x", "labels": "text"}),
        json!({"name": "x", "labels": {"a": 1}}),
        json!({"name": "x", "annotations": ["a"]}),
        json!({"name": "x", "uid": "u"}),
        json!({"name": "x", "generateName": "x"}),
        json!({"name": "x", "labels": {"croft.run/instance": "other"}}),
        json!({"name": "x", "annotations": {"croft.run/wave": "0"}}),
    ];
    for metadata in metadata {
        assert_eq!(refused(vec![child("a", config_map(metadata.clone()))]).0, "InvalidManifest", "{metadata}");
    }
}

#[test]
fn an_object_too_large_for_etcd_is_refused_before_it_is_sent() {
    let mut large = config_map(json!({"name": "x"}));
    large["data"] = json!({"x": "y".repeat(MAX_CHILD_BYTES)});
    assert_eq!(refused(vec![child("a", large)]).0, "InvalidManifest");
}

#[test]
fn a_claim_that_is_not_accepted_is_the_consumers_turn_and_names_the_line() {
    let binding = |state: &str, applied: Value| {
        Claims::of(&json!({
            "metadata": {"name": "webs.kro.run", "annotations": {"kcp.io/path": "root:team-1"}},
            "spec": {"permissionClaims": [{"resource": "configmaps", "state": state}]},
            "status": {
                "exportPermissionClaims": [{"resource": "configmaps", "verbs": ["*"]}],
                "appliedPermissionClaims": applied,
            },
        }))
    };
    let children = || vec![child("a", config_map(json!({"name": "x"})))];
    let violation = admit_with(children(), Some(&binding("Rejected", json!([])))).unwrap_err();
    assert_eq!((violation.reason(), violation.blame()), ("ClaimNotAccepted", Blame::Consumer));
    let text = violation.to_string();
    assert!(text.contains("root:team-1") && text.contains("kubectl patch apibinding webs.kro.run"), "{text}");
    assert!(text.contains("the claim on configmaps, and child `a` needs configmaps; accept it there"), "{text}");
    assert!(admit_with(children(), Some(&binding("Accepted", json!([{"resource": "configmaps"}])))).is_ok());
}
