//! kcp goes away while the host runs.

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
