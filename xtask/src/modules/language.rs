//! Modules in other languages than Rust: which tools make them, of what, and how,
//! and how the tests of their SDKs are run.
//!
//! Tools are looked for and never installed. What they fetch, they fetch by their own
//! lock files, into folders below `target/guests`.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, ensure};

use super::inputs;
use crate::phase::say;

/// A language that modules are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Language {
    Go,
    TypeScript,
    Python,
}

/// All of them.
pub(super) const ALL: [Language; 3] = [Language::Go, Language::TypeScript, Language::Python];

impl Language {
    /// The module that this repository brings in it.
    pub(super) fn module(self) -> &'static str {
        match self {
            Language::Go => "hello-go",
            Language::TypeScript => "hello-ts",
            Language::Python => "hello-py",
        }
    }

    /// Its folder in `sdk/`.
    fn sdk(self) -> &'static str {
        match self {
            Language::Go => "sdk/go",
            Language::TypeScript => "sdk/ts",
            Language::Python => "sdk/python",
        }
    }

    /// What a module of it is made from, besides the contract.
    pub(super) fn sources(self) -> Vec<String> {
        vec![self.sdk().to_owned(), format!("modules/{}", self.module())]
    }

    /// The versions of its tools, or which one is missing.
    pub(super) fn toolchain(self) -> Result<String> {
        match self {
            Language::Go => version("go", &["version"], "install Go 1.26 or newer, https://go.dev/doc/install"),
            Language::TypeScript => {
                let hint = "install Node.js 20 or newer with npm, https://nodejs.org";
                let node = version("node", &["--version"], hint)?;
                let major: Option<u32> = node.trim_start_matches('v').split('.').next().and_then(|it| it.parse().ok());
                ensure!(major.is_some_and(|major| major >= 20), "`node` is {node}\nhint: {hint}");
                Ok(format!("node {node}, npm {}", version("npm", &["--version"], hint)?))
            }
            Language::Python => {
                let hint = "install Python 3.10 or newer with venv, https://www.python.org";
                let test = "import sys, venv; print('.'.join(map(str, sys.version_info[:3]))); sys.exit(sys.version_info < (3, 10))";
                Ok(format!("python {}", version("python3", &["-c", test], hint)?))
            }
        }
    }

    /// What its compiler makes of the module: a core module or a component.
    pub(super) fn compile(self, root: &Path) -> Result<Vec<u8>> {
        let file = match self {
            Language::Go => go(root)?,
            Language::TypeScript => {
                let stage = typescript(root)?;
                npm(&stage.join("modules/hello-ts"), &["run", "build"])?;
                stage.join("modules/hello-ts/hello-ts.wasm")
            }
            Language::Python => {
                let stage = python(root)?;
                let file = stage.join("hello-py.wasm");
                let mut componentize = Command::new(stage.join("venv/bin/croft-componentize"));
                componentize.args(["hello:hello", "-o"]).arg(&file).env("PATH", with_venv(&stage)?);
                run(componentize.current_dir(stage.join("modules/hello-py")))?;
                file
            }
        };
        fs::read(&file).with_context(|| format!("cannot read the compiled module `{}`", file.display()))
    }

    /// Runs the tests of its SDK and of its module, without WebAssembly.
    pub(super) fn test(self, root: &Path) -> Result<()> {
        match self {
            Language::Go => self.sources().iter().try_for_each(|folder| {
                run(Command::new("go").args(["vet", "./..."]).current_dir(root.join(folder)))?;
                run(Command::new("go").args(["test", "./..."]).current_dir(root.join(folder)))
            }),
            Language::TypeScript => {
                let stage = typescript(root)?;
                self.sources().iter().try_for_each(|folder| npm(&stage.join(folder), &["test"]))?;
                npm(&stage.join(self.sdk()), &["pack", "--dry-run"])
            }
            Language::Python => {
                let stage = python(root)?;
                let python = stage.join("venv/bin/python");
                self.sources().iter().try_for_each(|folder| {
                    run(Command::new(&python).args(["-m", "pytest", "-q"]).current_dir(stage.join(folder)))
                })?;
                run(Command::new(&python).args(["-m", "build"]).current_dir(stage.join(self.sdk())))
            }
        }
    }
}

fn version(program: &str, arguments: &[&str], hint: &str) -> Result<String> {
    let output = Command::new(program).args(arguments).output();
    let output = output.with_context(|| format!("there is no `{program}`\nhint: {hint}"))?;
    ensure!(output.status.success(), "`{program} {}` ended with {}", arguments.join(" "), output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn go(root: &Path) -> Result<PathBuf> {
    let file = root.join("target/guests/hello-go.wasm");
    let mut go = Command::new("go");
    go.env("GOOS", "wasip1").env("GOARCH", "wasm").env("CGO_ENABLED", "0").env_remove("GOFLAGS");
    // `-trimpath`: the folder that it is built in must not be in it.
    go.args(["build", "-trimpath", "-buildmode=c-shared", "-ldflags=-s -w", "-o"]).arg(&file).arg(".");
    run(go.current_dir(root.join("modules/hello-go")))?;
    Ok(file)
}

/// The SDK, built, and the module with all that it depends on, in a folder of their
/// own: what npm fetches is half a gigabyte, and no place for it is among sources.
fn typescript(root: &Path) -> Result<PathBuf> {
    staged(root, Language::TypeScript, |stage| {
        npm(&stage.join("sdk/ts"), &["ci", "--no-audit", "--no-fund"])?;
        npm(&stage.join("sdk/ts"), &["run", "build"])?;
        npm(&stage.join("modules/hello-ts"), &["ci", "--no-audit", "--no-fund"])
    })
}

/// The SDK and the module, and an environment in which the SDK is installed with the
/// versions that `requirements.txt` has.
fn python(root: &Path) -> Result<PathBuf> {
    staged(root, Language::Python, |stage| {
        run(Command::new("python3").args(["-m", "venv", "venv"]).current_dir(stage))?;
        let mut pip = Command::new(stage.join("venv/bin/python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
        pip.args(["-r", "modules/hello-py/requirements.txt", "./sdk/python"]);
        run(pip.current_dir(stage))
    })
}

/// A folder with the sources and what `prepare` makes of them, as it was left if
/// nothing has changed since.
fn staged(root: &Path, language: Language, prepare: impl FnOnce(&Path) -> Result<()>) -> Result<PathBuf> {
    let stage = root.join("target/guests").join(language.module());
    let record = stage.join(".staged");
    let key = inputs::whole_key(root, &language.toolchain()?, &language.sources())?;
    if fs::read_to_string(&record).is_ok_and(|recorded| recorded == key) {
        return Ok(stage);
    }
    stage_sources(root, language, &stage)?;
    prepare(&stage)?;
    fs::write(&record, key).with_context(|| format!("cannot write `{}`", record.display()))?;
    Ok(stage)
}

/// The search path with the environment's programs first: `croft-componentize` calls
/// one of them.
fn with_venv(stage: &Path) -> Result<OsString> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::join_paths([stage.join("venv/bin")].into_iter().chain(env::split_paths(&path)))
        .context("the folder of this repository cannot be in PATH")
}

fn npm(folder: &Path, arguments: &[&str]) -> Result<()> {
    run(Command::new("npm").args(arguments).current_dir(folder))
}

/// Copies what the module is made from, and nothing that was made before.
fn stage_sources(root: &Path, language: Language, stage: &Path) -> Result<()> {
    if stage.exists() {
        fs::remove_dir_all(stage).with_context(|| format!("cannot empty `{}`", stage.display()))?;
    }
    for folder in language.sources().iter().map(String::as_str).chain(["wit"]) {
        for file in inputs::all_files(&root.join(folder))? {
            let to = stage.join(file.strip_prefix(root).unwrap_or(&file));
            let copied = fs::create_dir_all(to.parent().unwrap_or(stage)).and_then(|()| fs::copy(&file, &to));
            copied.with_context(|| format!("cannot copy `{}` to `{}`", file.display(), to.display()))?;
        }
    }
    Ok(())
}

/// Runs a command aloud, and shows what it prints if it fails.
fn run(command: &mut Command) -> Result<()> {
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let line = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    say(format_args!("$ {line}"));
    let output = command.output().with_context(|| format!("cannot start `{line}`"))?;
    let (text, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "`{line}` ended with {}:\n{text}{errors}", output.status);
    Ok(())
}
