//! What a module is made from, as one hash: sources, lock file, compiler.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// How modules are compiled here: other flags make other modules.
const RECIPES: [&str; 2] = [include_str!("../../../host/toolchain/src/lib.rs"), include_str!("language.rs")];

/// What every module is made with.
const COMMON: [&str; 2] = ["wit", "host/pack"];

/// What every module in Rust is made from.
const RUST: [&str; 4] = ["Cargo.toml", "Cargo.lock", "guest-sdk", "modules/expr"];

/// What tools leave beside sources.
const MADE: [&str; 6] = ["node_modules", "dist", "build", "__pycache__", ".venv", ".pytest_cache"];

/// The hash of everything that goes into the module `name` in Rust.
pub(super) fn rust_key(root: &Path, name: &str, toolchain: &str) -> Result<String> {
    let sources = RUST.map(str::to_owned).into_iter().chain([format!("modules/{name}")]).collect::<Vec<_>>();
    key(root, RECIPES[0], name, toolchain, &sources)
}

/// The hash of everything that goes into a module in another language.
pub(super) fn language_key(root: &Path, name: &str, toolchain: &str, sources: &[String]) -> Result<String> {
    key(root, RECIPES[1], name, toolchain, sources)
}

/// The hash of everything that a language's module and its tests are made from.
pub(super) fn whole_key(root: &Path, toolchain: &str, sources: &[String]) -> Result<String> {
    hash(root, [RECIPES[1], "", toolchain], sources, &is_made)
}

fn key(root: &Path, recipe: &str, name: &str, toolchain: &str, sources: &[String]) -> Result<String> {
    hash(root, [recipe, name, toolchain], sources, &|name| is_beside(name) || is_made(name))
}

fn hash(root: &Path, parts: [&str; 3], sources: &[String], left_out: &dyn Fn(&str) -> bool) -> Result<String> {
    let mut hash = Sha256::new();
    for part in parts {
        add(&mut hash, part.as_bytes());
    }
    for path in COMMON.into_iter().chain(sources.iter().map(String::as_str)) {
        for file in files(&root.join(path), left_out)? {
            let bytes = fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
            let relative = file.strip_prefix(root).unwrap_or(&file).to_string_lossy();
            add(&mut hash, relative.as_bytes());
            add(&mut hash, &bytes);
        }
    }
    Ok(hex(&hash.finalize()))
}

/// What stands beside sources and goes into no module: tests, their fixtures, and words.
fn is_beside(name: &str) -> bool {
    let is_test = name.starts_with("test_") || name.ends_with("_test.go") || name.ends_with(".test.ts");
    is_test || matches!(name, "tests" | "test" | "fixtures" | "README.md")
}

fn is_made(folder: &str) -> bool {
    MADE.contains(&folder) || folder.ends_with(".egg-info")
}

/// All files that are not made of others.
pub(super) fn all_files(path: &Path) -> Result<Vec<PathBuf>> {
    files(path, &is_made)
}

/// Length first, so that no two lists of parts look the same.
fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

/// The file itself or all files below, sorted, without those that `left_out` names, and
/// without modules that lie about.
fn files(path: &Path, left_out: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot list `{}`", path.display()))? {
        let entry = entry.with_context(|| format!("cannot list `{}`", path.display()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !left_out(&name) && !name.ends_with(".wasm") {
            found.extend(files(&entry.path(), left_out)?);
        }
    }
    found.sort();
    Ok(found)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree() -> tempfile::TempDir {
        let tree = tempfile::tempdir().unwrap();
        for path in [
            "wit/a.wit",
            "guest-sdk/src/lib.rs",
            "host/pack/src/lib.rs",
            "modules/expr/src/lib.rs",
            "modules/m/src/lib.rs",
            "modules/m/tests/it.rs",
            "modules/m/fixtures/one/instance.yaml",
        ] {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "one").unwrap();
        }
        fs::write(tree.path().join("Cargo.toml"), "one").unwrap();
        fs::write(tree.path().join("Cargo.lock"), "one").unwrap();
        tree
    }

    #[test]
    fn a_changed_source_changes_the_key() {
        let tree = tree();
        let before = rust_key(tree.path(), "m", "rustc 1").unwrap();
        assert_eq!(before, rust_key(tree.path(), "m", "rustc 1").unwrap());
        fs::write(tree.path().join("wit/a.wit"), "two").unwrap();
        assert_ne!(before, rust_key(tree.path(), "m", "rustc 1").unwrap());
    }

    #[test]
    fn another_compiler_changes_the_key() {
        let tree = tree();
        assert_ne!(rust_key(tree.path(), "m", "rustc 1").unwrap(), rust_key(tree.path(), "m", "rustc 2").unwrap());
    }

    #[test]
    fn a_changed_test_or_fixture_does_not_change_the_key() {
        let tree = tree();
        let before = rust_key(tree.path(), "m", "rustc 1").unwrap();
        fs::write(tree.path().join("modules/m/tests/it.rs"), "two").unwrap();
        fs::write(tree.path().join("modules/m/fixtures/one/instance.yaml"), "two").unwrap();
        assert_eq!(before, rust_key(tree.path(), "m", "rustc 1").unwrap());
    }

    #[test]
    fn what_tools_have_made_does_not_change_the_key() {
        let tree = tree();
        let sources = ["modules/m".to_owned()];
        let before = language_key(tree.path(), "m", "go 1", &sources).unwrap();
        for path in [
            "modules/m/node_modules/a/index.js",
            "modules/m/m.wasm",
            "modules/m/x.egg-info/PKG-INFO",
            "modules/m/m_test.go",
        ] {
            let path = tree.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "made").unwrap();
        }
        assert_eq!(before, language_key(tree.path(), "m", "go 1", &sources).unwrap());
        fs::write(tree.path().join("modules/m/main.go"), "one").unwrap();
        assert_ne!(before, language_key(tree.path(), "m", "go 1", &sources).unwrap());
    }
}
