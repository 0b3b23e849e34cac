//! What the consumer does not allow is not done, and the instance says so.

use serde_json::{Value, json};

use crate::stage::{CHAIN, Stage, api, condition, wait};

#[test]
fn a_claim_refused_and_later_accepted() {
    let stage = Stage::new("claims", 1);
    stage.publish(CHAIN, &[]);
    let export = format!("{}:chains.kro.run", stage.provider);
    let said = stage.done(&["bind", &export, "--context", "team-1"]);
    assert!(said.stderr.contains("configmaps") && said.stderr.contains("secrets"), "{said:#?}");
    let host = stage.host_of("chains.kro.run");
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));

    // The condition names all claims and the one line that accepts them.
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    let applied = condition(&instance, "Applied").unwrap();
    assert_eq!(applied["reason"], "ClaimNotAccepted");
    let message = applied["message"].as_str().unwrap();
    assert!(message.contains("configmaps") && message.contains(&stage.consumers[0]), "{message}");
    assert!(stage.children(1, "configmaps").is_empty());

    // Obeying the instance is all that it takes; obeying it again undoes nothing.
    assert!(message.contains("secrets"), "{message}");
    accept(&stage, message).unwrap();
    let again = accept(&stage, message).unwrap_err().to_string();
    assert!(again.contains("422"), "{again}");
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert_eq!(stage.children(1, "secrets"), ["a-second"]);

    // Revoked: children that cannot be seen are not forgotten, and the
    // instance does not go without them.
    let binding = format!("/clusters/{}/apis/apis.kcp.io/v1alpha2/apibindings/chains.kro.run", stage.consumers[0]);
    let claims = api().find(&binding).unwrap().unwrap()["spec"]["permissionClaims"].clone();
    let index = claims.as_array().unwrap().iter().position(|claim| claim["resource"] == "secrets").unwrap();
    let state = |state: &str| json!([{"op": "replace", "path": format!("/spec/permissionClaims/{index}/state"), "value": state}]);
    api().patch(&binding, &state("Rejected")).unwrap();
    stage.until(1, "chains.kro.run/a", "Applied", "False");
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    let instance = wait("the refusal to go", || {
        let instance = stage.find(1, "chains.kro.run/a")?;
        condition(&instance, "Ready").filter(|ready| ready["reason"] == "Deleting")?;
        Some(instance)
    });
    assert!(instance["status"]["croft"]["inventory"].to_string().contains("a-second"), "{instance:#?}");
    assert_eq!(stage.children(1, "secrets"), ["a-second"]);
    api().patch(&binding, &state("Accepted")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(stage.children(1, "configmaps").is_empty() && stage.children(1, "secrets").is_empty());
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_second_binding_that_kcp_refuses_changes_nothing() {
    let stage = Stage::new("rebound", 1);
    stage.publish(CHAIN, &[]);
    stage.bind(1, "chains.kro.run");
    let host = stage.host_of("chains.kro.run");
    let second = json!({
        "apiVersion": "apis.kcp.io/v1alpha2", "kind": "APIBinding", "metadata": {"name": "second"},
        "spec": {"reference": {"export": {"path": stage.provider, "name": "chains.kro.run"}}},
    });
    let path = format!("/clusters/{}/apis/apis.kcp.io/v1alpha2/apibindings/second", stage.consumers[0]);
    api().apply(&path, &second).unwrap();
    wait("kcp's refusal", || {
        api().find(&path).unwrap()?["status"]["conditions"].to_string().contains("NamingConflicts").then_some(())
    });
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    api().delete(&path).unwrap();
    wait("its end", || api().find(&path).unwrap().is_none().then_some(()));
    stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    stage.until(1, "chains.kro.run/b", "Ready", "True");
    assert!(host.process.end().unwrap().success());
}

/// What the administrator of the consumer's workspace answered by hand stays
/// answered that way.
#[test]
fn accepting_the_rest_leaves_other_answers_alone() {
    let stage = Stage::new("answers", 1);
    stage.publish(CHAIN, &[]);
    let export = format!("{}:chains.kro.run", stage.provider);
    let asked = stage.done(&["bind", &export, "--context", "team-1", "--dry-run"]);
    assert!(
        asked.stderr.contains("would be bound") && asked.stderr.contains("rights on secrets: get, list"),
        "{asked:#?}"
    );
    assert!(asked.stdout.contains("kind: APIBinding") && !asked.stdout.contains("permissionClaims"), "{asked:#?}");
    let path = format!("/clusters/{}/apis/apis.kcp.io/v1alpha2/apibindings/chains.kro.run", stage.consumers[0]);
    assert_eq!(api().find(&path).unwrap(), None);
    stage.done(&["bind", &export, "--context", "team-1"]);
    let wanted = api().find(&path).unwrap().unwrap()["status"]["exportPermissionClaims"].clone();
    let mut narrow = wanted.as_array().unwrap().iter().find(|claim| claim["resource"] == "configmaps").unwrap().clone();
    narrow["state"] = "Accepted".into();
    narrow["selector"] = json!({"matchLabels": {"team": "one"}});
    narrow["verbs"] = json!(["get", "list", "watch"]);
    api().merge(&path, &json!({"spec": {"permissionClaims": [narrow]}})).unwrap();
    stage.bind(1, "chains.kro.run");
    let answers = api().find(&path).unwrap().unwrap()["spec"]["permissionClaims"].clone();
    let answer =
        |resource: &str| answers.as_array().unwrap().iter().find(|claim| claim["resource"] == resource).unwrap();
    assert_eq!(answer("configmaps")["selector"], json!({"matchLabels": {"team": "one"}}));
    assert!(answer("configmaps")["verbs"].to_string().contains("create"), "{answers:#?}");
    assert_eq!(answer("secrets")["state"], "Accepted");
    let asked = stage.done(&["bind", &export, "--context", "team-1", "--dry-run"]);
    assert!(asked.stderr.contains("bound in") && asked.stderr.contains("; accepted"), "{asked:#?}");
}

/// Does what the `kubectl patch` line in a message would do.
fn accept(stage: &Stage, message: &str) -> anyhow::Result<Value> {
    let line = message.split_once("kubectl patch apibinding ").unwrap().1;
    let (name, rest) = line.split_once(" --type=json -p='").unwrap();
    let patch: Value = serde_json::from_str(rest.split_once('\'').unwrap().0).unwrap();
    let path = format!("/clusters/{}/apis/apis.kcp.io/v1alpha2/apibindings/{name}", stage.consumers[0]);
    api().patch(&path, &patch)
}
