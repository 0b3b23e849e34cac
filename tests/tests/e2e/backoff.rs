//! How often a host asks for what it does not get.

use std::time::{Duration, Instant};

use harness::Seen;
use serde_json::json;

use crate::stage::{CHAIN, Stage, api, condition, wait};

/// So long each of them is watched. Pauses of 0.25 s that double, each shortened
/// by up to half, make at most nine attempts in it.
const WINDOW: Duration = Duration::from_secs(20);
const ATTEMPTS: usize = 9;

fn pass_time() {
    let start = Instant::now();
    wait("the end of the window", || (start.elapsed() >= WINDOW).then_some(()));
}

/// Twenty ConfigMaps in a namespace that an instance names.
fn twenty() -> String {
    let child = |number: usize| {
        format!(
            "  - id: child{number}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {{name: '${{schema.spec.name}}-{number}', namespace: '${{schema.spec.namespace}}'}}
"
        )
    };
    let children: String = (0..20).map(child).collect();
    format!(
        "
apiVersion: kro.run/v1alpha1
kind: ResourceGroup
metadata: {{name: twenty}}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Score
    spec: {{name: string, namespace: string}}
  resources:
{children}"
    )
}

#[test]
fn a_kind_that_is_not_served_and_a_server_that_is_down_are_asked_for_with_growing_pauses() {
    let (_stage, proxy, host) = Stage::with_a_chain("backoff");

    // In the shared layout the export serves one of the three kinds of definitions.
    proxy.take();
    pass_time();
    let seen = proxy.take();
    let asked = ["resourcegraphdefinitions", "compositions"].map(|plural| {
        let asked = seen.iter().filter(|seen| seen.path.contains(plural)).count();
        assert!((1..=ATTEMPTS).contains(&asked), "{asked} requests for {plural}, which are not served");
        asked
    });
    assert_eq!(asked.iter().sum::<usize>(), seen.len(), "{seen:#?}");

    // Seven watches: three kinds of definitions, bindings, instances, two of children; and
    // the Lease.
    proxy.cut(true);
    proxy.take_refused();
    pass_time();
    let knocked = proxy.take_refused();
    assert!((1..=8 * ATTEMPTS).contains(&knocked), "{knocked} attempts to reach a server that is down");
    proxy.cut(false);
    assert!(host.process.end().unwrap().success());
}

#[test]
fn children_that_cannot_be_written_are_tried_again_with_growing_pauses() {
    let stage = Stage::new("backoff-children", 1);
    stage.publish(&twenty(), &["--layout", "shared"]);
    stage.bind(1, "scores.kro.run");
    let proxy = stage.proxy("scores.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "scores.kro.run/a", "Score", json!({"name": "a", "namespace": "missing"}));
    pass_time();
    stage.until(1, "scores.kro.run/a", "Applied", "False");
    let writes: Vec<Seen> = proxy.take().into_iter().filter(Seen::is_write).collect();
    let (children, own): (Vec<_>, Vec<_>) = writes.iter().partition(|seen| seen.path.contains("configmaps"));
    assert!((20..=20 * ATTEMPTS).contains(&children.len()), "{} writes of children", children.len());
    // The finalizer and one status for the instance, one for the definition.
    assert!(own.len() <= 4, "{own:#?}");
    assert!(host.process.end().unwrap().success());
}

/// Definitions of other exports are other hosts' business, and stay it until the
/// export changes.
#[test]
fn a_definition_of_another_export_costs_few_requests() {
    let stage = Stage::new("backoff-exports", 1);
    stage.publish(CHAIN, &[]);
    stage.publish(&twenty(), &[]);
    stage.bind(1, "chains.kro.run");
    let (_, proxy) = (stage.virtual_workspace("chains.kro.run"), stage.provider_proxy());
    let host = stage.host(&["--context", "proxy", "--export", "chains.kro.run"]);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    let exports = format!("/clusters/{}/apis/apis.kcp.io/v1alpha2/apiexports", stage.provider);
    let of = |name: &str| api().find(&format!("{exports}/{name}")).unwrap().unwrap();
    // The last thing of a start.
    wait("the finalizer of the export", || of("chains.kro.run")["metadata"]["finalizers"].as_array().map(drop));
    proxy.take();
    pass_time();
    let seen: Vec<Seen> = proxy.take().into_iter().filter(|seen| !seen.is_watch()).collect();
    // Pauses of 3 s that double, each shortened by up to half: whether the export
    // serves the API by now, and nothing else is asked.
    assert!(seen.len() <= 4, "{seen:#?}");
    assert!(seen.iter().all(|seen| seen.path.ends_with("apiexports/chains.kro.run")), "{seen:#?}");

    // An export that serves the API from now on is an event.
    let resources = |name: &str| of(name)["spec"]["resources"].clone();
    let (mut both, scores) = (resources("chains.kro.run"), resources("scores.kro.run"));
    both.as_array_mut().unwrap().extend(scores.as_array().unwrap().iter().cloned());
    api().merge(&format!("{exports}/chains.kro.run"), &json!({"spec": {"resources": both}})).unwrap();
    wait("the second definition", || (host.log().matches("in force").count() >= 2).then_some(()));
    assert!(host.process.end().unwrap().success());
}

/// Policies of consumers are not watched: what one refused is tried again.
#[test]
fn a_child_that_a_policy_refused_is_made_when_the_policy_is_gone() {
    let stage = Stage::new("backoff-policy", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let policies = format!("/clusters/{}/apis/admissionregistration.k8s.io/v1", stage.consumers[0]);
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-children"},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["configmaps"]},
            ]},
            "validations": [{"expression": "!object.metadata.name.endsWith('-third')", "message": "not here"}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "no-children"},
        "spec": {"policyName": "no-children", "validationActions": ["Deny"]},
    });
    api().apply(&format!("{policies}/validatingadmissionpolicies/no-children"), &policy).unwrap();
    let bound = format!("{policies}/validatingadmissionpolicybindings/no-children");
    api().apply(&bound, &binding).unwrap();
    // A policy is in force some seconds after it was made.
    wait("the policy", || {
        let path = stage.path(1, "configmaps/a-third");
        let object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a-third"}});
        let made = api().apply(&path, &object);
        if made.is_ok() {
            api().delete(&path).unwrap();
        }
        made.err()
    });
    let _proxy = stage.proxy("chains.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    let instance = stage.until(1, "chains.kro.run/a", "Applied", "False");
    let applied = condition(&instance, "Applied").unwrap();
    assert_eq!(applied["reason"], "Rejected", "{applied:#}");
    assert!(applied["message"].as_str().unwrap().contains("not here"), "{applied:#}");
    api().delete(&bound).unwrap();
    // The pause is between 30 s and 60 s: the first wait may be too short for it.
    let start = Instant::now();
    wait("half of the pause", || {
        (start.elapsed() >= WINDOW || stage.find(1, "configmaps/a-third").is_some()).then_some(())
    });
    wait("the child", || stage.find(1, "configmaps/a-third"));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.process.end().unwrap().success());
}
