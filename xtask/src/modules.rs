//! `cargo xtask modules`: builds the guest modules to components.
//!
//! A component is found in `target/modules/<name>.wasm`. It is built again only
//! when what goes into it changed; finished ones are also kept in the user's
//! cache folder, for fresh clones. Which compiler is used is decided in
//! `toolchain`; the crate `pack` makes a component of its output.

mod inputs;
mod toolchain;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use anyhow::{Context, Result, bail, ensure};

use self::toolchain::Toolchain;
use crate::{
    phase::{Elapsed, say},
    root,
};

/// The modules written in Rust that this repository brings.
const MODULES: [&str; 2] = ["kro", "hello"];

/// Builds those named, or all, as far as they are out of date or if `force`.
pub(crate) fn build(names: &[String], force: bool) -> Result<()> {
    if let Some(unknown) = names.iter().find(|name| !MODULES.contains(&name.as_str())) {
        bail!("there is no module `{unknown}`; there are `{}`", MODULES.join("`, `"));
    }
    let toolchain = Toolchain::find()?;
    say(format_args!("compiler: {toolchain}"));
    let out = root().join("target/modules");
    fs::create_dir_all(&out).with_context(|| format!("cannot make the folder `{}`", out.display()))?;
    for name in MODULES.into_iter().filter(|name| names.is_empty() || names.iter().any(|wanted| wanted == name)) {
        Module { name, toolchain: &toolchain, output: out.join(format!("{name}.wasm")) }.refresh(force)?;
    }
    Ok(())
}

struct Module<'a> {
    name: &'static str,
    toolchain: &'a Toolchain,
    output: PathBuf,
}

impl Module<'_> {
    fn refresh(&self, force: bool) -> Result<()> {
        let key = inputs::key(&root(), self.name, self.toolchain.id())?;
        let cached = harness::cache_dir()?.join("modules").join(format!("{key}.wasm"));
        if !force && self.is_current(&key) {
            say(format_args!("{}: up to date", self.name));
            return Ok(());
        }
        let component = match self.cached(&cached, force) {
            Some(component) => component,
            None => {
                let component = self.compile()?;
                // A cache that cannot be written costs the next clone time, not this one its module.
                let _ = write_whole(&cached, &component);
                component
            }
        };
        write_whole(&self.output, &component)?;
        write_whole(&self.record(), key.as_bytes())
    }

    fn is_current(&self, key: &str) -> bool {
        self.output.is_file() && fs::read_to_string(self.record()).is_ok_and(|recorded| recorded == key)
    }

    /// The file beside the output that says what it was made from.
    fn record(&self) -> PathBuf {
        self.output.with_extension("inputs")
    }

    fn cached(&self, cached: &Path, force: bool) -> Option<Vec<u8>> {
        let component = if force { None } else { fs::read(cached).ok() }?;
        pack::check(&component).ok()?;
        say(format_args!("{}: taken from the cache, `{}`", self.name, cached.display()));
        Some(component)
    }

    fn compile(&self) -> Result<Vec<u8>> {
        say(format_args!("{}: compiling to wasm, up to two minutes the first time", self.name));
        let start = Instant::now();
        let mut command = self.toolchain.cargo_rustc(&root(), self.name);
        run(&mut command).with_context(|| format!("cannot compile the module `{}` to wasm", self.name))?;
        let core = self.toolchain.output(&root(), self.name);
        let core = fs::read(&core).with_context(|| format!("cannot read the compiled module `{}`", core.display()))?;
        let component = pack::pack(&core).map_err(|error| refused(self.name, error))?;
        let size = component.len() / 1024;
        say(format_args!("{}: {size} KiB after {}", self.name, Elapsed(start.elapsed())));
        Ok(component)
    }
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
