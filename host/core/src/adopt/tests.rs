use contract::{Access, Api, Child, Gvk, Node, Rendering, Role, Scope, UsedKind};

use super::*;
use crate::{
    kinds::{self, Kinds},
    policy::{self, Rules},
};

const UID: &str = "u1";
/// Of `shop.team.Web.kro.run`, as kro computes it.
const APPLYSET: &str = "applyset-k_7D7gt1cuTSA1ruKYqzDaJfb3M4S5QaxEizkFiCrf0-v1";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V01,
    V09,
}

use Version::{V01, V09};

fn config_map() -> Gvk {
    Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() }
}

fn blueprint() -> Blueprint {
    let node = |id: &str, depends_on: &[&str]| Node {
        id: id.into(),
        role: Role::Child,
        kind: config_map(),
        depends_on: depends_on.iter().map(|id| (*id).to_owned()).collect(),
    };
    Blueprint {
        api: Api {
            kind: Gvk { group: "kro.run".into(), version: "v1".into(), kind: "Web".into() },
            plural: "webs".into(),
            scope: Scope::Namespaced,
            crd: Value::Null,
        },
        kinds: vec![UsedKind { kind: config_map(), access: Access::Manage }],
        nodes: vec![node("a", &[]), node("b", &["a"]), node("c", &["b"])],
    }
}

/// The instance as a server has it before anybody manages it.
fn bare_instance() -> Value {
    json!({
        "apiVersion": "kro.run/v1", "kind": "Web", "spec": {},
        "metadata": {"name": "shop", "namespace": "team", "uid": UID, "resourceVersion": "1",
            "labels": {"theirs": "x"}, "annotations": {"theirs": "x"}, "finalizers": ["theirs/hold"]},
    })
}

/// The same under kro.
fn instance(version: Version) -> Value {
    let mut instance = bare_instance();
    let metadata = &mut instance["metadata"];
    metadata["labels"]["kro.run/owned"] = "true".into();
    metadata["labels"]["kro.run/kro-version"] = "v".into();
    match version {
        V01 => {
            metadata["labels"]["kro.run/resource-group-id"] = "g1".into();
            metadata["finalizers"] = json!(["theirs/hold", "g1.kro.run/finalizer"]);
        }
        V09 => {
            metadata["labels"]["kro.run/resource-graph-definition-name"] = "webs".into();
            metadata["labels"]["applyset.kubernetes.io/id"] = APPLYSET.into();
            metadata["annotations"]["applyset.kubernetes.io/tooling"] = "kro/v0.9.3".into();
            metadata["annotations"]["applyset.kubernetes.io/contains-group-kinds"] = "ConfigMap".into();
            metadata["annotations"]["applyset.kubernetes.io/additional-namespaces"] = "".into();
            metadata["annotations"]["internal.kro.run/applyset-inventory-hash"] = "sha256:x".into();
            metadata["annotations"]["kro.run/reconcile"] = "suspended".into();
            metadata["finalizers"] = json!(["theirs/hold", "kro.run/finalizer"]);
        }
    }
    instance
}

fn admitted(ids: &[&str]) -> Vec<Admitted> {
    let child = |id: &&str| Child {
        id: (*id).to_owned(),
        key: String::new(),
        manifest: json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": id}, "data": {"of": id}}),
        depends_on: Vec::new(),
    };
    let rendering = Rendering { children: ids.iter().map(child).collect(), ..Rendering::default() };
    let kinds = Kinds::from([(config_map(), kinds::builtin(&config_map()).unwrap())]);
    let (blueprint, instance) = (blueprint(), bare_instance());
    policy::admit(&rendering, Rules { blueprint: &blueprint, kinds: &kinds, claims: None, instance: &instance })
        .unwrap()
}

fn blocked(ids: &[&str]) -> Vec<Blocked> {
    let blocked = |id: &&str| Blocked { id: (*id).to_owned(), waits_for: Vec::new(), message: "a is not ready".into() };
    ids.iter().map(blocked).collect()
}

/// A ConfigMap of nobody.
fn foreign(name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"of": name, "old": "1"},
        "metadata": {"name": name, "namespace": "team", "uid": format!("uid-{name}"), "resourceVersion": "1",
            "labels": {"theirs": "x"}},
    })
}

/// The same as kro made it for the instance.
fn kros(version: Version, name: &str) -> Value {
    let mut object = foreign(name);
    let metadata = &mut object["metadata"];
    for (label, value) in [("owned", "true"), ("instance-id", UID), ("instance-name", "shop")] {
        metadata["labels"][format!("kro.run/{label}")] = value.into();
    }
    let mut fields = json!({"f:data": {"f:of": {}, "f:old": {}}, "f:metadata": {"f:labels": {"f:kro.run/owned": {}}}});
    let (manager, operation) = match version {
        V01 => ("controller", "Update"),
        V09 => {
            metadata["labels"]["kro.run/node-id"] = name.into();
            metadata["labels"]["app.kubernetes.io/managed-by"] = "kro".into();
            metadata["labels"]["applyset.kubernetes.io/part-of"] = APPLYSET.into();
            metadata["annotations"] = json!({"internal.kro.run/apply-order": "1"});
            fields["f:metadata"]["f:annotations"] = json!({});
            ("kro.run/applyset", "Apply")
        }
    };
    metadata["managedFields"] =
        json!([{"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields}]);
    object
}

/// The same with more labels.
fn labelled(mut object: Value, labels: &[(&str, &str)]) -> Value {
    for (name, value) in labels {
        object["metadata"]["labels"][*name] = (*value).into();
    }
    object
}

/// A server with one instance.
#[derive(Clone)]
struct Server {
    instance: Value,
    live: BTreeMap<Target, Value>,
}

impl Server {
    fn of(instance: Value, objects: &[Value]) -> Server {
        let live = objects.iter().map(|object| (Target::of(object).unwrap(), object.clone())).collect();
        Server { instance, live }
    }

    fn take(&self, rendered: &[&str], waiting: &[&str]) -> Plan {
        let (blueprint, children, blocked) = (blueprint(), admitted(rendered), blocked(waiting));
        let rendered = Rendered { blueprint: &blueprint, children: &children, blocked: &blocked };
        take(&Seen { instance: &self.instance, live: &self.live }, &rendered)
    }

    fn give_back(&self, version: Version) -> Plan {
        let kro = match version {
            V01 => Kro::V01 { resource_group: "g1".into() },
            V09 => Kro::V09,
        };
        give_back(&Seen { instance: &self.instance, live: &self.live }, &kro)
    }

    fn send(&mut self, write: &Write) {
        let object = if Target::of(&self.instance).as_ref() == Some(&write.target) {
            &mut self.instance
        } else {
            self.live.get_mut(&write.target).unwrap()
        };
        merge(object, &write.patch);
        let version: u32 = object::text(object, "/metadata/resourceVersion").parse().unwrap();
        object["metadata"]["resourceVersion"] = (version + 1).to_string().into();
    }

    fn child(&self, name: &str) -> &Value {
        self.live.iter().find(|(target, _)| target.name == name).map(|(_, object)| object).unwrap()
    }
}

/// The writes without the versions that they were made for.
fn writes(plan: &Plan) -> Vec<Write> {
    let bare = |write: &Write| {
        let mut write = write.clone();
        write.patch["metadata"].as_object_mut().unwrap().remove("resourceVersion").unwrap();
        write
    };
    plan.writes.iter().map(bare).collect()
}

/// Carries a plan out, and on the way makes a new one after each write: it has to
/// be the rest of the first. At no time is the instance without a finalizer of
/// croft's or of kro's.
fn carry_out(server: &mut Server, plan: impl Fn(&Server) -> Plan) {
    let first = plan(server);
    assert!(first.held.is_empty(), "{:?}", first.held);
    for done in 0..first.writes.len() {
        server.send(&first.writes[done]);
        assert_eq!(writes(&plan(server)), writes(&first)[done + 1..], "after {} writes", done + 1);
        let mut finalizers = object::finalizers(&server.instance);
        assert!(finalizers.any(|name| name == object::FINALIZER || kro::is_finalizer(name)), "after write {done}");
    }
    assert!(plan(server).writes.is_empty());
}

fn lines(plan: &Plan) -> Vec<String> {
    plan.entries.iter().map(|entry| format!("{} {} {:?}", entry.target.name, entry.id, entry.fate)).collect()
}

#[test]
fn an_instance_of_either_version_is_taken_over_and_a_crash_loses_nothing() {
    for version in [V01, V09] {
        let mut server = Server::of(instance(version), &["a", "b"].map(|name| kros(version, name)));
        assert_eq!(lines(&server.take(&["a", "b"], &[])), ["a a Move", "b b Move"]);
        carry_out(&mut server, |server| server.take(&["a", "b"], &[]));
        assert_eq!(lines(&server.take(&["a", "b"], &[])), ["a a Done", "b b Done"]);

        let mut expected = bare_instance();
        expected["metadata"]["finalizers"] = json!(["theirs/hold", object::FINALIZER]);
        if version == V09 {
            // The user put it there, and kro has to be stopped before it goes.
            expected["metadata"]["annotations"]["kro.run/reconcile"] = "suspended".into();
        }
        // How many writes it took is not a promise.
        expected["metadata"]["resourceVersion"] = server.instance["metadata"]["resourceVersion"].clone();
        assert_eq!(server.instance, expected, "{version:?}");

        for (child, name) in admitted(&["a", "b"]).iter().zip(["a", "b"]) {
            let metadata = &server.child(name)["metadata"];
            let mut labels = child.manifest()["metadata"]["labels"].clone();
            labels["theirs"] = "x".into();
            assert_eq!(metadata["labels"], labels, "{version:?}");
            assert_eq!(metadata["annotations"], child.manifest()["metadata"]["annotations"], "{version:?}");
            let managers = metadata["managedFields"].as_array().unwrap();
            assert_eq!(managers.len(), 1);
            assert_eq!((&managers[0]["manager"], &managers[0]["operation"]), (&json!("croft"), &json!("Apply")));
            assert_eq!(managers[0]["fieldsV1"]["f:data"], json!({"f:of": {}, "f:old": {}}));
            assert_eq!(server.child(name)["data"], json!({"of": name, "old": "1"}));
            assert_eq!(metadata["uid"], format!("uid-{name}"));
        }
    }
}

#[test]
fn what_becomes_of_each_object() {
    let other = [("kro.run/instance-id", "u2"), ("kro.run/instance-name", "other")];
    let cases: [(&str, Vec<Value>, &[&str]); 7] = [
        ("what is not there comes later", vec![kros(V09, "a")], &["a a Move", "b b Later"]),
        (
            "what is not rendered is left over",
            vec![kros(V09, "a"), kros(V09, "b"), kros(V09, "z"), kros(V01, "y")],
            &["a a Move", "b b Move", "y  Leftover", "z z Leftover"],
        ),
        (
            "what is nobody's is in the way",
            vec![kros(V09, "a"), foreign("b")],
            &["a a Move", "b b Conflict { owner: \"somebody who is neither kro nor croft\" }"],
        ),
        (
            "what is another instance's of kro is in the way",
            vec![kros(V09, "a"), labelled(foreign("b"), &other)],
            &["a a Move", "b b Conflict { owner: \"kro's instance other\" }"],
        ),
        (
            "an ApplySet has the last word",
            vec![kros(V09, "a"), labelled(foreign("b"), &[("applyset.kubernetes.io/part-of", "x")])],
            &["a a Move", "b b Conflict { owner: \"the ApplySet `x`\" }"],
        ),
        (
            "what is another instance's of croft is in the way",
            vec![kros(V09, "a"), labelled(kros(V09, "b"), &[("croft.run/instance", "u2")])],
            &["a a Move", "b b Conflict { owner: \"another instance of croft's\" }"],
        ),
        (
            "other instances' leftovers do not concern it",
            vec![labelled(foreign("z"), &other)],
            &["a a Later", "b b Later"],
        ),
    ];
    for (promise, objects, expected) in cases {
        let mut server = Server::of(instance(V09), &objects);
        assert_eq!(lines(&server.take(&["a", "b"], &[])), expected, "{promise}");
        // Only what moves is written to.
        let moved: Vec<&Value> = objects
            .iter()
            .filter(|object| {
                let name = object::text(object, "/metadata/name");
                expected.contains(&format!("{name} {name} Move").as_str())
            })
            .collect();
        let before = server.clone();
        carry_out(&mut server, |server| server.take(&["a", "b"], &[]));
        for (target, object) in &before.live {
            assert_eq!(server.live[target] != *object, moved.contains(&object), "{promise}: {target}");
        }
    }
}

#[test]
fn a_label_that_is_rendered_survives_kros() {
    let mut live = kros(V09, "a");
    live["metadata"]["managedFields"] = json!([]);
    let mut manifest = admitted(&["a"])[0].manifest().clone();
    manifest["metadata"]["labels"]["app.kubernetes.io/managed-by"] = "helm".into();
    let mut edit = Edit::of(&live);
    kro::strip_child(&mut edit, &live, &manifest);
    let patch = edit.write().unwrap().patch;
    assert_eq!(patch["metadata"]["labels"]["app.kubernetes.io/managed-by"], "helm");
    assert_eq!(patch["metadata"]["labels"]["kro.run/owned"], Value::Null);
}

#[test]
fn a_child_that_cannot_be_stated_yet_holds_its_instance() {
    let cases: [(&str, Value, &str); 3] = [
        ("kro says that it is the one", kros(V09, "b"), "b b Undecided"),
        ("kro does not say, and the kind fits", kros(V01, "x"), "x  Undecided"),
        ("kro says that it is another", kros(V09, "z"), "z z Leftover"),
    ];
    for (promise, object, expected) in cases {
        let plan = Server::of(instance(V09), &[kros(V09, "a"), object]).take(&["a"], &["b"]);
        assert_eq!(lines(&plan), ["a a Move", expected], "{promise}");
        let undecided = expected.ends_with("Undecided");
        assert_eq!((plan.writes.is_empty(), plan.held.is_empty()), (undecided, !undecided), "{promise}");
    }
}

#[test]
fn an_instance_on_its_way_out_is_left_to_its_owner() {
    let mut going = instance(V09);
    going["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    let plan = Server::of(going, &[kros(V09, "a")]).take(&["a"], &[]);
    assert!(plan.writes.is_empty() && plan.held.len() == 1, "{plan:?}");
}

#[test]
fn an_instance_that_kro_never_had_is_left_alone() {
    assert!(Server::of(bare_instance(), &[foreign("z")]).take(&["a"], &[]).writes.is_empty());
}

#[test]
fn only_a_kro_that_knows_the_annotation_can_be_told_to_pause() {
    assert!(is_suspended(&instance(V09)));
    let mut old = instance(V01);
    assert!(!is_suspended(&old));
    old["metadata"]["annotations"]["kro.run/reconcile"] = "suspended".into();
    assert!(!is_suspended(&old));
}

#[test]
fn an_instance_within_an_instance_keeps_what_it_has_as_the_other() {
    // Both a child of `shop` and an instance of its own.
    let mut inner = kros(V09, "a");
    inner["metadata"]["finalizers"] = json!(["kro.run/finalizer"]);
    inner["metadata"]["annotations"]["internal.kro.run/applyset-inventory-hash"] = "sha256:x".into();
    let patch = take_child(&inner, &admitted(&["a"])[0]).unwrap().patch;
    let labels = &patch["metadata"]["labels"];
    assert_eq!((labels.get("kro.run/instance-id"), labels.get("kro.run/owned")), (Some(&Value::Null), None));
    assert_eq!(patch["metadata"]["annotations"].get("internal.kro.run/applyset-inventory-hash"), None);

    let patch = release(&inner).unwrap().patch;
    let labels = &patch["metadata"]["labels"];
    assert_eq!((labels.get("kro.run/instance-id"), labels.get("kro.run/owned")), (None, Some(&Value::Null)));
    assert_eq!(labels.get("applyset.kubernetes.io/part-of"), None);
}

/// An instance that croft has, with children.
fn crofts(names: &[&str]) -> Server {
    let mut instance = bare_instance();
    instance["metadata"]["finalizers"] = json!(["theirs/hold", object::FINALIZER]);
    let record: Vec<Value> = names.iter().map(|name| json!({"uid": format!("uid-{name}")})).collect();
    instance["status"] = json!({"state": "ACTIVE", "croft": {"inventory": record}});
    let objects = admitted(names).into_iter().map(|child| {
        let mut object = foreign(&child.target().name);
        merge(&mut object, child.manifest());
        let fields = json!({"f:data": {"f:of": {}}});
        object["metadata"]["managedFields"] =
            json!([{"manager": "croft", "operation": "Apply", "apiVersion": "v1", "fieldsV1": fields}]);
        object
    });
    Server::of(instance, &objects.collect::<Vec<_>>())
}

#[test]
fn an_object_says_itself_whose_it_is() {
    let mut server = crofts(&["a"]);
    let child = server.live.values().next().unwrap().clone();
    let without = |fields: &[&str]| {
        let mut object = child.clone();
        fields.iter().for_each(|field| drop(object["metadata"].as_object_mut().unwrap().remove(*field)));
        object
    };
    assert_eq!(fate(&server.instance, Some(&child)), Fate::Done);
    assert_eq!(fate(&server.instance, Some(&without(&["labels"]))), Fate::Move);
    let bare = without(&["labels", "annotations"]);
    assert!(matches!(fate(&server.instance, Some(&bare)), Fate::Conflict { .. }));
    // That it is on record does not make it one to be given back.
    *server.live.values_mut().next().unwrap() = bare;
    assert!(server.give_back(V09).entries.is_empty());
}

#[test]
fn an_instance_is_given_back_to_either_version_and_a_crash_loses_nothing() {
    for version in [V01, V09] {
        let mut server = crofts(&["a", "b"]);
        // One that lost its label is on record.
        let (_, unlabelled) = server.live.iter_mut().last().unwrap();
        unlabelled["metadata"]["labels"].as_object_mut().unwrap().remove(object::INSTANCE_LABEL).unwrap();
        carry_out(&mut server, |server| server.give_back(version));
        assert_eq!(lines(&server.give_back(version)).len(), 2);

        assert_eq!(server.instance["status"], json!({"state": "ACTIVE"}));
        let finalizer = if version == V01 { "g1.kro.run/finalizer" } else { "kro.run/finalizer" };
        assert_eq!(server.instance["metadata"]["finalizers"], json!(["theirs/hold", finalizer]));
        let child = &server.child("b")["metadata"];
        let mut expected = json!({
            "theirs": "x", "kro.run/owned": "true", "kro.run/instance-id": UID, "kro.run/instance-name": "shop",
            "kro.run/instance-namespace": "team",
        });
        if version == V01 {
            assert_eq!((&child["labels"], &child["annotations"]), (&expected, &json!({})));
            continue;
        }
        let more = json!({
            "kro.run/instance-group": "kro.run", "kro.run/instance-version": "v1", "kro.run/instance-kind": "Web",
            "kro.run/node-id": "b", "app.kubernetes.io/managed-by": "kro", "applyset.kubernetes.io/part-of": APPLYSET,
        });
        merge(&mut expected, &more);
        assert_eq!(child["labels"], expected);
        assert_eq!(child["annotations"], json!({"internal.kro.run/apply-order": "2"}));
        assert_eq!(child["managedFields"][0]["manager"], "kro.run/applyset");
        let parent = &server.instance["metadata"];
        assert_eq!(parent["labels"]["applyset.kubernetes.io/id"], APPLYSET);
        let annotations = json!({
            "theirs": "x", "applyset.kubernetes.io/tooling": "kro/v0.9.3",
            "applyset.kubernetes.io/contains-group-kinds": "ConfigMap",
            "applyset.kubernetes.io/additional-namespaces": "",
        });
        assert_eq!(parent["annotations"], annotations);
    }
}

#[test]
fn there_and_back_again_changes_no_child_but_in_its_marks() {
    let mut server = Server::of(instance(V09), &["a", "b"].map(|name| kros(V09, name)));
    let before = server.clone();
    carry_out(&mut server, |server| server.take(&["a", "b"], &[]));
    carry_out(&mut server, |server| server.give_back(V09));
    carry_out(&mut server, |server| server.take(&["a", "b"], &[]));
    for (target, object) in &before.live {
        let now = &server.live[target];
        assert_eq!((&now["data"], &now["metadata"]["uid"]), (&object["data"], &object["metadata"]["uid"]));
    }
}

#[test]
fn a_stale_hash_of_kros_inventory_goes_with_the_inventory_that_it_was_of() {
    let mut server = crofts(&["a"]);
    server.instance["metadata"]["annotations"] = json!({
        "applyset.kubernetes.io/contains-group-kinds": "Secret", "internal.kro.run/applyset-inventory-hash": "sha256:x",
    });
    let patch = &server.give_back(V09).writes[0].patch["metadata"]["annotations"];
    assert_eq!(patch["applyset.kubernetes.io/contains-group-kinds"], "ConfigMap,Secret");
    assert_eq!(patch.get("internal.kro.run/applyset-inventory-hash"), Some(&Value::Null));
}
