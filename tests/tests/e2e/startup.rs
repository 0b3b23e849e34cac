//! A host that cannot start says why.

use std::time::{Duration, Instant};

use harness::{Proxy, poll};
use serde_json::json;

use crate::stage::{CHAIN, Host, Stage, api, kcp, wait};

#[test]
fn the_rights_that_are_published_let_a_host_see_what_it_needs() {
    let stage = Stage::new("rights", 1);
    stage.publish(CHAIN, &["--host-user", "the-host"]);
    stage.bind(1, "chains.kro.run");
    let provider = format!("{}/clusters/{}", kcp().0.base_url(), stage.provider);
    stage.context_without_rights("host", &provider, "the-host");
    stage.context_without_rights("stranger", &provider, "a-stranger");
    let refused = stage.croft(&["run", "--context", "stranger", "--export", "chains.kro.run"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("403") && refused.stderr.contains("ClusterRole"), "{refused:#?}");

    // As far as impersonation goes: the virtual workspace lets nobody write as
    // somebody else in a consumer's workspace, so the instance itself says no
    // more than that the host saw it and tried.
    let host = stage.host(&["--context", "host", "--export", "chains.kro.run"]);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    wait("the host's attempt", || host.log().contains("cannot impersonate").then_some(()));
    assert!(!host.log().contains("cannot watch"), "{}", host.log());
    // It may take the Lease, and renew it.
    assert!(!host.log().contains("no lease"), "{}", host.log());
    // And keep the export.
    let export = format!("/clusters/{}/apis/apis.kcp.io/v1alpha2/apiexports/chains.kro.run", stage.provider);
    wait("the finalizer", || {
        let export = api().find(&export).unwrap().unwrap();
        export["metadata"]["finalizers"].to_string().contains("croft.run/instances").then_some(())
    });
    let path = format!("/clusters/{}/apis/kro.run/v1alpha1/namespaces/default/resourcegroups/chain", stage.provider);
    wait("the definition's status", || (api().find(&path).unwrap()?["status"]["state"] == "Active").then_some(()));
    assert!(host.process.end().unwrap().success());
}

#[test]
fn an_export_is_not_robbed_of_another_api() {
    let stage = Stage::new("robbed", 1);
    stage.publish(CHAIN, &[]);
    let path = format!("/clusters/{}/apis/apis.kcp.io/v1alpha2/apiexports/chains.kro.run", stage.provider);
    let before = api().find(&path).unwrap().unwrap();
    let other = stage.file("other.yaml", &CHAIN.replace("kind: Chain", "kind: Rope").replace("chain}", "rope}"));
    let args =
        ["publish", "--context", "provider", "--apply", "--export", "chains.kro.run", "-f", other.to_str().unwrap()];
    let said = stage.croft(&args);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.stderr.contains("serves chains.kro.run too"), "{said:#?}");
    // Nor is anything begun that cannot be finished: a kind never changes.
    let changed = stage.file("changed.yaml", &CHAIN.replace("kind: Chain", "kind: Rope"));
    let said = stage.croft(&["publish", "--context", "provider", "--apply", "-f", changed.to_str().unwrap()]);
    assert_eq!(said.code, Some(1), "{said:#?}");
    assert!(said.stderr.contains("immutable"), "{said:#?}");
    assert_eq!(api().find(&path).unwrap().unwrap()["spec"], before["spec"]);
    assert_eq!(api().find(&path.replace("chains", "ropes")).unwrap(), None);
    let run = stage.croft(&["run", "--context", "provider", "--export", "no-such-export"]);
    assert_eq!(run.code, Some(2), "{run:#?}");
    assert!(run.stderr.contains("no-such-export"), "{run:#?}");
}

#[test]
fn a_host_that_cannot_work_says_what_would_help() {
    let stage = Stage::new("startup", 1);
    let base = kcp().0.base_url();
    stage.publish(CHAIN, &["--layout", "shared"]);
    let url = stage.virtual_workspace("chains.kro.run");
    stage.context_as("stranger", &url, "no-such-token");
    stage.context("elsewhere", &format!("{base}/services/apiexport/nobody/nothing"));
    stage.context("down", "http://127.0.0.1:1/services/apiexport/nobody/nothing");
    let cases: [(&[&str], i32, &[&str]); 7] = [
        (&["--context", "nobody"], 1, &["no context `nobody`", "`provider`"]),
        (&["--context", "provider"], 1, &["virtual workspace", "--export", "croft kubeconfig"]),
        (&["--context", "stranger"], 2, &["401", "credentials"]),
        (&["--context", "elsewhere"], 2, &["cannot read the definitions"]),
        (&["--context", "down"], 2, &["cannot read the definitions", "is kcp running"]),
        (&["--context", "team-1", "--export", "chains.kro.run"], 2, &["no definitions of any kind", "croft publish"]),
        (&["--context", "stranger", "--export", "x"], 1, &["leave `--export` out"]),
    ];
    for (args, code, said) in cases {
        let args: Vec<&str> = ["run"].iter().chain(args).copied().collect();
        let output = stage.croft(&args);
        assert_eq!(output.code, Some(code), "{args:?}: {output:#?}");
        for text in said {
            assert!(output.stderr.contains(text), "{args:?} does not say {text:?}: {}", output.stderr);
        }
        assert!(output.stdout.is_empty(), "{output:#?}");
    }
}

#[test]
fn a_second_host_is_refused_until_the_first_is_gone() {
    let stage = Stage::new("two-hosts", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    stage.context("shared", &stage.virtual_workspace("chains.kro.run"));
    let first = stage.host(&["--context", "shared"]);
    wait("the first host", || first.log().contains("running").then_some(()));
    let second = stage.croft(&["run", "--context", "shared"]);
    assert_eq!(second.code, Some(2), "{second:#?}");
    let said = format!("another host works on this export: {}", lease(&stage)["holderIdentity"].as_str().unwrap());
    assert!(second.stderr.contains(&said) && second.stderr.contains("--no-lease"), "{second:#?}");
    let beside = stage.host(&["--context", "shared", "--no-lease"]);
    wait("the host beside it", || beside.log().contains("running").then_some(()));
    assert!(beside.process.end().unwrap().success());

    // One that ends gives the lease back; one that is killed here is known to be gone.
    assert!(first.process.end().unwrap().success());
    assert!(lease(&stage)["holderIdentity"].as_str().is_none_or(str::is_empty), "{}", lease(&stage));
    for _ in 0..2 {
        let next = stage.host(&["--context", "shared"]);
        wait("the next host", || next.log().contains("running").then_some(()));
        next.process.kill().unwrap();
    }

    // Of one elsewhere nothing is known: it is waited for, and not for ever.
    let elsewhere = json!({"spec": {"holderIdentity": "elsewhere/1", "leaseDurationSeconds": 12}});
    api().merge(&lease_path(&stage), &elsewhere).unwrap();
    let next = stage.host(&["--context", "shared"]);
    wait("the wait", || next.log().contains("waiting to see whether it still runs").then_some(()));
    assert!(!next.log().contains("running workers"), "{}", next.log());
    wait("the next host", || next.log().contains("running workers").then_some(()));

    // Whoever takes it from a host that runs stops that one.
    api().merge(&lease_path(&stage), &elsewhere).unwrap();
    let mut process = next.process;
    let ended = wait("the end of the host", || process.try_wait().unwrap());
    assert_eq!(ended.code(), Some(2));
}

/// A stage with [`CHAIN`], and a host behind a proxy that has kcp answer nothing about
/// Leases.
fn without_an_answer(name: &str, code: u16) -> (Stage, Proxy, Host) {
    let stage = Stage::new(name, 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    refuse_leases(&proxy, code);
    let host = stage.host(&["--context", "proxy"]);
    (stage, proxy, host)
}

fn refuse_leases(proxy: &Proxy, code: u16) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": "not now", "code": code});
    proxy.answer(move |seen| seen.is_about_a_lease().then(|| (code, status.clone())));
}

#[test]
fn a_host_that_gets_no_answer_about_the_lease_waits_for_one() {
    for code in [500, 429] {
        let (stage, proxy, host) = without_an_answer(&format!("no-answer-{code}"), code);
        wait("a second attempt", || (host.log().matches("cannot take the lease yet").count() >= 2).then_some(()));
        assert!(!host.log().contains("running workers"), "{}", host.log());
        proxy.forward();
        wait("the start", || host.log().contains("running workers").then_some(()));
        let holder = lease(&stage)["holderIdentity"].as_str().unwrap().to_owned();
        assert!(holder.contains(&format!("/{}/", host.process.pid())), "{holder}");
        assert!(host.process.end().unwrap().success());
    }
}

#[test]
fn a_host_that_is_granted_no_lease_runs_without() {
    let (stage, _proxy, host) = without_an_answer("no-lease", 403);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(host.log().contains("no lease: nothing tells"), "{}", host.log());
    assert!(host.process.end().unwrap().success());
}

#[test]
fn a_host_that_waits_for_the_lease_can_be_stopped() {
    let (_stage, _proxy, host) = without_an_answer("stopped-early", 503);
    wait("an attempt", || host.log().contains("cannot take the lease yet").then_some(()));
    let asked = Instant::now();
    assert!(host.process.end().unwrap().success());
    assert!(asked.elapsed() < Duration::from_secs(5), "it was ended by force");
}

/// Another host may have the export by then.
#[test]
fn a_host_that_cannot_renew_begins_no_pass_until_it_can() {
    let (stage, proxy, host) = Stage::with_a_chain("run-out");
    refuse_leases(&proxy, 503);
    wait("the end of the lease", || host.log().contains("the lease has run out").then_some(()));
    stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    // The host hears of it within milliseconds.
    let start = Instant::now();
    let done = poll(Duration::from_secs(3), Duration::from_millis(100), || Ok(stage.find(1, "configmaps/b-first")));
    assert!(done.unwrap().is_none(), "after {:?}: {}", start.elapsed(), host.log());
    proxy.forward();
    stage.until(1, "chains.kro.run/b", "Ready", "True");
    assert!(host.log().contains("the lease is renewed"), "{}", host.log());
    assert!(host.process.end().unwrap().success());
}

/// Whoever labels the Lease of a host that is gone does not keep it alive.
#[test]
fn a_lease_that_somebody_edits_is_not_renewed_by_it() {
    let stage = Stage::new("edited-lease", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    stage.context("shared", &stage.virtual_workspace("chains.kro.run"));
    let spec = json!({"holderIdentity": "elsewhere/1/a/b", "leaseDurationSeconds": 12});
    let metadata = json!({"name": "croft.chains.kro.run"});
    let elsewhere = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec,
    });
    api().apply(&lease_path(&stage), &elsewhere).unwrap();
    let host = stage.host(&["--context", "shared"]);
    let mut edits = 0;
    wait("the host", || {
        edits += 1;
        // It conflicts with the host's own write, if at all, once.
        let label = json!({"metadata": {"labels": {"edits": edits.to_string()}}});
        api().merge(&lease_path(&stage), &label).ok();
        host.log().contains("running workers").then_some(())
    });
    assert!(edits > 20, "{edits}");
    assert!(host.process.end().unwrap().success());
}

fn lease_path(stage: &Stage) -> String {
    let provider = &stage.provider;
    format!("/clusters/{provider}/apis/coordination.k8s.io/v1/namespaces/default/leases/croft.chains.kro.run")
}

fn lease(stage: &Stage) -> serde_json::Value {
    api().find(&lease_path(stage)).unwrap().unwrap()["spec"].take()
}

#[test]
fn a_host_that_is_asked_to_stop_ends_the_pass_under_way() {
    let (stage, proxy, host) = Stage::with_a_chain("sigterm");
    proxy.slow("/chains/b", Duration::from_secs(3));
    proxy.take();
    stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    wait("the finalizer on its way", || {
        proxy.take().iter().any(|seen| seen.is_write() && seen.path.contains("/chains/b")).then_some(())
    });
    assert_eq!(stage.find(1, "configmaps/b-first"), None);
    assert!(host.process.end().unwrap().success());
    // What comes after the finalizer in the same pass is done.
    assert!(stage.find(1, "configmaps/b-third").is_some());
    assert_eq!(stage.find(1, "chains.kro.run/b").unwrap()["status"]["state"], "ACTIVE");
}
