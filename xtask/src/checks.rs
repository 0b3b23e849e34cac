//! `test`, `bench`, `tidy` and `ci`: calls of cargo, in order and aloud.

use std::{path::Path, process::Command};

use anyhow::{Context, Result, bail, ensure};

use crate::{
    go, modules, oracles,
    phase::{Phases, say},
    root, tidy as layering,
};

/// The Go module that holds the CEL specification's conformance tests.
const CEL_SPECIFICATION: &str = "cel.dev/expr@v0.25.3";

/// Where `cargo audit` takes its advisories from.
const ADVISORIES: &str = "https://github.com/RustSec/advisory-db";

/// All tests of the workspace, with all that they need.
pub(crate) fn test(phases: &Phases, arguments: &[String]) -> Result<()> {
    prepare(phases, &[])?;
    phases.heading("the CEL specification's tests");
    // A machine that was given kcp as a file may have no Go: the tests of ours that
    // take nothing else still tell much, and what is left out is said.
    let specification = or_left_out(go::module(CEL_SPECIFICATION), "only `modules/expr/tests/conformance` is run");
    let specification = specification.map(|folder| folder.join("tests/simple/testdata"));
    phases.heading("kro and Go's libraries, to compare with");
    let libraries = or_left_out(oracles::libraries(), "YAML and plurals are not compared with Go");
    let expressions = or_left_out(oracles::expressions(), "drawn expressions are not compared with kro");
    phases.heading("SDKs of other languages");
    modules::test_languages()?;
    phases.heading("tests of the workspace");
    // The end-to-end tests run the binary, which `cargo test` of another package does not build.
    build_croft(&[])?;
    let environment = specification.iter().map(|folder| ("CEL_CONFORMANCE", folder.as_path()));
    let environment = environment.chain(libraries.iter().map(|program| ("CROFT_ORACLES", program.as_path())));
    let environment = environment.chain(expressions.iter().map(|program| ("CROFT_KRO_ORACLE", program.as_path())));
    cargo_in(environment, &with(&["test", "--locked", "--workspace"], arguments))?;
    phases.done("test");
    Ok(())
}

/// What a machine may lack, with a line that says so.
fn or_left_out<T>(found: Result<T>, consequence: &str) -> Option<T> {
    found.map_err(|error| say(format_args!("left out, {consequence}: {error:#}"))).ok()
}

/// The bench, with all that it needs. Its arguments are its own, not cargo's.
pub(crate) fn bench(phases: &Phases, arguments: &[String]) -> Result<()> {
    prepare(phases, &["kro", "hello"])?;
    phases.heading("bench");
    build_croft(&["--release"])?;
    cargo(&with(&["bench", "--locked", "--workspace", "--bench", "croft", "--"], arguments))?;
    phases.done("bench");
    Ok(())
}

/// Formatting, lints and layering.
pub(crate) fn tidy(phases: &Phases) -> Result<()> {
    phases.heading("layering of the code");
    let findings = layering::check(&root())?;
    findings.iter().for_each(say);
    ensure!(findings.is_empty(), "{} of the rules in `xtask/src/tidy.rs` are broken", findings.len());
    no_expression_engine_in_the_host()?;

    phases.heading("formatting");
    cargo(&["fmt", "--check"])?;

    phases.heading("lints");
    modules::build(&["kro"], false)?;
    cargo(&["clippy", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"])
}

/// All that has to hold before a merge. What is slow to fail comes last, except
/// that lints need what the tests build.
pub(crate) fn ci(phases: &Phases) -> Result<()> {
    test(phases, &[])?;
    tidy(phases)?;
    advisories(phases)?;
    phases.done("ci");
    Ok(())
}

/// Known faults of dependencies. Without the tool or the database nothing is
/// known, which is said and does not fail: a merge must not hang on them.
fn advisories(phases: &Phases) -> Result<()> {
    phases.heading("advisories");
    let answers = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).env("GIT_TERMINAL_PROMPT", "0").output();
        output.is_ok_and(|output| output.status.success())
    };
    if !answers("cargo-audit", &["audit", "--version"]) {
        say("left out: `cargo audit` is not installed (hint: `cargo install cargo-audit`)");
        return Ok(());
    }
    if !answers("git", &["ls-remote", "--exit-code", ADVISORIES, "HEAD"]) {
        say(format_args!("left out: the advisory database `{ADVISORIES}` cannot be reached"));
        return Ok(());
    }
    cargo(&["audit"])
}

/// Guest modules, which the host embeds, and kcp.
fn prepare(phases: &Phases, names: &[&str]) -> Result<()> {
    phases.heading("guest modules");
    modules::build(names, false)?;
    phases.heading("kcp");
    let kcp = harness::binary::find(&mut |line| say(line))?;
    say(kcp.display());
    phases.heading("registries");
    or_left_out(harness::registry::build(&mut |line| say(line)), "nothing is pushed to a real registry");
    or_left_out(harness::registry::cosign(&mut |line| say(line)), "signatures are not compared with cosign's");
    Ok(())
}

/// The host never evaluates what a tenant wrote: no path of its dependencies
/// leads to an expression engine.
fn no_expression_engine_in_the_host() -> Result<()> {
    let arguments = ["tree", "--locked", "--package", "host", "--edges", "normal", "--invert", "cel"];
    let output = command(&arguments).output().context("cannot start cargo")?;
    // cargo refuses to invert a package that is not in the tree, or prints nothing.
    let found = String::from_utf8_lossy(&output.stdout);
    ensure!(found.trim().is_empty(), "the host depends on the expression engine `cel`:\n{found}");
    let errors = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() && !errors.contains("did not match any packages") {
        bail!("cannot list the host's dependencies: {errors}");
    }
    Ok(())
}

/// The binary. Every call of cargo names the whole workspace, since cargo turns
/// on the features that the named packages ask for: with another set of
/// packages it would compile wasmtime and kube again.
pub(crate) fn build_croft(more: &[&str]) -> Result<()> {
    cargo(&[&["build", "--locked", "--workspace", "--bin", "croft"], more].concat())
}

/// Runs cargo and shows the call.
fn cargo(arguments: &[&str]) -> Result<()> {
    cargo_in([], arguments)
}

/// Runs cargo with more in its environment and shows the call.
fn cargo_in<'a>(environment: impl IntoIterator<Item = (&'a str, &'a Path)>, arguments: &[&str]) -> Result<()> {
    let line = arguments.join(" ");
    say(format_args!("$ cargo {line}"));
    let status = command(arguments).envs(environment).status().context("cannot start cargo")?;
    ensure!(status.success(), "`cargo {line}` failed");
    Ok(())
}

fn command(arguments: &[&str]) -> Command {
    let mut cargo = toolchain::cargo();
    cargo.args(arguments).current_dir(root());
    cargo
}

fn with<'a>(first: &[&'a str], more: &'a [String]) -> Vec<&'a str> {
    first.iter().copied().chain(more.iter().map(String::as_str)).collect()
}
