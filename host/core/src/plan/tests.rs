use std::collections::HashMap;

use contract::{Access, Api, Blueprint, Child, Gvk, Node, Rendering, Role, Scope, UsedKind};
use serde_json::json;

use super::*;
use crate::{
    kinds::{self, Kinds},
    policy::{self, Rules},
};

const INSTANCE: &str = "u1";

fn config_map() -> Gvk {
    Gvk { group: String::new(), version: "v1".into(), kind: "ConfigMap".into() }
}

fn owner() -> Owner {
    Owner { uid: INSTANCE.into(), name: "Web.kro.run team/shop".into() }
}

fn instance() -> Value {
    json!({"metadata": {"name": "shop", "namespace": "team", "uid": INSTANCE}})
}

/// A ConfigMap `NAME=VALUE` that stands for an id and a key.
fn child(id: &str, key: &str, object: &str) -> Child {
    let (name, value) = object.split_once('=').unwrap_or((object, ""));
    let manifest =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"value": value}});
    Child { id: id.into(), key: key.into(), manifest, depends_on: Vec::new() }
}

/// Admits ConfigMaps `NAME=VALUE` whose ids are their names.
fn admitted(children: &[&str]) -> Vec<Admitted> {
    let id = |object: &str| object.split_once('=').map_or(object, |(name, _)| name).to_owned();
    admit(children.iter().map(|object| child(&id(object), "", object)).collect())
}

/// Admits the ConfigMaps `NAME=VALUE` of the collection `b`, each with its key.
fn elements(children: &[(&str, &str)]) -> Vec<Admitted> {
    admit(children.iter().map(|(key, object)| child("b", key, object)).collect())
}

/// Admits children with the ids `a` to `d`, of which each depends on the one
/// before.
fn admit(children: Vec<Child>) -> Vec<Admitted> {
    let names = ["a", "b", "c", "d"];
    let node = |(index, id): (usize, &&str)| Node {
        id: (*id).to_owned(),
        role: Role::Child,
        kind: config_map(),
        depends_on: names[..index].last().map(|id| (*id).to_owned()).into_iter().collect(),
    };
    let blueprint = Blueprint {
        api: Api {
            kind: Gvk { group: "kro.run".into(), version: "v1".into(), kind: "Web".into() },
            plural: "webs".into(),
            scope: Scope::Namespaced,
            crd: Value::Null,
        },
        kinds: vec![UsedKind { kind: config_map(), access: Access::Manage }],
        nodes: names.iter().enumerate().map(node).collect(),
    };
    let rendering = Rendering { children, ..Rendering::default() };
    let kinds = Kinds::from([(config_map(), kinds::builtin(&config_map()).unwrap())]);
    policy::admit(&rendering, Rules { blueprint: &blueprint, kinds: &kinds, claims: None, instance: &instance() })
        .unwrap()
}

/// What a server would hold after the manifest was applied.
fn live(child: &Admitted) -> Value {
    let mut object = child.manifest().clone();
    object["metadata"]["uid"] = format!("uid-{}", child.target().name).into();
    object["metadata"]["resourceVersion"] = "1".into();
    object
}

/// Plans `rendered` against `live` objects and prints one line an action.
fn check(rendered: &[&str], blocked: &[&str], live: Vec<Value>, expected: &[&str]) {
    check_settled(rendered, blocked, live, &BTreeMap::new(), expected);
}

fn check_settled(
    rendered: &[&str],
    blocked: &[&str],
    live: Vec<Value>,
    settled: &BTreeMap<String, Arc<Value>>,
    expected: &[&str],
) {
    assert_eq!(planned(&admitted(rendered), blocked, live, settled), expected);
}

fn planned(
    rendered: &[Admitted],
    blocked: &[&str],
    live: Vec<Value>,
    settled: &BTreeMap<String, Arc<Value>>,
) -> Vec<String> {
    let objects: Vec<Arc<Value>> = live.into_iter().map(Arc::new).collect();
    let by_place: HashMap<Target, Arc<Value>> =
        objects.iter().map(|object| (Target::of(object).unwrap(), object.clone())).collect();
    let inventory = Inventory::of(&owner(), objects, |_| true);
    let instance = instance();
    let look_up = |target: &Target| by_place.get(target).cloned();
    let (sent, ids) = (BTreeMap::new(), BTreeSet::from(["a", "b", "c", "d"]));
    let world = World { instance: &instance, live: &look_up, settled, sent: &sent, owner: &owner(), ids: &ids };
    let blocked = blocked.iter().copied().collect();
    lines(&plan(rendered, &blocked, &inventory, &world))
}

/// Plans the elements of a collection against those that are there.
fn check_elements(rendered: &[(&str, &str)], blocked: &[&str], live: &[(&str, &str)], expected: &[&str]) {
    let live = elements(live).iter().map(self::live).collect();
    assert_eq!(planned(&elements(rendered), blocked, live, &BTreeMap::new()), expected);
}

fn lines(plan: &Plan) -> Vec<String> {
    let actions = plan.actions.iter().map(|action| match action {
        Action::Create(child) => format!("create {}", child.target().name),
        Action::Update { child, why, .. } => format!("update {}: {why}", child.target().name),
        Action::Keep(target) => format!("keep {}", target.name),
        Action::Delete { target, why, .. } => format!("delete {}: {why}", target.name),
        Action::Await(target) => format!("await {}", target.name),
    });
    actions.chain(plan.conflicts.iter().map(|conflict| format!("conflict {conflict}"))).collect()
}

fn lives(children: &[&str]) -> Vec<Value> {
    admitted(children).iter().map(live).collect()
}

fn going(mut object: Value) -> Value {
    object["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    object
}

#[test]
fn what_is_missing_is_created() {
    check(&["a=1", "b=1"], &[], lives(&["a=1"]), &["keep a", "create b"]);
}

#[test]
fn what_is_as_rendered_costs_no_call() {
    check(&["a=1"], &[], lives(&["a=1"]), &["keep a"]);
}

#[test]
fn what_is_rendered_differently_is_updated() {
    check(&["a=2"], &[], lives(&["a=1"]), &["update a: it is rendered differently"]);
}

#[test]
fn drift_is_put_back() {
    let mut drifted = lives(&["a=1"]);
    drifted[0]["data"]["value"] = "9".into();
    check(&["a=1"], &[], drifted, &["update a: somebody changed `/data/value`"]);
}

#[test]
fn what_others_add_is_left_alone() {
    let mut grown = lives(&["a=1"]);
    grown[0]["data"]["other"] = "9".into();
    grown[0]["metadata"]["labels"]["theirs"] = "x".into();
    check(&["a=1"], &[], grown, &["keep a"]);
}

#[test]
fn another_spelling_by_the_server_is_no_drift() {
    let mut spelled = lives(&["a=1"]);
    spelled[0]["data"]["value"] = "one".into();
    let settled = BTreeMap::from([("uid-a".to_owned(), Arc::new(spelled[0].clone()))]);
    check_settled(&["a=1"], &[], spelled.clone(), &settled, &["keep a"]);
    spelled[0]["data"]["value"] = "two".into();
    check_settled(&["a=1"], &[], spelled, &settled, &["update a: somebody changed `/data/value`"]);
}

#[test]
fn children_no_longer_rendered_are_deleted_the_last_wave_first() {
    let mut there = lives(&["a=1", "b=1", "d=1"]);
    check(&["b=1"], &[], there.clone(), &["keep b", "delete d: no longer rendered"]);
    let last = there.pop().unwrap();
    let held = [there.clone(), vec![going(last)]].concat();
    check(&["b=1"], &[], held, &["keep b", "await d"]);
    check(&["b=1"], &[], there, &["keep b", "delete a: no longer rendered"]);
}

#[test]
fn a_child_whose_id_is_gone_from_the_definition_is_deleted() {
    let mut gone = lives(&["c=1"]);
    gone[0]["metadata"]["annotations"][object::CHILD_ANNOTATION] = "nobody".into();
    check(&["a=1"], &[], [lives(&["a=1"]), gone].concat(), &["keep a", "delete c: no longer rendered"]);
}

#[test]
fn a_child_that_goes_by_another_id_stays_the_same_object() {
    let mut renamed = lives(&["a=1"]);
    renamed[0]["metadata"]["annotations"][object::CHILD_ANNOTATION] = "before".into();
    let planned = planned(&admitted(&["a=1"]), &[], renamed, &BTreeMap::new());
    assert!(planned.len() == 1 && planned[0].starts_with("update a: "), "{planned:?}");
}

#[test]
fn a_collection_grows_and_shrinks_by_its_elements_alone() {
    let (one, two, three) = (("1", "w-1=x"), ("2", "w-2=x"), ("3", "w-3=x"));
    check_elements(&[one, two, three], &[], &[one], &["keep w-1", "create w-2", "create w-3"]);
    let gone = ["keep w-2", "delete w-1: no longer rendered", "delete w-3: no longer rendered"];
    check_elements(&[two], &[], &[one, two, three], &gone);
    check_elements(&[], &[], &[one], &["delete w-1: no longer rendered"]);
    check_elements(&[], &[], &[], &[]);
    // As long as nobody knows its elements, it keeps those that it has.
    check_elements(&[], &["b"], &[one, two], &["keep w-1", "keep w-2"]);
}

#[test]
fn an_element_that_goes_by_another_key_stays_the_same_object() {
    check_elements(&[("2", "w=x")], &[], &[("1", "w=x")], &["update w: it is rendered differently"]);
    // Two that swap their names are two changes.
    let swapped = ["update w-2: it is rendered differently", "update w-1: it is rendered differently"];
    check_elements(&[("1", "w-2=x"), ("2", "w-1=x")], &[], &[("1", "w-1=x"), ("2", "w-2=x")], &swapped);
}

#[test]
fn a_blocked_child_that_exists_is_kept() {
    check(&["a=1"], &["b"], lives(&["a=1", "b=1"]), &["keep a", "keep b"]);
}

#[test]
fn a_child_on_its_way_out_is_waited_for() {
    let objects = vec![going(lives(&["a=1"]).remove(0)), going(lives(&["c=1"]).remove(0))];
    check(&["a=1"], &[], objects, &["await a", "await c"]);
}

#[test]
fn a_child_that_is_seen_in_another_version_is_not_another_object() {
    let mut other = lives(&["a=1", "c=1"]);
    for object in &mut other {
        object["apiVersion"] = "v1beta1".into();
    }
    check(&["a=1"], &[], [lives(&["a=1"]), other.clone()].concat(), &["keep a", "delete c: no longer rendered"]);
    // A store that has it in the former version only.
    check(&["a=1"], &[], other[..1].to_vec(), &["create a"]);
}

#[test]
fn an_object_that_is_not_ours_is_a_conflict() {
    let mut foreign = lives(&["a=1"]);
    foreign[0]["metadata"] = json!({"name": "a", "namespace": "team", "uid": "x"});
    let expected = "conflict ConfigMap team/a exists and is not croft's; rename or delete it, or hand it over, which also \
                    means that it is deleted with the instance: kubectl annotate configmap a --namespace team \
                    croft.run/adopt=shop";
    check(&["a=1"], &[], foreign.clone(), &[expected]);
    foreign[0]["metadata"]["annotations"] = json!({"croft.run/adopt": "shop"});
    check(&["a=1"], &[], foreign, &["update a: it was handed over"]);
}

#[test]
fn a_name_that_a_module_made_up_stays_one_word_of_the_command() {
    let command = |name: &str| {
        let target = Target { kind: config_map(), namespace: "team".into(), name: name.into() };
        let conflict = Conflict { target, owner: None, instance: "shop".into() }.to_string();
        conflict.split_once(": kubectl annotate ").unwrap().1.to_owned()
    };
    let rest = "--namespace team croft.run/adopt=shop";
    assert_eq!(command("$(id)"), format!("configmap '$(id)' {rest}"));
    assert_eq!(command("a;id"), format!("configmap 'a;id' {rest}"));
    assert_eq!(command("--kubeconfig=x"), format!("configmap/--kubeconfig=x {rest}"));
}

#[test]
fn a_child_that_lost_its_label_is_still_ours() {
    let mut bare = lives(&["a=1"]);
    bare[0]["metadata"].as_object_mut().unwrap().remove("labels");
    check(&["a=1"], &[], bare.clone(), &["update a: somebody changed `/metadata/labels`"]);
    check(&[], &[], bare.clone(), &["delete a: no longer rendered"]);
    // Without a word on it that says so, it is not: what the instance's status
    // says of it is not a proof.
    bare[0]["metadata"].as_object_mut().unwrap().remove("annotations");
    let planned = planned(&admitted(&["a=1"]), &[], bare, &BTreeMap::new());
    assert!(planned.len() == 1 && planned[0].starts_with("conflict "), "{planned:?}");
}

#[test]
fn what_a_child_in_conflict_is_to_replace_stays() {
    let mut theirs = live(&admitted(&["c=1"])[0]);
    theirs["metadata"] = json!({"name": "new", "namespace": "team", "uid": "theirs"});
    let check = |rendered: Vec<Child>, live: &[&str], expected: &[&str]| {
        let objects = lives(live).into_iter().chain([theirs.clone()]).collect();
        let planned = planned(&admit(rendered), &[], objects, &BTreeMap::new());
        let (conflicts, actions): (Vec<_>, Vec<_>) = planned.into_iter().partition(|line| line.starts_with("conflict"));
        assert_eq!((actions, conflicts.len()), (expected.iter().map(|line| (*line).to_owned()).collect(), 1));
    };
    // `c` moves to a place that is taken: the old one stays, and so does what it
    // may be made from. What comes after it is switched off and goes.
    let moved = |more: &[&str]| {
        let rest = more.iter().map(|name| child(name, "", &format!("{name}=1")));
        rest.chain([child("c", "", "new=1")]).collect::<Vec<_>>()
    };
    check(
        moved(&["a"]),
        &["a=1", "b=1", "c=1", "d=1"],
        &["keep a", "keep b", "keep c", "delete d: no longer rendered"],
    );
    check(moved(&[]), &["a=1", "b=1"], &["delete b: no longer rendered"]);
    // Under an id that the definition does not have any more it stays too.
    let mut renamed = lives(&["c=1"]);
    renamed[0]["metadata"]["annotations"][object::CHILD_ANNOTATION] = "before".into();
    renamed.push(theirs.clone());
    assert_eq!(planned(&admit(moved(&[])), &[], renamed, &BTreeMap::new())[0], "keep c");
}

#[test]
fn another_instances_child_cannot_be_handed_over() {
    let mut other = lives(&["a=1"]);
    other[0]["metadata"]["labels"]["croft.run/instance"] = "u2".into();
    other[0]["metadata"]["annotations"]["croft.run/adopt"] = "shop".into();
    check(&["a=1"], &[], other, &["conflict ConfigMap team/a belongs to Web.kro.run team/shop"]);
}

#[test]
fn another_instances_child_is_a_conflict_that_names_its_owner() {
    let mut other = lives(&["a=1"]);
    other[0]["metadata"]["labels"]["croft.run/instance"] = "u2".into();
    check(&["a=1"], &[], other, &["conflict ConfigMap team/a belongs to Web.kro.run team/shop"]);
}

#[test]
fn an_instances_deletion_takes_one_wave_after_the_other() {
    let inventory = |objects: Vec<Value>| Inventory::of(&owner(), objects.into_iter().map(Arc::new), |_| true);
    let step = |objects: Vec<Value>| lines(&deletion(&inventory(objects)));
    let all = lives(&["a=1", "b=1", "c=1"]);
    assert_eq!(step(all.clone()), ["delete c: its instance is being deleted"]);
    assert_eq!(step(vec![all[0].clone(), going(all[2].clone())]), ["await c"]);
    assert_eq!(step(all[..1].to_vec()), ["delete a: its instance is being deleted"]);
    assert!(step(Vec::new()).is_empty());
    // Elements of a collection are of one wave.
    let both = elements(&[("1", "w-1"), ("2", "w-2")]).iter().map(live).collect();
    let expected = ["delete w-1: its instance is being deleted", "delete w-2: its instance is being deleted"];
    assert_eq!(step(both), expected);
}

#[test]
fn a_manifest_that_lacks_what_an_earlier_one_had_is_told_from_one_that_only_differs() {
    let before = json!({"data": {"a": "1", "b": "2"}, "list": [{"name": "x"}]});
    for (after, expected) in [
        (json!({"data": {"a": "3", "b": "2", "c": "4"}, "list": [{"name": "x"}, {"name": "y"}]}), false),
        (json!({"data": {"a": "1"}, "list": [{"name": "x"}]}), true),
        (json!({"data": {"a": "1", "b": "2"}, "list": []}), true),
        (json!({"data": "text", "list": [{"name": "x"}]}), true),
    ] {
        assert_eq!(loses(&before, &after), expected, "{after}");
    }
}
