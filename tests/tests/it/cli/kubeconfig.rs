//! `croft kubeconfig` on real files: what is written, what is kept, and what is
//! never touched.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use serde_json::{Value, json};

use super::Desk;

const CONFIG: &str = "\
apiVersion: v1
kind: Config
current-context: team
x-unknown: kept
clusters:
- name: kcp
  cluster: {server: 'https://h:6443/clusters/root:p', certificate-authority: ca.crt}
users:
- name: admin
  user: {token: secret}
contexts:
- name: team
  context: {cluster: kcp, user: admin}
";

/// The host reads the certificate authority before it looks at the server.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n";

const URL: &str = "https://h:6443/services/apiexport/128nz/somethings.kro.run";

fn add(desk: &Desk, more: &str) -> super::Ran {
    desk.croft(&format!("kubeconfig --url {URL} --kubeconfig config {more}"))
}

fn value(text: &str) -> Value {
    host::yaml::Source::parse("config", text).unwrap().documents.remove(0).value
}

#[test]
fn the_context_is_added_and_all_else_is_kept() {
    let desk = Desk::with(&[("config", CONFIG)]);
    fs::set_permissions(desk.path("config"), fs::Permissions::from_mode(0o640)).unwrap();
    let ran = add(&desk, "--name kro-vw").done();
    assert_eq!(ran.stdout, "");
    assert!(ran.stderr.contains("the context `kro-vw` is in `config` now"), "{}", ran.stderr);
    let (before, after) = (value(CONFIG), value(&desk.read("config")));
    for field in ["apiVersion", "kind", "current-context", "x-unknown", "users"] {
        assert_eq!(before[field], after[field], "{field}");
    }
    assert_eq!(after["clusters"][0], before["clusters"][0]);
    assert_eq!(after["contexts"][1], json!({"name": "kro-vw", "context": {"cluster": "kro-vw", "user": "admin"}}));
    let cluster = &after["clusters"][1]["cluster"];
    assert_eq!(cluster["server"], format!("{URL}/clusters/*"));
    assert!(cluster["certificate-authority"].as_str().unwrap().starts_with('/'), "found from anywhere: {cluster}");
    assert_eq!(fs::metadata(desk.path("config")).unwrap().permissions().mode() & 0o777, 0o640);
    let left: Vec<_> = fs::read_dir(desk.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["config"], "no temporary file and no lock is left");
}

#[test]
fn a_second_time_changes_nothing() {
    let desk = Desk::with(&[("config", CONFIG)]);
    add(&desk, "").done();
    let once = desk.read("config");
    assert!(once.contains("somethings.kro.run-vw"), "the default name");
    let ran = add(&desk, "").done();
    assert!(ran.stderr.contains("already"), "{}", ran.stderr);
    assert_eq!(desk.read("config"), once);
}

#[test]
fn an_entry_that_says_something_else_is_replaced_only_by_force() {
    let desk = Desk::with(&[("config", CONFIG)]);
    add(&desk, "--name team").refused(&["the kubeconfig has another context `team` already", "--force"]);
    assert_eq!(desk.read("config"), CONFIG);
    add(&desk, "--name team --force").done();
    assert_eq!(
        value(&desk.read("config"))["contexts"],
        json!([{"name": "team", "context": {"cluster": "team", "user": "admin"}}])
    );
}

#[test]
fn with_an_output_file_the_context_stands_alone() {
    let desk = Desk::with(&[("config", CONFIG)]);
    let printed = value(&add(&desk, "--name vw --output -").done().stdout);
    add(&desk, "--name vw --output host.kubeconfig").done();
    assert_eq!(value(&desk.read("host.kubeconfig")), printed);
    assert_eq!(printed["current-context"], "vw");
    assert_eq!(printed["users"], json!([{"name": "admin", "user": {"token": "secret"}}]));
    assert_eq!(printed["contexts"].as_array().unwrap().len(), 1);
    assert_eq!(fs::metadata(desk.path("host.kubeconfig")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(desk.read("config"), CONFIG);
}

#[test]
fn of_several_files_the_first_that_exists_is_changed() {
    let desk = Desk::with(&[("first", "apiVersion: v1\nkind: Config\n"), ("second", CONFIG)]);
    let list = ["nowhere", "first", "second"].map(|name| desk.path(name).display().to_string()).join(":");
    desk.croft_with(&format!("kubeconfig --url {URL} --name vw"), &[("KUBECONFIG", &list)], "").done();
    assert!(desk.read("first").contains("name: vw"));
    assert!(!desk.read("first").contains("secret"), "the user stays where it is");
    assert_eq!(desk.read("second"), CONFIG);
    assert!(!desk.path("nowhere").exists());
}

#[test]
fn a_symbolic_link_stays_one() {
    let desk = Desk::with(&[("real", CONFIG)]);
    symlink("real", desk.path("config")).unwrap();
    add(&desk, "--name vw").done();
    assert!(fs::symlink_metadata(desk.path("config")).unwrap().is_symlink());
    assert!(desk.read("real").contains("name: vw"));
}

#[test]
fn a_kubeconfig_that_cannot_be_used_is_refused_and_left_alone() {
    let desk = Desk::with(&[("config", CONFIG)]);
    add(&desk, "--context nobody").refused(&["the kubeconfig has no context `nobody`", "hint: there is `team`"]);
    let url = "kubeconfig --kubeconfig config --url https://h:6443/clusters/root:p";
    desk.croft(url).refused(&["is not a virtual workspace of an APIExport", "hint: it looks like"]);
    assert_eq!(desk.read("config"), CONFIG);
    for (text, says) in [
        ("kind: ConfigMap\n", "its kind is `ConfigMap`"),
        ("[1]\n", "it is not a mapping"),
        ("a: 1\n---\nb: 1\n", "holds several documents"),
        ("a: 1\na: 2\n", "--> config:2:1"),
        ("", "has no current context"),
    ] {
        desk.write("config", text);
        add(&desk, "").refused(&[says]);
        assert_eq!(desk.read("config"), text);
    }
    desk.croft(&format!("kubeconfig --url {URL}")).refused(&["there is no kubeconfig at `", ".kube/config"]);
}

#[test]
fn a_kubeconfig_that_another_program_is_changing_is_left_alone() {
    let desk = Desk::with(&[("config", CONFIG), ("config.lock", "")]);
    let ran = add(&desk, "--name vw");
    assert_eq!(ran.status, 2, "{ran:?}");
    assert!(ran.stderr.contains("config.lock") && ran.stderr.contains("hint: another program"), "{}", ran.stderr);
    assert_eq!(desk.read("config"), CONFIG);
    assert!(desk.path("config.lock").exists());
}

#[test]
fn the_host_refuses_a_context_that_it_cannot_run_with() {
    let desk = Desk::with(&[("config", CONFIG)]);
    for (args, says) in [
        ("--kubeconfig nowhere", vec!["cannot read the kubeconfig `nowhere`"]),
        ("--kubeconfig config --context nobody", vec!["the kubeconfig has no context `nobody`", "`team`"]),
        (
            "--kubeconfig config",
            vec!["cannot run with the context `team`", "cause: ", "hint: name the export with `--export`"],
        ),
    ] {
        desk.write("ca.crt", CERTIFICATE);
        desk.croft(&format!("run {args}")).refused(&says);
    }
    add(&desk, "--name vw").done();
    desk.croft("run --kubeconfig config --context vw --export x")
        .refused(&["points at a virtual workspace", "hint: leave `--export` out"]);
    for (folder, why) in [("nowhere", "No such file or directory"), ("config", "it is not a folder")] {
        desk.croft(&format!("run --kubeconfig config --context vw --modules {folder}"))
            .refused(&[&format!("cannot take modules from `{folder}`: {why}"), "hint: `--modules` names a folder"]);
    }
}
