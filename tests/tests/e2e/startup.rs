//! A host that cannot start says why.

use serde_json::json;

use crate::stage::{CHAIN, Stage, api, kcp, wait};

#[test]
fn the_rights_that_are_published_are_all_that_a_host_needs() {
    let stage = Stage::new("rights", 1);
    stage.publish(CHAIN, &["--host-user", "the-host"]);
    stage.bind(1, "chains.kro.run");
    let provider = format!("{}/clusters/{}", kcp().0.base_url(), stage.provider);
    stage.context_without_rights("host", &provider, "the-host");
    stage.context_without_rights("stranger", &provider, "a-stranger");
    let refused = stage.croft(&["run", "--context", "stranger", "--export", "chains.kro.run"]);
    assert_eq!(refused.code, Some(2), "{refused:#?}");
    assert!(refused.stderr.contains("403") && refused.stderr.contains("ClusterRole"), "{refused:#?}");

    let host = stage.host(&["--context", "host", "--export", "chains.kro.run"]);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    api().delete(&stage.path(1, "chains.kro.run/a")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/a").is_none().then_some(()));
    assert!(host.process.end().unwrap().success());
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
        (&["--context", "team-1", "--export", "chains.kro.run"], 2, &["no ResourceGroups", "croft publish"]),
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
