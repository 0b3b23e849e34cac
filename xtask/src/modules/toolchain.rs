//! Finds a compiler for wasm32-unknown-unknown, and gets one where it can.
//!
//! In order: the `rustc` in use if it has the target; a complete one of the
//! distribution; `rustup target add`; `apt-get install`. What needs no download
//! goes first. `CROFT_WASM_TOOLCHAIN=rustup` or `=distribution` asks for one.

mod apt;
mod distribution;

use std::{
    env, fmt,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

pub(super) use self::distribution::Distribution;
use crate::phase::say;

const TARGET: &str = "wasm32-unknown-unknown";
const CHOICE: &str = "CROFT_WASM_TOOLCHAIN";

/// A compiler that can make wasm.
#[derive(Debug)]
pub(super) struct Toolchain {
    kind: Kind,
    /// `rustc -vV`.
    id: String,
}

#[derive(Debug)]
enum Kind {
    /// The one that runs this program, with the target installed.
    InUse,
    /// The distribution's, which builds the standard library as well.
    Distribution(Distribution),
}

impl Toolchain {
    /// Finds one, or gets one, or says what to install.
    pub(super) fn find() -> Result<Toolchain> {
        let choice = env::var(CHOICE).unwrap_or_default();
        match choice.as_str() {
            "" => in_use()
                .or_else(installed_distribution)
                .or_else(add_target)
                .or_else(install_distribution)
                .with_context(|| advice("no Rust compiler here can make wasm")),
            "rustup" => in_use().or_else(add_target).with_context(|| advice("rustup cannot give a wasm target")),
            "distribution" => installed_distribution()
                .or_else(install_distribution)
                .with_context(|| advice("the distribution's Rust cannot make wasm")),
            other => bail!("`{CHOICE}` is `{other}`; it can be `rustup` or `distribution`"),
        }
    }

    /// What tells compilers apart whose output may differ.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// The call that compiles a module to core wasm.
    pub(super) fn cargo_rustc(&self, root: &Path, name: &str) -> Command {
        let mut command = match &self.kind {
            Kind::InUse => crate::cargo(),
            Kind::Distribution(distribution) => distribution.cargo(),
        };
        // Flags meant for the user's own machine, such as `-C target-cpu`, are
        // wrong for wasm: ours stand in their place.
        command.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", self.remaps(root).join("\u{1f}"));
        command.args(["rustc", "--locked", "--lib", "--profile", "module", "--target", TARGET]);
        command.args(["--crate-type", "cdylib", "--package", name, "--target-dir"]).arg(target_dir(root));
        if matches!(self.kind, Kind::Distribution(_)) {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command.current_dir(root);
        command
    }

    /// Where that call leaves it.
    pub(super) fn output(&self, root: &Path, name: &str) -> PathBuf {
        target_dir(root).join(TARGET).join("module").join(format!("{name}.wasm"))
    }

    /// Paths of this machine must not be in panic messages: they would give the
    /// same sources another digest in another folder.
    fn remaps(&self, root: &Path) -> Vec<String> {
        let mut paths = vec![(root.to_owned(), "/croft")];
        let cargo_home = env::var_os("CARGO_HOME").map(PathBuf::from);
        let cargo_home = cargo_home.or_else(|| env::home_dir().map(|home| home.join(".cargo")));
        paths.extend(cargo_home.map(|home| (home, "/cargo")));
        if let Kind::Distribution(distribution) = &self.kind {
            paths.extend(distribution.sources().into_iter().map(|path| (path, "/rust")));
        }
        paths.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect()
    }
}

impl fmt::Display for Toolchain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let version = self.id.lines().next().unwrap_or("rustc");
        match &self.kind {
            Kind::InUse => write!(f, "{version}, the one in use"),
            Kind::Distribution(_) => write!(f, "{version}, the distribution's, which builds the standard library too"),
        }
    }
}

/// Apart from the host's target folder: compilers of two versions would throw
/// away each other's work.
fn target_dir(root: &Path) -> PathBuf {
    root.join("target/guests")
}

fn in_use() -> Option<Toolchain> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let libraries = text(Command::new(&rustc).args(["--print", "target-libdir", "--target", TARGET]))?;
    let installed = std::fs::read_dir(libraries.trim()).ok()?.flatten();
    let has_std = installed.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("libstd-"));
    let id = if has_std { text(Command::new(&rustc).arg("-vV"))? } else { return None };
    Some(Toolchain { kind: Kind::InUse, id })
}

fn add_target() -> Option<Toolchain> {
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    text(Command::new("rustup").arg("--version"))?;
    say(format_args!("adding the wasm target: `rustup target add {TARGET}`"));
    let output = rustup.output().ok()?;
    if output.status.success() {
        return in_use();
    }
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    let reason = errors.lines().find(|line| line.starts_with("error")).unwrap_or("it says no reason");
    say(format_args!("rustup cannot add it: {reason}"));
    None
}

fn installed_distribution() -> Option<Toolchain> {
    let distribution = Distribution::find().ok()?;
    let id = text(distribution.rustc().arg("-vV"))?;
    Some(Toolchain { kind: Kind::Distribution(distribution), id })
}

fn install_distribution() -> Option<Toolchain> {
    if !apt::install() {
        return None;
    }
    installed_distribution()
}

/// What somebody can do about it, on this very system.
fn advice(problem: &str) -> String {
    let mut lines = vec![problem.to_owned()];
    if let Err(missing) = Distribution::find() {
        lines.push(format!("  the distribution's: {missing}"));
    }
    lines.push(format!("hint: with Rust from https://rustup.rs: `rustup target add {TARGET}`"));
    lines.push(format!("hint: {}", apt::hint()));
    lines.join("\n")
}

/// What a program prints on stdout, if it is there and succeeds.
fn text(command: &mut Command) -> Option<String> {
    let output = command.output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}
