//! What a pass costs the server, and what it never does.

use std::fs;

use harness::Seen;
use serde_json::json;

use crate::stage::{CHAIN, Stage, api, is, wait};

#[test]
fn an_instance_converges_in_two_writes_more_than_it_has_children_and_then_costs_none() {
    let stage = Stage::new("requests", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    let host = stage.host(&["--context", "proxy"]);
    let create = |name: &str| {
        let object = format!("chains.kro.run/{name}");
        stage.create(1, &object, "Chain", json!({"name": name}));
        stage.until(1, &object, "Ready", "True");
        object
    };
    // The first has the host write the definition's status.
    create("first");
    proxy.take();
    let object = create("second");
    // The requests of the watches are nobody's pass.
    let own = |seen: Vec<Seen>| seen.into_iter().filter(|seen| !seen.is_watch()).collect::<Vec<_>>();
    let seen = own(proxy.take());
    assert_eq!(seen.len(), 3 + 2, "{seen:#?}");
    assert!(seen.iter().all(Seen::is_write), "{seen:#?}");

    // Names of the other instances' children do not begin so.
    let about = |seen: Vec<Seen>| seen.into_iter().filter(|seen| seen.path.contains("/second")).collect::<Vec<_>>();

    // A change that no template reads is a pass without a request. The host has
    // seen it when it has done something about a later one.
    let label = json!({"metadata": {"labels": {"unread": "1"}}});
    api().merge(&stage.path(1, &object), &label).unwrap();
    create("third");
    let about_second = about(own(proxy.take()));
    assert!(about_second.is_empty(), "{about_second:#?}");

    // An event that changes nothing that is seen: no request at all.
    let managed = stage.find(1, "configmaps/second-first").unwrap();
    let theirs = json!({"metadata": {"labels": managed["metadata"]["labels"]}});
    api().merge(&stage.path(1, "configmaps/second-first"), &theirs).unwrap();
    create("fourth");
    let about_second = about(own(proxy.take()));
    assert!(about_second.is_empty(), "{about_second:#?}");

    // A restart: everything is there, nothing is sent.
    assert!(host.process.end().unwrap().success());
    proxy.take();
    let host = stage.host(&["--context", "proxy"]);
    create("fifth");
    let writes: Vec<_> =
        own(proxy.take()).into_iter().filter(|seen| seen.is_write() && !seen.path.contains("fifth")).collect();
    assert!(writes.is_empty(), "{writes:#?}");
    wait("all to be as they were", || is(&stage.find(1, &object)?, "Ready", "True").then_some(()));
    assert!(host.process.end().unwrap().success());
}

/// What compiles a module keeps it in the folder.
#[test]
fn passes_compile_nothing() {
    let stage = Stage::new("compiled", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    stage.context("shared", &stage.virtual_workspace("chains.kro.run"));
    let folder = tempfile::tempdir().unwrap();
    let compiled = folder.path().join("compiled");
    let kept = || {
        let files = fs::read_dir(&compiled).into_iter().flatten().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let host = stage.host(&["--context", "shared", "--cache", folder.path().to_str().unwrap()]);
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a"}));
    wait("the module", || (!kept().is_empty()).then_some(()));
    stage.until(1, "chains.kro.run/a", "Ready", "True");
    kept().iter().for_each(|file| fs::remove_file(file).unwrap());
    for name in ["b", "c"] {
        stage.create(1, &format!("chains.kro.run/{name}"), "Chain", json!({"name": name}));
        stage.until(1, &format!("chains.kro.run/{name}"), "Ready", "True");
    }
    stage.create(1, "chains.kro.run/a", "Chain", json!({"name": "a", "text": "other"}));
    wait("the change", || (stage.find(1, "configmaps/a-first")?["data"]["text"] == "other").then_some(()));
    assert!(kept().is_empty(), "{:?}", kept());
    assert!(host.process.end().unwrap().success());
}
