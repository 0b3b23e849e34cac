//! `cargo xtask modules`: builds the guest modules to components.
//!
//! A component is found in `target/modules/<name>.wasm`. It is built again only
//! when what goes into it changed; finished ones are also kept in the user's
//! cache folder, for fresh clones. Which compiler is used is decided in
//! `toolchain` for Rust and in `language` for the others; the crate `pack` makes a
//! component of its output.

pub(crate) mod compare;
mod inputs;
mod language;
mod toolchain;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use ::toolchain::{Package, Toolchain};
use anyhow::{Context, Result, bail, ensure};

use self::language::Language;
use crate::{
    phase::{Elapsed, say},
    root,
};

/// The modules written in Rust that this repository brings.
const RUST: [&str; 2] = ["kro", "hello"];

/// Builds those named, or all, as far as they are out of date or if `force`. A module
/// whose language has no tools here is left out, unless it was asked for by name.
pub(crate) fn build(names: &[&str], force: bool) -> Result<()> {
    let all: Vec<&str> = RUST.into_iter().chain(language::ALL.map(Language::module)).collect();
    if let Some(unknown) = names.iter().find(|name| !all.contains(name)) {
        bail!("there is no module `{unknown}`; there are `{}`", all.join("`, `"));
    }
    let is_wanted = |name: &str| names.is_empty() || names.contains(&name);
    let rust: Vec<&str> = RUST.into_iter().filter(|name| is_wanted(name)).collect();
    if !rust.is_empty() {
        let toolchain = toolchain::find()?;
        say(format_args!("compiler: {toolchain}"));
        rust.into_iter().try_for_each(|name| Module::in_rust(name, &toolchain)?.refresh(force))?;
    }
    for language in language::ALL.into_iter().filter(|language| is_wanted(language.module())) {
        match language.toolchain() {
            Ok(toolchain) => Module::in_another(language, &toolchain)?.refresh(force)?,
            Err(missing) if names.is_empty() => leave_out(language, &missing),
            Err(missing) => return Err(missing.context(format!("cannot build `{}`", language.module()))),
        }
    }
    Ok(())
}

/// Runs the tests of the SDKs of other languages, as far as their tools are here.
pub(crate) fn test_languages() -> Result<()> {
    for language in language::ALL {
        match language.toolchain() {
            Ok(toolchain) => {
                say(format_args!("{}: {toolchain}", language.module()));
                language.test(&root())?;
            }
            Err(missing) => leave_out(language, &missing),
        }
    }
    Ok(())
}

fn leave_out(language: Language, missing: &anyhow::Error) {
    let missing = missing.to_string().replace('\n', "; ");
    say(format_args!("{}: left out, {missing}", language.module()));
}

struct Module<'a> {
    name: &'static str,
    /// What it is made from.
    key: String,
    compile: Box<dyn Fn() -> Result<Vec<u8>> + 'a>,
}

impl<'a> Module<'a> {
    fn in_rust(name: &'static str, toolchain: &'a Toolchain) -> Result<Module<'a>> {
        let key = inputs::rust_key(&root(), name, toolchain.id())?;
        Ok(Module { name, key, compile: Box::new(|| compile_rust(name, toolchain)) })
    }

    fn in_another(language: Language, toolchain: &str) -> Result<Module<'a>> {
        let key = inputs::language_key(&root(), language.module(), toolchain, &language.sources())?;
        Ok(Module { name: language.module(), key, compile: Box::new(move || language.compile(&root())) })
    }

    fn output(&self) -> PathBuf {
        root().join("target/modules").join(format!("{}.wasm", self.name))
    }

    fn refresh(&self, force: bool) -> Result<()> {
        if !force && self.is_current() {
            say(format_args!("{}: up to date", self.name));
            return Ok(());
        }
        let cached = harness::cache_dir()?.join("modules").join(format!("{}.wasm", self.key));
        let component = match self.cached(&cached, force) {
            Some(component) => component,
            None => {
                let component = self.make()?;
                // A cache that cannot be written costs the next clone time, not this one its module.
                let _ = write_whole(&cached, &component);
                component
            }
        };
        write_whole(&self.output(), &component)?;
        write_whole(&self.record(), self.key.as_bytes())
    }

    fn is_current(&self) -> bool {
        self.output().is_file() && fs::read_to_string(self.record()).is_ok_and(|recorded| recorded == self.key)
    }

    /// The file beside the output that says what it was made from.
    fn record(&self) -> PathBuf {
        self.output().with_extension("inputs")
    }

    fn cached(&self, cached: &Path, force: bool) -> Option<Vec<u8>> {
        let component = if force { None } else { fs::read(cached).ok() }?;
        pack::check(&component).ok()?;
        say(format_args!("{}: taken from the cache, `{}`", self.name, cached.display()));
        Some(component)
    }

    fn make(&self) -> Result<Vec<u8>> {
        say(format_args!("{}: compiling to wasm, up to two minutes the first time", self.name));
        let start = Instant::now();
        let compiled =
            (self.compile)().with_context(|| format!("cannot compile the module `{}` to wasm", self.name))?;
        let component = pack::pack(&compiled).map_err(|error| refused(self.name, error))?;
        let size = component.len() / 1024;
        say(format_args!("{}: {size} KiB after {}", self.name, Elapsed(start.elapsed())));
        Ok(component)
    }
}

fn compile_rust(name: &str, toolchain: &Toolchain) -> Result<Vec<u8>> {
    let (root, target_dir) = (root(), root().join("target/guests"));
    // The profile is in `Cargo.toml`.
    let (profile, stands_for_root) = ("module", "/croft");
    let package = Package { root: &root, name, profile, target_dir: &target_dir, stands_for_root, locked: true };
    run(&mut toolchain.cargo_rustc(&package))?;
    let core = package.output();
    fs::read(&core).with_context(|| format!("cannot read the compiled module `{}`", core.display()))
}

fn refused(name: &str, error: pack::Error) -> anyhow::Error {
    let hint = error.hint();
    anyhow::Error::new(error).context(format!("the module `{name}` cannot be used\nhint: {hint}"))
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot start `{program}`"))?;
    ensure!(status.success(), "`{program}` ended with {status}");
    Ok(())
}

/// Writes beside the target and renames, so that nobody reads half a file.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let parent = path.parent().context("the path has no folder")?;
    let partial = path.with_extension(format!("{}.partial", std::process::id()));
    fs::create_dir_all(parent)
        .and_then(|()| fs::write(&partial, bytes))
        .and_then(|()| fs::rename(&partial, path))
        .with_context(|| format!("cannot write `{}`", path.display()))
}
