//! A host that cannot start says why.

use crate::stage::{CHAIN, Stage, kcp};

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
