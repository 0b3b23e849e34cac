//! Credentials change while the host runs.

use std::fs;

use harness::Proxy;
use serde_json::json;

use crate::stage::{CHAIN, Stage, api, kcp, wait};

#[test]
fn a_host_goes_on_with_the_credentials_that_its_kubeconfig_has_by_now() {
    let stage = Stage::new("credentials", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let url = stage.virtual_workspace("chains.kro.run");
    let proxy = Proxy::start(api(), &kcp().0.base_url()).unwrap();
    proxy.require("of-monday");
    stage.context_as("proxy", &url.replace(&kcp().0.base_url(), &proxy.base_url()), "of-monday");
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");

    // The old ones are good for nothing, also on connections that are open.
    proxy.require("of-tuesday");
    proxy.cut(true);
    proxy.cut(false);
    wait("the host to be refused", || host.log().contains("401").then_some(()));
    stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    let config = fs::read_to_string(stage.kubeconfig()).unwrap();
    stage.file("kubeconfig", &config.replace("of-monday", "of-tuesday"));
    stage.until(1, "chains.kro.run/b", "Ready", "True");
    assert!(host.log().contains("the credentials changed"), "{}", host.log());
    assert!(host.process.end().unwrap().success());
}
