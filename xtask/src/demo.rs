//! `cargo xtask demo`: the whole flow on a real kcp, every command printed.
//!
//! This file sets the stage: modules, kcp, `croft`, a folder. The flow itself is
//! in `demo/flow.rs`.

mod flow;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use harness::Kcp;

use crate::{
    checks::build_croft,
    modules,
    phase::{Phases, say},
    root,
    shell::Shell,
};

/// The oldest kubectl whose commands the demo prints.
const OLDEST_KUBECTL: (u32, u32) = (1, 30);

/// Runs the demo. With `keep`, kcp goes on and the reader is told how to use it.
pub(crate) fn run(phases: &Phases, keep: bool) -> Result<()> {
    require_kubectl()?;
    let stage = Stage::set(phases)?;
    let outcome = flow::play(phases, &stage.shell, &stage.kcp);
    if keep {
        stage.leave();
    }
    outcome?;
    phases.done("demo");
    Ok(())
}

/// kcp, the commands' shell and the folder of both.
struct Stage {
    kcp: Kcp,
    shell: Shell,
    dir: tempfile::TempDir,
}

impl Stage {
    fn set(phases: &Phases) -> Result<Stage> {
        phases.heading("guest modules");
        modules::build(&["kro", "hello"], false)?;
        phases.heading("croft");
        build_croft(&[])?;
        phases.heading("kcp, on loopback with ports of its own");
        let dir = tempfile::Builder::new().prefix("croft-demo-").tempdir().context("cannot make a folder")?;
        say(harness::binary::find(&mut |line| say(line))?.display());
        say("starting; it takes about half a minute");
        let kcp = Kcp::start(&kcp_dir(dir.path())?)?;
        say(format_args!("ready at {}", kcp.base_url()));
        let croft = harness::croft()?;
        let mut shell = Shell::new(dir.path(), croft.parent().unwrap_or(&root()));
        let kubeconfig = dir.path().join("kubeconfig");
        // A copy: croft adds contexts to it, and kcp writes its own again when it starts.
        std::fs::copy(kcp.kubeconfig(), &kubeconfig).context("cannot copy kcp's kubeconfig")?;
        shell.export("KUBECONFIG", &kubeconfig);
        copy_examples(dir.path())?;
        Ok(Stage { kcp, shell, dir })
    }

    /// Goes and leaves kcp and the folder as they are.
    fn leave(self) {
        let dir = self.dir.keep();
        println!("\nkcp goes on at {}. To use it:", self.kcp.base_url());
        println!("$ cd {}", dir.display());
        println!("$ export KUBECONFIG={}", dir.join("kubeconfig").display());
        println!("$ kubectl config get-contexts");
        println!("$ croft run --context provider-team-2 --export greetings.kro.run --modules examples/greetings");
        if let Some(pid) = self.kcp.keep() {
            println!("To end it and remove its files:\n$ kill {pid} && rm -r {}", dir.display());
        }
    }
}

/// The examples, and beside them the module that one of them names.
fn copy_examples(dir: &Path) -> Result<()> {
    for example in ["somethings", "greetings"] {
        let (from, to) = (root().join("examples").join(example), dir.join("examples").join(example));
        std::fs::create_dir_all(&to).with_context(|| format!("cannot make `{}`", to.display()))?;
        for file in std::fs::read_dir(&from).with_context(|| format!("cannot read `{}`", from.display()))? {
            let file = file?;
            std::fs::copy(file.path(), to.join(file.file_name()))?;
        }
    }
    std::fs::copy(root().join("target/modules/hello.wasm"), dir.join("examples/greetings/hello.wasm"))?;
    println!("$ cp -r {} .", crate::shell::quote(&root().join("examples").to_string_lossy()));
    println!(
        "$ cp {} examples/greetings/",
        crate::shell::quote(&root().join("target/modules/hello.wasm").to_string_lossy())
    );
    Ok(())
}

fn kcp_dir(dir: &Path) -> Result<PathBuf> {
    let kcp = dir.join("kcp");
    std::fs::create_dir(&kcp).context("cannot make kcp's folder")?;
    Ok(kcp)
}

/// The flow is for people who know kubectl, so it is shown with it.
fn require_kubectl() -> Result<()> {
    let (major, minor) = OLDEST_KUBECTL;
    let hint = format!("hint: install kubectl {major}.{minor} or newer: https://kubernetes.io/docs/tasks/tools/");
    let output = Command::new("kubectl").args(["version", "--client"]).output();
    let Ok(output) = output else { bail!("the demo uses `kubectl`, which is not on PATH\n{hint}") };
    let text = String::from_utf8_lossy(&output.stdout);
    match client_version(&text) {
        Some(version) if version >= OLDEST_KUBECTL => Ok(()),
        Some((major, minor)) => bail!("the `kubectl` on PATH is {major}.{minor}, which is too old\n{hint}"),
        None => bail!("the `kubectl` on PATH does not say its version\n{hint}"),
    }
}

/// `(1, 33)` of `Client Version: v1.33.1`.
fn client_version(text: &str) -> Option<(u32, u32)> {
    let version = text.lines().find_map(|line| line.strip_prefix("Client Version: v"))?;
    let mut numbers = version.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kubectls_version_is_read_from_what_it_says() {
        assert_eq!(client_version("Client Version: v1.33.1\nKustomize Version: v5.6.0\n"), Some((1, 33)));
        assert_eq!(client_version("error"), None);
    }
}
