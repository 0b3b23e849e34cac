//! `croft module build`: has a project compiled by its language's own toolchain, and
//! makes a checked component of what comes of it.
//!
//! What a component has to be is the packer's to say; here compilers are called.

mod go;
mod py;
mod rust;
mod ts;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use host_core::{definition::ModuleRef, name::Digest};

use super::language::Language;
use crate::{
    report::{self, Failure},
    yaml::Source,
};

/// Build a module with its language's own toolchain
///
/// Tells the language by `Cargo.toml`, `go.mod`, `package.json` or
/// `pyproject.toml`, calls its compiler, and makes a component of the result that
/// imports nothing but croft's log, or says why it is not a module. A tool that is
/// missing is named, and how to get it.
///
/// The component goes to the file that `definition.yaml` names in `spec.module`,
/// or else to `build/NAME.wasm`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The project's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// The language, where several could be meant
    #[arg(long, value_enum, value_name = "LANGUAGE")]
    lang: Option<Language>,
    /// Where the component goes, instead of where the definition looks for it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  # the project in this folder
  croft module build
  # build and test
  croft module build && croft module test
  # to another place
  croft module build --output /tmp/greeting.wasm

Environment:
  CROFT_WASM_TOOLCHAIN  `rustup` or `distribution`: which Rust compiles a module";

pub(super) fn run(args: Args) -> Result<(), Failure> {
    let Args { folder, lang, output } = args;
    let built = build(&folder, lang, output)?;
    let Built { file, bytes, digest } = built;
    report::note(&format!("`{}` is built: {} KiB, {digest}", file.display(), bytes / 1024));
    Ok(())
}

/// A component that was made.
pub(in crate::cli) struct Built {
    pub(in crate::cli) file: PathBuf,
    pub(in crate::cli) bytes: usize,
    pub(in crate::cli) digest: Digest,
}

/// Builds a project.
///
/// # Errors
/// A tool is missing, the compiler refuses the sources, or what comes of them is
/// not a module.
pub(in crate::cli) fn build(folder: &Path, lang: Option<Language>, output: Option<PathBuf>) -> Result<Built, Failure> {
    let language = lang.map_or_else(|| Language::of(folder), Ok)?;
    let file = output.map_or_else(|| place(folder), Ok)?;
    let component = component(folder, language, Pace::Thorough)?;
    write(&file, &component)?;
    Ok(Built { file, bytes: component.len(), digest: Digest::of(&component) })
}

/// Builds a project for somebody who waits: soon, and not as small and fast as a
/// module can be.
///
/// # Errors
/// As [`build`].
pub(in crate::cli) fn quickly(folder: &Path, language: Language, file: &Path) -> Result<(), Failure> {
    write(file, &component(folder, language, Pace::Quick)?)
}

/// How much a compiler makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pace {
    Thorough,
    Quick,
}

fn component(folder: &Path, language: Language, pace: Pace) -> Result<Vec<u8>, Failure> {
    let compiled = match language {
        Language::Rust => rust::compile(folder, pace),
        Language::Go => go::compile(folder),
        Language::Ts => ts::compile(folder),
        Language::Py => py::compile(folder),
    }?;
    pack::pack(&compiled).map_err(|error| {
        let hint = error.hint();
        Failure::input(anyhow::Error::new(error).context("what the compiler made is not a module")).hint(hint)
    })
}

/// Where the project's definition looks for the module.
fn place(folder: &Path) -> Result<PathBuf, Failure> {
    let definition = ["yaml", "yml", "json"].map(|extension| folder.join(format!("definition.{extension}")));
    if let Some(definition) = definition.iter().find(|file| file.is_file()) {
        let source = Source::read(&definition.display().to_string())?;
        let named = source.documents.iter().find_map(|document| match ModuleRef::of(&document.value) {
            Ok(ModuleRef::File { path, .. }) => Some(path),
            _ => None,
        });
        if let Some(path) = named {
            return Ok(folder.join(path));
        }
    }
    let name = folder.canonicalize().ok().and_then(|folder| Some(folder.file_name()?.to_string_lossy().into_owned()));
    Ok(folder.join("build").join(format!("{}.wasm", name.as_deref().unwrap_or("module"))))
}

/// Renamed into place when it is whole: whoever waits for the file sees no half of
/// it.
fn write(file: &Path, component: &[u8]) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let partial = file.with_extension("wasm.partial");
    let made = folder.map_or(Ok(()), fs::create_dir_all);
    let written = made.and_then(|()| fs::write(&partial, component)).and_then(|()| fs::rename(&partial, file));
    written.map_err(|error| {
        let context = format!("cannot write `{}`", file.display());
        Failure::input(anyhow::Error::new(error).context(context))
    })
}

/// Refuses where a tool is missing, with how to get it.
fn need(program: &str, arguments: &[&str], hint: &str) -> Result<(), Failure> {
    match toolchain::text(Command::new(program).args(arguments).stdin(Stdio::null())) {
        Some(_) => Ok(()),
        None => Err(Failure::input(format!("there is no `{program}` to build this module with")).hint(hint)),
    }
}

/// Runs a step of a build. What it says goes to stderr, so that stdout is free for
/// data.
fn step(command: &mut Command) -> Result<(), Failure> {
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    // The program and what it is to do: all flags would hide that.
    let name = words.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(" ");
    let status = command
        .stdin(Stdio::null())
        .stdout(io::stderr())
        .status()
        .map_err(|error| Failure::host(anyhow::Error::new(error).context(format!("cannot start `{name}`"))))?;
    match status.success() {
        true => Ok(()),
        false => Err(Failure::input(format!("`{name}` failed: {status}"))),
    }
}

/// What a build left in a file.
fn read(file: &Path) -> Result<Vec<u8>, Failure> {
    let context = || format!("the build left no `{}`", file.display());
    fs::read(file).map_err(|error| Failure::input(anyhow::Error::new(error).context(context())))
}
