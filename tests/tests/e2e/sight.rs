//! What is out of sight is unknown, and not gone.

use harness::{Proxy, Seen, Verdict};
use serde_json::{Value, json};

use crate::stage::{Host, Stage, api, condition, kcp, wait};

/// A card for each member, whom somebody else owns, and a list of them.
const FLEET: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: fleets.kro.run}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Fleet
    spec: {name: string}
    status: {count: '${members.size()}'}
  resources:
  - id: members
    externalRef:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        selector:
          matchLabels: {example.org/member: \"yes\"}
  - id: cards
    forEach:
    - member: ${members}
    template:
      apiVersion: v1
      kind: Secret
      metadata: {name: 'card-${member.metadata.name}'}
      stringData: {of: '${member.metadata.name}'}
";

/// A stage with two members, a ready instance, and a host behind a proxy.
fn fleet(name: &str) -> (Stage, Proxy, Host) {
    // Where no consumer lets it see a kind kcp does not serve that kind at all.
    let stage = Stage::new(name, 2);
    stage.publish(FLEET, &["--layout", "shared"]);
    stage.bind(1, "fleets.kro.run");
    stage.bind(2, "fleets.kro.run");
    for name in ["ada", "bob"] {
        let member = json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"example.org/member": "yes"}},
        });
        api().apply(&stage.path(1, &format!("configmaps/{name}")), &member).unwrap();
    }
    let proxy = stage.proxy("fleets.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "fleets.kro.run/a", "Fleet", json!({"name": "a"}));
    wait("the cards", || (stage.children(1, "secrets") == ["card-ada", "card-bob"]).then_some(()));
    stage.until(1, "fleets.kro.run/a", "Ready", "True");
    (stage, proxy, host)
}

fn uids(stage: &Stage) -> Vec<Option<Value>> {
    let cards = ["secrets/card-ada", "secrets/card-bob"];
    cards.iter().map(|card| stage.find(1, card).map(|found| found["metadata"]["uid"].clone())).collect()
}

/// Answers the claim on a resource.
fn answer(stage: &Stage, resource: &str, state: &str) {
    answer_in(&stage.consumers[0], resource, state);
}

fn answer_in(consumer: &str, resource: &str, state: &str) {
    let binding = format!("/clusters/{consumer}/apis/apis.kcp.io/v1alpha2/apibindings/fleets.kro.run");
    let claims = api().find(&binding).unwrap().unwrap()["spec"]["permissionClaims"].clone();
    let index = claims.as_array().unwrap().iter().position(|claim| claim["resource"] == resource).unwrap();
    let patch = json!([{"op": "replace", "path": format!("/spec/permissionClaims/{index}/state"), "value": state}]);
    api().patch(&binding, &patch).unwrap();
}

/// Whether the host asked about the binding itself, or took a card away.
fn moved(seen: &[Seen]) -> bool {
    let asked = |seen: &Seen| !seen.is_watch() && seen.method == "GET" && seen.path.contains("apibindings/");
    seen.iter().any(|seen| asked(seen) || seen.method == "DELETE")
}

#[test]
fn a_claim_on_what_is_read_is_revoked_and_no_child_goes() {
    let (stage, proxy, host) = fleet("revoked");
    let before = uids(&stage);
    assert!(before.iter().all(Option::is_some), "{before:?}");
    proxy.take();
    // kcp takes the objects out of sight at once; what the binding says comes
    // late.
    proxy.hold(Some("apibindings"));
    answer(&stage, "configmaps", "Rejected");
    let mut seen = Vec::new();
    wait("the host to move", || {
        seen.extend(proxy.take());
        moved(&seen).then_some(())
    });
    proxy.hold(None);
    let instance = stage.until(1, "fleets.kro.run/a", "Applied", "False");
    assert_eq!(condition(&instance, "Applied").unwrap()["reason"], "ClaimNotAccepted");
    assert_eq!(instance["status"]["count"], 2, "{instance:#}");
    assert_eq!(uids(&stage), before);

    // Accepted again: the binding says so before the objects are back in sight.
    proxy.hold(Some("api/v1/configmaps"));
    answer(&stage, "configmaps", "Accepted");
    seen.clear();
    wait("the host to move", || {
        seen.extend(proxy.take());
        moved(&seen).then_some(())
    });
    proxy.hold(None);
    let instance = stage.until(1, "fleets.kro.run/a", "Ready", "True");
    assert_eq!((uids(&stage), &instance["status"]["count"]), (before.clone(), &json!(2)));

    // What is gone is gone.
    api().delete(&stage.path(1, "configmaps/bob")).unwrap();
    wait("the card of who left", || (stage.children(1, "secrets") == ["card-ada"]).then_some(()));
    assert_eq!(uids(&stage)[0], before[0]);
    assert!(host.process.end().unwrap().success());
}

/// The same for a host that starts at this moment: it never saw the members.
#[test]
fn a_host_that_starts_while_a_claim_is_revoked_takes_nothing_away() {
    let (stage, proxy, host) = fleet("revoked-start");
    let before = uids(&stage);
    assert!(host.process.end().unwrap().success());
    proxy.take();
    // The bindings are listed, and what happens to them afterwards comes late.
    let host = stage.host(&["--context", "proxy"]);
    let is_watch = |seen: &Seen| seen.path.contains("apibindings") && seen.path.contains("watch=true");
    wait("the bindings", || proxy.take().iter().any(is_watch).then_some(()));
    proxy.hold(Some("apibindings"));
    answer(&stage, "configmaps", "Rejected");
    api().merge(&stage.path(1, "fleets.kro.run/a"), &json!({"spec": {"name": "b"}})).unwrap();
    let mut seen = Vec::new();
    wait("the host to move", || {
        seen.extend(proxy.take());
        moved(&seen).then_some(())
    });
    proxy.hold(None);
    stage.until(1, "fleets.kro.run/a", "Applied", "False");
    assert_eq!(uids(&stage), before);
    assert!(host.process.end().unwrap().success());
}

/// Both claims go at once, and one child after the other is out of sight: the
/// record forgets none of them.
#[test]
fn children_that_are_out_of_sight_stay_on_record() {
    let (stage, proxy, host) = fleet("forgotten");
    proxy.hold(Some("apibindings"));
    answer(&stage, "secrets", "Rejected");
    answer(&stage, "configmaps", "Rejected");
    wait("the host to move", || moved(&proxy.take()).then_some(()));
    proxy.hold(None);
    let instance = stage.until(1, "fleets.kro.run/a", "Applied", "False");
    let record = instance["status"]["croft"]["inventory"].to_string();
    assert!(record.contains("card-ada") && record.contains("card-bob"), "{instance:#}");
    api().delete(&stage.path(1, "fleets.kro.run/a")).unwrap();
    wait("the refusal to go", || {
        let instance = stage.find(1, "fleets.kro.run/a")?;
        condition(&instance, "Ready").filter(|ready| ready["reason"] == "Deleting").map(drop)
    });
    answer(&stage, "secrets", "Accepted");
    wait("the end", || stage.find(1, "fleets.kro.run/a").is_none().then_some(()));
    assert_eq!(uids(&stage), [None, None]);
    assert!(host.process.end().unwrap().success());
}

/// The record names one of a hundred, and that one is gone already.
#[test]
fn a_claim_that_is_revoked_amid_a_deletion_orphans_none_of_those_that_no_record_names() {
    const MANY: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: fleets}
spec:
  schema: {apiVersion: v1alpha1, kind: Fleet, spec: {name: string}}
  resources:
  - id: all
    forEach:
    - number: ${lists.range(100)}
    template:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: '${schema.spec.name + string(number)}'}
";
    // What kcp serves at all, it serves for another consumer too.
    let stage = Stage::new("unnamed", 2);
    stage.publish(MANY, &["--layout", "shared"]);
    stage.bind(1, "fleets.kro.run");
    stage.bind(2, "fleets.kro.run");
    let proxy = stage.proxy("fleets.kro.run");
    proxy.largest_status(8 << 10);
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "fleets.kro.run/a", "Fleet", json!({"name": "n".repeat(200)}));
    let instance = stage.until(1, "fleets.kro.run/a", "Ready", "False");
    assert_eq!(instance["status"]["croft"]["children"], 100, "{instance:#}");

    proxy.hold(Some("apibindings"));
    let (consumer, base) = (stage.consumers[0].clone(), kcp().0.base_url());
    let shown = stage.virtual_workspace("fleets.kro.run").replace(&base, "");
    let shown = format!("{shown}/clusters/*/api/v1/configmaps?labelSelector=croft.run/instance");
    let mut deleted = 0;
    proxy.judge(move |seen| {
        deleted += usize::from(seen.method == "DELETE");
        // The last one of a round, whose answer the host waits for.
        if seen.method == "DELETE" && deleted == 64 {
            answer_in(&consumer, "configmaps", "Rejected");
            wait("the objects to be out of sight", || {
                let list = api().find(&shown).unwrap()?;
                list["items"].as_array()?.is_empty().then_some(())
            });
        }
        Verdict::Pass
    });
    api().delete(&stage.path(1, "fleets.kro.run/a")).unwrap();
    let binding = |seen: &Seen| seen.method == "GET" && !seen.is_watch() && seen.path.contains("apibindings/");
    wait("the host to ask", || {
        assert!(stage.find(1, "fleets.kro.run/a").is_some(), "{}", host.log());
        proxy.take().iter().any(binding).then_some(())
    });
    proxy.hold(None);
    let said = wait("the refusal to go", || {
        let instance = stage.find(1, "fleets.kro.run/a").expect("it is still there");
        let ready = condition(&instance, "Ready").filter(|ready| ready["reason"] == "Deleting")?;
        ready["message"].as_str().filter(|message| message.contains("accept the claims again")).map(str::to_owned)
    });
    assert_eq!(stage.children(1, "configmaps").len(), 36, "{said}");
    answer(&stage, "configmaps", "Accepted");
    wait("the end", || stage.find(1, "fleets.kro.run/a").is_none().then_some(()));
    assert!(stage.children(1, "configmaps").is_empty());
    assert!(host.process.end().unwrap().success());
}

/// More than a module is given is refused before it is copied: the host keeps one of
/// each object, however many instances want to see them at the same time.
#[test]
fn what_is_too_much_to_show_is_refused_before_it_is_copied() {
    const READER: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: readers}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Reader
    status: {count: '${size(all)}'}
  resources:
  - id: all
    externalRef:
      apiVersion: v1
      kind: ConfigMap
      metadata: {selector: {matchLabels: {size: large}}}
";
    let stage = Stage::new("large", 1);
    stage.publish(READER, &[]);
    stage.bind(1, "readers.kro.run");
    let text = "x".repeat(900_000);
    for number in 0..60 {
        let metadata = json!({"name": format!("large-{number}"), "labels": {"size": "large"}});
        let large = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"text": text}});
        api().request("POST", &stage.path(1, "configmaps"), "application/json", &large.to_string()).unwrap();
    }
    let objects: Vec<String> = (0..8).map(|number| format!("readers.kro.run/r{number}")).collect();
    for object in &objects {
        stage.create(1, object, "Reader", json!({}));
    }
    let host = stage.host_of("readers.kro.run");
    for object in &objects {
        let instance = stage.until(1, object, "Rendered", "False");
        assert_eq!(condition(&instance, "Rendered").unwrap()["reason"], "InputTooLarge");
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", host.process.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")).unwrap();
    let peak: usize = peak.parse().unwrap();
    println!("peak: {} MiB", peak >> 10);
    // The objects, the list that brought them, and the host itself.
    assert!(peak >> 10 < 500, "{} MiB", peak >> 10);
    assert!(host.process.end().unwrap().success());
}

/// Half a megabyte of text, and 32 times as much as a tree.
#[test]
fn an_instance_of_too_many_values_is_refused_before_it_is_copied() {
    const LISTS: &str = "
apiVersion: kro.run/v1alpha1
kind: ResourceGraphDefinition
metadata: {name: lists}
spec:
  schema:
    apiVersion: v1alpha1
    kind: Numbers
    spec: {all: '[]integer'}
  resources: []
";
    let stage = Stage::new("values", 1);
    stage.publish(LISTS, &[]);
    stage.bind(1, "numbers.kro.run");
    let host = stage.host_of("numbers.kro.run");
    for (name, count) in [("few", 1000), ("many", 250_000)] {
        let spec = json!({"all": vec![0; count]});
        let instance =
            json!({"apiVersion": "kro.run/v1alpha1", "kind": "Numbers", "metadata": {"name": name}, "spec": spec});
        let post =
            || api().request("POST", &stage.path(1, "numbers.kro.run"), "application/json", &instance.to_string());
        wait("the API", || post().ok().filter(|(code, _)| matches!(code, 201 | 409)));
    }
    stage.until(1, "numbers.kro.run/few", "Ready", "True");
    let instance = stage.until(1, "numbers.kro.run/many", "Rendered", "False");
    assert_eq!(condition(&instance, "Rendered").unwrap()["reason"], "InputTooLarge");
    assert!(host.process.end().unwrap().success());
}
