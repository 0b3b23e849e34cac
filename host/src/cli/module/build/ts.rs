//! A module in TypeScript: `npm`, and the script `build` of its package.

use std::{path::Path, process::Command};

use super::{need, read, step};
use crate::report::Failure;

/// Where the script leaves the component, as the projects of `croft module new` do.
const COMPONENT: &str = "build/component.wasm";

/// The component that the script makes.
pub(super) fn compile(folder: &Path) -> Result<Vec<u8>, Failure> {
    need("node", &["--version"], "install Node.js 20 or newer, as https://nodejs.org says")?;
    need("npm", &["--version"], "install npm, which comes with Node.js")?;
    if !folder.join("node_modules").is_dir() {
        step(Command::new("npm").args(["install", "--no-audit", "--no-fund", "--install-links"]).current_dir(folder))?;
    }
    let component = folder.join(COMPONENT);
    let made = component.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.map_err(Failure::host)?;
    step(Command::new("npm").args(["run", "build"]).current_dir(folder))?;
    read(&component)
}
