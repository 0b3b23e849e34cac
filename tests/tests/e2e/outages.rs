//! kcp goes away while the host runs.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use serde_json::json;

use crate::stage::{Stage, api, wait};

#[test]
fn a_host_outlives_its_kcp() {
    let (stage, proxy, mut host) = Stage::with_a_chain("outages");

    // Gone: the host says so and goes on.
    proxy.cut(true);
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"text": "during"}})).unwrap();
    api().delete(&stage.path(1, "configmaps/a-third")).unwrap();
    wait("the host's complaint", || host.log().contains("cannot watch").then_some(()));
    assert_eq!(host.process.try_wait().unwrap(), None, "{}", host.log());

    // Back: it has missed nothing.
    proxy.cut(false);
    wait("the change", || (stage.find(1, "configmaps/a-first")?["data"]["text"] == "during").then_some(()));
    wait("the missing child", || stage.find(1, "configmaps/a-third"));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    // It complained once for each thing that it watches, not once an attempt.
    let complaints = host.log().matches("cannot watch; trying again").count();
    assert!(complaints <= 6, "{complaints} complaints: {}", host.log());
    assert!(host.process.end().unwrap().success());
}

/// The server does not have the history any more that a watch goes on from.
#[test]
fn what_happens_while_a_watch_is_too_old_is_seen() {
    let (stage, proxy, host) = Stage::with_a_chain("too-old");
    let (first, third) = (stage.path(1, "configmaps/a-first"), stage.path(1, "configmaps/a-third"));
    let status = json!({
        "kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "code": 410,
        "message": "too old resource version",
    });
    let asked = Arc::new(AtomicUsize::new(0));
    let watches = Arc::clone(&asked);
    // After the listing, and before the watch.
    proxy.answer(move |seen| {
        if !seen.path.contains("configmaps") || !seen.path.contains("watch=true") {
            return None;
        }
        match watches.fetch_add(1, Ordering::SeqCst) {
            0 => {
                api().delete(&third).unwrap();
                Some((410, status.clone()))
            }
            1 => {
                api().merge(&first, &json!({"data": {"text": "tampered"}})).unwrap();
                Some((200, json!({"type": "ERROR", "object": status})))
            }
            _ => None,
        }
    });
    let uid = stage.find(1, "configmaps/a-third").unwrap()["metadata"]["uid"].clone();
    proxy.cut(true);
    proxy.cut(false);
    wait("a new child", || (stage.find(1, "configmaps/a-third")?["metadata"]["uid"] != uid).then_some(()));
    wait("both errors", || (asked.load(Ordering::SeqCst) > 2).then_some(()));
    wait("the text", || (stage.find(1, "configmaps/a-first")?["data"]["text"] == "hello").then_some(()));
    assert!(host.process.end().unwrap().success());
}
