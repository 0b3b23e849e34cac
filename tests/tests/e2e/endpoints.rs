//! Endpoints of an export come and go, and some are out of reach. What an endpoint
//! slice says is said by a proxy here: one kcp has one shard.

use std::time::Duration;

use harness::{Proxy, poll};
use serde_json::{Value, json};

use crate::stage::{CHAIN, Host, Stage, api, kcp, wait};

const EXPORT: &str = "chains.kro.run";

/// A provider whose endpoint slice says what a test wants it to say.
struct Slice {
    stage: Stage,
    provider: Proxy,
    /// The URL that kcp gives.
    url: String,
}

impl Slice {
    /// A stage with [`CHAIN`], bound by one consumer.
    fn new(name: &str) -> Slice {
        let stage = Stage::new(name, 1);
        stage.publish(CHAIN, &[]);
        stage.bind(1, EXPORT);
        let (url, provider) = (stage.virtual_workspace(EXPORT), stage.provider_proxy());
        Slice { stage, provider, url }
    }

    /// A way to the one shard there is.
    fn endpoint(&self) -> (Proxy, String) {
        let proxy = Proxy::start(api(), &kcp().0.base_url()).unwrap();
        let url = self.url.replace(&kcp().0.base_url(), &proxy.base_url());
        (proxy, url)
    }

    fn says(&self, urls: &[&str]) {
        let path =
            format!("/clusters/{}/apis/apis.kcp.io/v1alpha1/apiexportendpointslices/{EXPORT}", self.stage.provider);
        let mut slice = api().find(&path).unwrap().unwrap();
        slice["status"]["endpoints"] = urls.iter().map(|url| json!({"url": url})).collect::<Value>();
        self.provider.show("apiexportendpointslices", vec![slice]);
    }

    fn host(&self) -> Host {
        self.stage.host(&["--context", "proxy", "--export", EXPORT])
    }
}

#[test]
fn an_endpoint_that_goes_is_left_as_it_is_and_taken_up_again_under_another_address() {
    let slice = Slice::new("endpoint-goes");
    let stage = &slice.stage;
    let ((first, first_url), (second, second_url)) = (slice.endpoint(), slice.endpoint());
    slice.says(&[&first_url]);
    let host = slice.host();
    for name in ["a", "c"] {
        stage.create(1, &format!("{EXPORT}/{name}"), "Chain", json!({"name": name}));
        stage.until(1, &format!("{EXPORT}/{name}"), "Ready", "True");
    }
    slice.says(&[]);
    wait("the end of the endpoint", || host.log().contains("the endpoint is gone").then_some(()));
    first.take();
    api().merge(&stage.path(1, "chains.kro.run/a"), &json!({"spec": {"text": "meanwhile"}})).unwrap();
    api().delete(&stage.path(1, "configmaps/a-third")).unwrap();
    api().delete(&stage.path(1, "chains.kro.run/c")).unwrap();
    stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    // A host that watched would have done something about it long ago.
    let asked = poll(Duration::from_secs(3), Duration::from_millis(100), || {
        Ok(Some(first.take()).filter(|seen| !seen.is_empty()))
    });
    assert_eq!(asked.unwrap(), None, "{}", host.log());
    assert_eq!(stage.find(1, "configmaps/a-first").unwrap()["data"]["text"], "hello");
    assert_eq!(stage.children(1, "secrets"), ["a-second", "c-second"]);

    slice.says(&[&second_url]);
    wait("the change", || (stage.find(1, "configmaps/a-first")?["data"]["text"] == "meanwhile").then_some(()));
    wait("the missing child", || stage.find(1, "configmaps/a-third"));
    wait("the deletion", || stage.find(1, "chains.kro.run/c").is_none().then_some(()));
    for name in ["a", "b"] {
        stage.until(1, &format!("{EXPORT}/{name}"), "Ready", "True");
    }
    assert_eq!(stage.children(1, "secrets"), ["a-second", "b-second"]);
    assert!(first.take().is_empty() && !second.take().is_empty(), "{}", host.log());
    assert!(host.process.end().unwrap().success());
}

#[test]
fn an_endpoint_out_of_reach_holds_up_nobody_elses_instances() {
    let slice = Slice::new("endpoint-down");
    let (_first, url) = slice.endpoint();
    let (second, other) = slice.endpoint();
    second.cut(true);
    slice.says(&[&other, &url]);
    let host = slice.host();
    slice.stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    slice.stage.until(1, "chains.kro.run/a", "Ready", "True");
    assert!(second.take_refused() > 0, "{}", host.log());
    // One that was there before is no different.
    second.cut(false);
    second.cut(true);
    slice.stage.create(1, "chains.kro.run/b", "Chain", json!({"name": "b"}));
    slice.stage.until(1, "chains.kro.run/b", "Ready", "True");
    assert!(host.process.end().unwrap().success());
}
