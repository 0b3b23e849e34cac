//! A module in Python: an environment of its own, and componentize-py by the SDK.

use std::{env, path::Path, process::Command};

use super::{need, read, step};
use crate::report::Failure;

/// The environment within a project.
const ENVIRONMENT: &str = ".venv";

/// The object that is the module, as the projects of `croft module new` have it.
const MODULE: &str = "module:module";

/// The component that the SDK makes.
pub(super) fn compile(folder: &Path) -> Result<Vec<u8>, Failure> {
    let folder = folder.canonicalize().map_err(Failure::host)?;
    need("python3", &["--version"], "install Python 3.10 or newer, as https://www.python.org says")?;
    let environment = folder.join(ENVIRONMENT);
    if !environment.is_dir() {
        step(Command::new("python3").args(["-m", "venv", ENVIRONMENT]).current_dir(&folder))?;
    }
    let programs = environment.join("bin");
    if !programs.join("croft-componentize").is_file() {
        let mut pip = Command::new(programs.join("python"));
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--editable", "."]);
        step(pip.current_dir(&folder))?;
    }
    let out = tempfile::tempdir().map_err(Failure::host)?;
    let component = out.path().join("component.wasm");
    // It calls another program of the environment.
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs.clone()].into_iter().chain(env::split_paths(&path))).map_err(Failure::host)?;
    let mut componentize = Command::new(programs.join("croft-componentize"));
    componentize.args([MODULE, "--path", "src", "--output"]).arg(&component).env("PATH", path);
    step(componentize.current_dir(&folder))?;
    read(&component)
}
