//! The flow: two provider teams, a consumer team, and their objects from the
//! first to the last.
//!
//! Only commands that a reader can type, in the order in which they would.

use std::time::Duration;

use anyhow::{Result, ensure};
use harness::Kcp;

use crate::{
    phase::{Phases, say},
    shell::Shell,
};

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Plays the whole flow.
pub(super) fn play(phases: &Phases, shell: &Shell, kcp: &Kcp) -> Result<()> {
    workspaces(phases, shell, kcp)?;
    shared_layout(phases, shell)?;
    split_layout(phases, shell)
}

/// Two organisations with their teams, each a workspace with a context.
fn workspaces(phases: &Phases, shell: &Shell, kcp: &Kcp) -> Result<()> {
    phases.heading("workspaces: an organisation of providers, one of consumers, and their teams");
    shell.write(
        "organisations.yaml",
        &[workspace("provider", "organization"), workspace("consumer", "organization")].join("---\n"),
    )?;
    shell.run("kubectl --context root apply -f organisations.yaml")?;
    shell.run(
        "kubectl --context root wait --for=jsonpath={.status.phase}=Ready workspace/provider workspace/consumer",
    )?;
    shell.write(
        "providers.yaml",
        &[workspace("provider-team", "universal"), workspace("provider-team-2", "universal")].join("---\n"),
    )?;
    shell.write("consumers.yaml", &workspace("team-1", "universal"))?;
    let base = kcp.base_url();
    for (organisation, file, teams) in [
        ("provider", "providers.yaml", &["provider-team", "provider-team-2"][..]),
        ("consumer", "consumers.yaml", &["team-1"]),
    ] {
        let server = format!("--context base --server {base}/clusters/root:{organisation}");
        shell.until(&format!("kubectl {server} apply -f {file}"), PATIENCE, |_| true)?;
        for team in teams {
            shell.run(&format!("kubectl {server} wait --for=jsonpath={{.status.phase}}=Ready workspace/{team}"))?;
            let server = format!("{base}/clusters/root:{organisation}:{team}");
            shell.run(&format!("kubectl config set-cluster {team} --server {server} --certificate-authority kcp/apiserver.crt --embed-certs"))?;
            shell.run(&format!("kubectl config set-context {team} --cluster {team} --user kcp-admin"))?;
        }
    }
    Ok(())
}

fn workspace(name: &str, kind: &str) -> String {
    format!(
        "apiVersion: tenancy.kcp.io/v1alpha1\nkind: Workspace\nmetadata:\n  name: {name}\nspec:\n  type:\n    name: \
         {kind}\n    path: root\n"
    )
}

/// The original flow: one export with the definitions and the API.
fn shared_layout(phases: &Phases, shell: &Shell) -> Result<()> {
    phases.heading("the provider team publishes Something, as in the original flow");
    shell.run("cat examples/somethings/definition.yaml")?;
    shell
        .run("croft publish -f examples/somethings/definition.yaml --context provider-team --layout shared --apply")?;
    phases.heading("the virtual workspace of its export");
    shell.run("croft kubeconfig somethings.kro.run --context provider-team --name kro-vw")?;
    let served = |text: &str| ["apibindings", "resourcegroups", "somethings"].iter().all(|name| text.contains(name));
    // kubectl ends with an error: it also asks for the core group, of which the
    // export claims nothing.
    shell.until_printed("kubectl --context kro-vw api-resources", PATIENCE, served)?;
    shell.run("kubectl --context kro-vw get somethings -A")?;
    phases.heading("the host connects to it");
    let mut host = shell.background("croft run --context kro-vw", "host-1.log")?;
    phases.heading("the consumer team binds the API and creates an object");
    shell.run("croft bind root:provider:provider-team:somethings.kro.run --context team-1")?;
    say("before:");
    shell.run("cat examples/somethings/instance.yaml")?;
    shell.until("kubectl --context team-1 apply -f examples/somethings/instance.yaml", PATIENCE, |_| true)?;
    shell.run(
        "kubectl --context team-1 wait --timeout=60s --for=condition=Ready something/my-instance-will-cel-functions",
    )?;
    host.check()?;
    say("after:");
    let after =
        shell.read("kubectl --context team-1 get somethings my-instance-will-cel-functions -o jsonpath={.spec}")?;
    println!();
    ensure!(after.contains(r#""elements":["a","b","c","d"]"#), "the defaults are not filled in: {after}");
    shell.run("kubectl --context team-1 get somethings")?;
    host.end()
}

/// The default layout: the export has the API alone, and the same consumer
/// binds it beside the first.
fn split_layout(phases: &Phases, shell: &Shell) -> Result<()> {
    phases.heading("a second provider team publishes Greeting, in the split layout");
    shell.run("cat examples/greetings/definition.yaml")?;
    shell.run("croft publish -f examples/greetings/definition.yaml --context provider-team-2 --apply")?;
    let run = "croft run --context provider-team-2 --export greetings.kro.run --modules examples/greetings";
    let mut host = shell.background(run, "host-2.log")?;
    phases.heading("the same consumer team binds it beside the first, and agrees to what its children need");
    shell.run("croft bind root:provider:provider-team-2:greetings.kro.run --context team-1 --accept-claims")?;
    shell.run("cat examples/greetings/instance.yaml")?;
    shell.until("kubectl --context team-1 apply -f examples/greetings/instance.yaml", PATIENCE, |_| true)?;
    shell.run("kubectl --context team-1 wait --timeout=60s --for=condition=Ready greeting/for-ada")?;
    host.check()?;
    let children = "kubectl --context team-1 get configmaps,secrets -l croft.run/instance";
    shell.run(children)?;
    shell.run("kubectl --context team-1 get configmap ada-card -o jsonpath={.data}")?;
    println!();
    say("the record of what ran:");
    shell.run("kubectl --context team-1 get greeting for-ada -o jsonpath={.status.croft.receipt}")?;
    println!();

    phases.heading("the provider replaces the templates by code, the same instance stays");
    shell.run("croft publish -f examples/greetings/definition-as-code.yaml --context provider-team-2 --apply")?;
    shell.until("kubectl --context team-1 get configmap ada-card -o jsonpath={.data}", PATIENCE, |data| {
        data.contains("language")
    })?;
    println!();

    phases.heading("the instance changes and its children follow");
    shell.run(r#"kubectl --context team-1 patch greeting for-ada --type=merge -p '{"spec": {"name": "grace"}}'"#)?;
    let renamed = |text: &str| text.contains("grace-seal") && !text.contains("ada-");
    shell.until(children, PATIENCE, renamed)?;

    phases.heading("the instance goes and nothing is left");
    shell.run("kubectl --context team-1 delete greeting for-ada --timeout=60s")?;
    let left = shell.read(&format!("{children} -o name"))?;
    ensure!(left.trim().is_empty(), "something is left: {left}");
    host.check()?;
    host.end()
}
