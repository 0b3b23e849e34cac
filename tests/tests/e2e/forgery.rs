//! Whoever may write an instance's status, and nothing else, gets no hold of
//! other objects by it.

use serde_json::{Value, json};

use crate::stage::{CHAIN, Stage, api, condition, wait};

/// A ConfigMap of somebody else.
fn theirs(stage: &Stage, name: &str) -> Value {
    let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"mine": "1"}});
    api().apply(&stage.path(1, &format!("configmaps/{name}")), &object).unwrap()
}

/// Puts objects on an instance's record, beside what is there.
fn forge(stage: &Stage, instance: &str, objects: &[&Value]) {
    let path = format!("{}/status", stage.path(1, instance));
    let found = stage.find(1, instance).unwrap();
    let mut record = found["status"]["croft"]["inventory"].as_array().cloned().unwrap_or_default();
    record.extend(objects.iter().map(|object| {
        let metadata = &object["metadata"];
        json!({
            "id": "first", "apiVersion": "v1", "kind": "ConfigMap", "namespace": "default",
            "name": metadata["name"], "uid": metadata["uid"],
        })
    }));
    api().merge(&path, &json!({"status": {"croft": {"inventory": record}}})).unwrap();
}

#[test]
fn an_object_on_a_forged_record_is_neither_taken_nor_deleted() {
    let stage = Stage::new("forgery", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let (in_the_way, elsewhere) = (theirs(&stage, "b-first"), theirs(&stage, "elsewhere"));
    let untouched = |host: &str| {
        for before in [&in_the_way, &elsewhere] {
            let name = before["metadata"]["name"].as_str().unwrap();
            let after = stage.find(1, &format!("configmaps/{name}")).unwrap_or_else(|| panic!("no {name}: {host}"));
            assert_eq!(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"], "{host}");
        }
    };
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");

    // While the host runs, and before it starts.
    forge(&stage, "chains.kro.run/a", &[&in_the_way, &elsewhere]);
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"name": "b"}})).unwrap();
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    assert_eq!(condition(&instance, "Applied").unwrap()["reason"], "Conflict");
    untouched(&host.log());
    assert!(host.process.end().unwrap().success());
    forge(&stage, "chains.kro.run/a", &[&in_the_way, &elsewhere]);
    let host = stage.host_of("chains.kro.run");
    wait("the host's look", || host.log().contains("in force").then_some(()));
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"text": "again"}})).unwrap();
    stage.until(1, "chains.kro.run/a", "Applied", "False");
    untouched(&host.log());

    // Deletion asks for what is on record, and believes what it is shown.
    forge(&stage, "chains.kro.run/a", &[&in_the_way, &elsewhere]);
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    untouched(&host.log());
    assert!(stage.children(1, "configmaps").is_empty() && stage.children(1, "secrets").is_empty());
    assert!(host.process.end().unwrap().success());
}

/// A child that has neither label nor annotation any more was taken out of
/// croft's hands; one that has either was not.
#[test]
fn a_child_is_pruned_by_its_annotation_and_let_go_without_any() {
    let stage = Stage::new("unmarked", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
    let bare = json!({"metadata": {"labels": {"croft.run/instance": null}}});
    api().merge(&stage.path(1, "configmaps/a-third"), &bare).unwrap();
    let mut free = bare;
    free["metadata"]["annotations"] = json!({"croft.run/owner": null});
    api().merge(&stage.path(1, "configmaps/a-first"), &free).unwrap();
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"last": false}})).unwrap();
    let host = stage.host_of("chains.kro.run");
    wait("the pruning", || stage.find(1, "configmaps/a-third").is_none().then_some(()));
    stage.until(1, "chains.kro.run/a", "Applied", "False");
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(stage.find(1, "configmaps/a-first").is_some());
    assert!(host.process.end().unwrap().success());
}

/// Kinds on a forged record are not looked up before the server itself names them,
/// and nobody waits for it.
#[test]
fn kinds_on_a_forged_record_reach_no_path() {
    let (stage, proxy, host) = Stage::with_a_chain("forged-kinds");
    proxy.take();
    let forged = ["forged.example.org/v1", "forged/../../api/v1", "forged.example.org/v1?watch=true", "v1/forged#"];
    let record: Vec<Value> = forged
        .iter()
        .map(|version| json!({"id": "x", "apiVersion": version, "kind": "Forged", "name": "x", "uid": version}))
        .collect();
    let path = format!("{}/status", stage.path(1, "chains.kro.run/a"));
    api().merge(&path, &json!({"status": {"croft": {"inventory": record}}})).unwrap();
    // What no object can have for its kind goes; the other may be one that cannot be
    // seen.
    wait("the record to be mended", || {
        let found = stage.find(1, "chains.kro.run/a")?;
        let record = found["status"]["croft"]["inventory"].to_string();
        (record.contains("a-first") && forged[1..].iter().all(|version| !record.contains(version))).then_some(())
    });
    stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    stage.until(1, "chains.kro.run/b", "Ready", "True");
    let seen = proxy.take();
    let forged: Vec<_> = seen.iter().filter(|seen| seen.path.contains("orged")).collect();
    assert!(forged.is_empty(), "{forged:#?}");
    assert!(host.process.end().unwrap().success());
}

/// A status that is written at the very moment at which the host writes its own.
#[test]
fn a_record_that_is_forged_while_the_host_writes_is_mended() {
    let (stage, proxy, host) = Stage::with_a_chain("forged-meanwhile");
    let path = format!("{}/status", stage.path(1, "chains.kro.run/a"));
    let mut times = 0;
    proxy.before(move |seen| {
        if seen.path.contains("/chains/a/status") && times < 2 {
            times += 1;
            api().merge(&path, &json!({"status": {"croft": {"inventory": []}}})).unwrap();
        }
    });
    // Its status says of which generation it is, and nothing new of the children.
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"text": "again"}})).unwrap();
    let record = |size: usize| {
        let found = stage.until(1, "chains.kro.run/a", "Ready", "True");
        (found["status"]["croft"]["inventory"].as_array().is_some_and(|all| all.len() == size)).then_some(())
    };
    wait("the record to be whole", || record(3));
    assert!(host.process.end().unwrap().success());
}

/// A ConfigMap and a Role.
const GUARDED: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGroup
metadata: {name: guarded}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Guard
    spec: {name: string}
  resources:
  - id: card
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.spec.name}'}
  - id: role
    template:
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata: {name: '${schema.spec.name}'}
      rules: []
";

/// Takes the Role out of it. The export keeps its claim.
fn drop_the_role(stage: &Stage) {
    let path = format!("/clusters/{}/apis/kro.run/v1alpha1/namespaces/default/resourcegroups/guarded", stage.provider);
    api().patch(&path, &json!([{"op": "remove", "path": "/spec/resources/1"}])).unwrap();
}

/// Nobody else pays for a record that names what the server does serve.
#[test]
fn a_kind_that_only_a_record_names_is_watched_in_its_own_workspace() {
    let stage = Stage::new("forged-roles", 2);
    stage.publish(GUARDED, &["--layout", "shared"]);
    drop_the_role(&stage);
    stage.bind(1, "guards.kro.run");
    stage.bind(2, "guards.kro.run");
    let proxy = stage.proxy("guards.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    for consumer in [1, 2] {
        stage.create(consumer, "guards.kro.run/a", "Guard", json!({"name": "a"}));
        stage.until(consumer, "guards.kro.run/a", "Ready", "True");
    }
    let roles = || proxy.take().into_iter().filter(|seen| seen.path.contains("/roles")).collect::<Vec<_>>();
    assert!(roles().is_empty());
    let role = json!({
        "id": "role", "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "namespace": "default",
        "name": "x", "uid": "x",
    });
    let instance = stage.find(1, "guards.kro.run/a").unwrap();
    let mut record = instance["status"]["croft"]["inventory"].clone();
    record.as_array_mut().unwrap().push(role);
    let path = format!("{}/status", stage.path(1, "guards.kro.run/a"));
    api().merge(&path, &json!({"status": {"croft": {"inventory": record}}})).unwrap();
    let cluster = instance["metadata"]["annotations"]["kcp.io/cluster"].as_str().unwrap().to_owned();
    let mut asked = Vec::new();
    wait("the record to be mended", || {
        asked.extend(roles());
        let record = stage.find(1, "guards.kro.run/a")?["status"]["croft"]["inventory"].clone();
        (record.as_array()?.len() == 1 && !asked.is_empty()).then_some(())
    });
    let theirs = format!("/clusters/{cluster}/");
    assert!(asked.iter().all(|seen| seen.path.contains(&theirs)), "{asked:#?}");
    // A workspace that has them says what there is.
    api().delete(&stage.path(1, "guards.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "guards.kro.run/a").is_none().then_some(()));
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_kind_that_no_definition_has_any_more_is_watched_until_its_children_are_gone() {
    let stage = Stage::new("dropped-roles", 1);
    stage.publish(GUARDED, &["--layout", "shared"]);
    stage.bind(1, "guards.kro.run");
    let proxy = stage.proxy("guards.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "guards.kro.run/a", "Guard", json!({"name": "a"}));
    stage.until(1, "guards.kro.run/a", "Ready", "True");
    let role = stage.path(1, "configmaps/a").replace("/api/v1/", "/apis/rbac.authorization.k8s.io/v1/");
    let role = role.replace("/configmaps/", "/roles/");
    assert!(api().find(&role).unwrap().is_some());
    drop_the_role(&stage);
    wait("the pruning", || api().find(&role).unwrap().is_none().then_some(()));
    wait("the end of the watch", || host.log().contains("no definition has it").then_some(()));
    // The definition goes, and nothing of it is left once its instances are gone.
    let path = format!("/clusters/{}/apis/kro.run/v1alpha1/namespaces/default/resourcegroups/guarded", stage.provider);
    api().delete(&path).unwrap();
    api().delete(&stage.path(1, "guards.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "guards.kro.run/a").is_none().then_some(()));
    wait("the end of all watches", || (host.log().matches("no definition has it").count() == 3).then_some(()));
    // What was watched begins again with a definition.
    proxy.take();
    stage.publish(GUARDED, &["--layout", "shared"]);
    stage.create(1, "guards.kro.run/b", "Guard", json!({"name": "b"}));
    stage.until(1, "guards.kro.run/b", "Ready", "True");
    assert!(host.process.end().unwrap().success());
}

/// Another definition of the same export, with a Role alone.
const KEEPERS: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGroup
metadata: {name: keepers}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Keeper
    spec: {name: string}
  resources:
  - id: role
    template:
      apiVersion: rbac.authorization.k8s.io/v1
      kind: Role
      metadata: {name: '${schema.spec.name}'}
      rules: []
";

/// What one definition has lost and a record names, another one has: it is watched for
/// that one, whatever records say.
#[test]
fn a_forged_record_takes_no_children_of_another_definition_out_of_sight() {
    let stage = Stage::new("forged-for-others", 1);
    stage.publish(GUARDED, &[]);
    stage.publish(KEEPERS, &[]);
    let exports = format!("/clusters/{}/apis/apis.kcp.io/v1alpha2/apiexports", stage.provider);
    let keepers = api().find(&format!("{exports}/keepers.kro.run")).unwrap().unwrap();
    let add = json!([{"op": "add", "path": "/spec/resources/-", "value": keepers["spec"]["resources"][0]}]);
    api().patch(&format!("{exports}/guards.kro.run"), &add).unwrap();
    drop_the_role(&stage);
    stage.bind(1, "guards.kro.run");
    let host = stage.host_of("guards.kro.run");
    stage.create(1, "guards.kro.run/a", "Guard", json!({"name": "a"}));
    stage.create(1, "keepers.kro.run/b", "Keeper", json!({"name": "b"}));
    stage.until(1, "guards.kro.run/a", "Ready", "True");
    stage.until(1, "keepers.kro.run/b", "Ready", "True");
    let role = stage.path(1, "configmaps/b").replace("/api/v1/", "/apis/rbac.authorization.k8s.io/v1/");
    let role = role.replace("/configmaps/", "/roles/");
    let status = format!("{}/status", stage.path(1, "guards.kro.run/a"));
    for number in 0..5 {
        let record = stage.find(1, "guards.kro.run/a").unwrap()["status"]["croft"]["inventory"].clone();
        let mut forged = record.clone();
        forged.as_array_mut().unwrap().push(json!({
            "id": "role", "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "namespace": "default",
            "name": "x", "uid": format!("x{number}"),
        }));
        api().merge(&status, &json!({"status": {"croft": {"inventory": forged}}})).unwrap();
        wait("the record to be mended", || {
            (stage.find(1, "guards.kro.run/a")?["status"]["croft"]["inventory"] == record).then_some(())
        });
        // A Role that somebody deletes is made again.
        let before = api().find(&role).unwrap().unwrap()["metadata"]["uid"].clone();
        api().delete(&role).unwrap();
        wait("the Role", || api().find(&role).unwrap().filter(|role| role["metadata"]["uid"] != before));
    }
    api().delete(&stage.path(1, "keepers.kro.run/b")).unwrap();
    wait("the end", || stage.find(1, "keepers.kro.run/b").is_none().then_some(()));
    assert_eq!(api().find(&role).unwrap(), None);
    assert!(host.process.end().unwrap().success());
}
