//! The host is killed between any two writes and started again: the same end,
//! no orphan, no duplicate.

use std::sync::{Arc, Mutex};

use harness::{Proxy, Verdict};
use serde_json::json;

use crate::stage::{CHAIN, Host, Stage, api, wait};

const INSTANCE: &str = "chains.kro.run/a";

/// Starts a host that is killed right after kcp has carried out its n-th write,
/// before it hears of that.
fn doomed_host(stage: &Stage, proxy: &Proxy, fatal: usize) -> Arc<Mutex<Option<Host>>> {
    let host: Arc<Mutex<Option<Host>>> = Arc::default();
    let (victim, mut writes) = (Arc::clone(&host), 0);
    proxy.judge(move |_| {
        writes += 1;
        if writes < fatal {
            return Verdict::Pass;
        }
        // Killed while its answer is held back. `None` if it was killed already
        // or never came so far.
        if let Some(host) = victim.lock().unwrap().take() {
            host.process.kill().unwrap();
        }
        Verdict::Drop
    });
    *host.lock().unwrap() = Some(stage.host(&["--context", "proxy"]));
    host
}

/// Makes a change under a host that dies at its n-th write, lets another host
/// finish, and says whether the first one came so far as to die.
fn crash(stage: &Stage, proxy: &Proxy, fatal: usize, change: impl Fn(), finished: impl Fn() -> bool) -> bool {
    let host = doomed_host(stage, proxy, fatal);
    change();
    wait("the crash or the end", || (host.lock().unwrap().is_none() || finished()).then_some(()));
    let crashed = match host.lock().unwrap().take() {
        Some(host) => host.process.end().map(|_| false).unwrap(),
        None => true,
    };
    proxy.pardon();
    let host = stage.host(&["--context", "proxy"]);
    wait("the recovery", || (finished() && host.log().contains("running")).then_some(()));
    assert!(host.process.end().unwrap().success(), "the second host ends in order");
    crashed
}

#[test]
fn a_host_killed_between_any_two_writes_loses_and_orphans_nothing() {
    let stage = Stage::new("crashes", 1);
    stage.publish(CHAIN, &["--layout", "shared"]);
    stage.bind(1, "chains.kro.run");
    let proxy = stage.proxy("chains.kro.run");
    // The definition's own status is written before the first kill.
    let host = stage.host(&["--context", "proxy"]);
    stage.create(1, "chains.kro.run/warm-up", "Chain", json!({"name": "warm-up"}));
    stage.until(1, "chains.kro.run/warm-up", "Ready", "True");
    api().delete(&stage.path(1, "chains.kro.run/warm-up")).unwrap();
    wait("the end", || stage.find(1, "chains.kro.run/warm-up").is_none().then_some(()));
    assert!(host.process.end().unwrap().success());

    let ready = |maps: &[&str], secret: &str| {
        let instance = stage.find(1, INSTANCE);
        instance.is_some_and(|instance| crate::stage::is(&instance, "Ready", "True"))
            && stage.children(1, "configmaps") == maps
            && stage.children(1, "secrets") == [secret]
    };
    let gone = || {
        stage.find(1, INSTANCE).is_none()
            && stage.children(1, "configmaps").is_empty()
            && stage.children(1, "secrets").is_empty()
    };
    let (mut creations, mut changes, mut deletions) = (0, 0, 0);
    for fatal in 1.. {
        let create = || drop(stage.create(1, INSTANCE, "Chain", json!({"name": "a"})));
        let created = crash(&stage, &proxy, fatal, create, || ready(&["a-first", "a-third"], "a-second"));
        let rename = || drop(api().merge(&stage.path(1, INSTANCE), &json!({"spec": {"name": "b"}})).unwrap());
        let renamed = crash(&stage, &proxy, fatal, rename, || ready(&["b-first", "b-third"], "b-second"));
        let delete = || api().delete(&stage.path(1, INSTANCE)).unwrap();
        let deleted = crash(&stage, &proxy, fatal, delete, gone);
        creations += usize::from(created);
        changes += usize::from(renamed);
        deletions += usize::from(deleted);
        if !created && !renamed && !deleted {
            break;
        }
    }
    // Finalizer, three children, status; three children, three old ones,
    // status; three children, finalizer.
    assert_eq!((creations, changes, deletions), (5, 7, 4));
}
