//! What a module is made from, as one hash: sources, lock file, compiler.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// How modules are compiled here: other flags make other modules.
const RECIPE: &str = include_str!("toolchain.rs");

/// The hash of everything that goes into the module `name`.
pub(super) fn key(root: &Path, name: &str, toolchain: &str) -> Result<String> {
    let module = format!("modules/{name}");
    let mut hash = Sha256::new();
    for part in [RECIPE, name, toolchain] {
        add(&mut hash, part.as_bytes());
    }
    for path in ["Cargo.toml", "Cargo.lock", "wit", "guest-sdk", "host/pack", "modules/expr", &module] {
        for file in files(&root.join(path))? {
            let bytes = fs::read(&file).with_context(|| format!("cannot read `{}`", file.display()))?;
            let relative = file.strip_prefix(root).unwrap_or(&file).to_string_lossy();
            add(&mut hash, relative.as_bytes());
            add(&mut hash, &bytes);
        }
    }
    Ok(hex(&hash.finalize()))
}

/// Length first, so that no two lists of parts look the same.
fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

/// Folders beside the sources that go into no module.
const NO_SOURCES: [&str; 2] = ["tests", "fixtures"];

/// The file itself or all files below, sorted.
fn files(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let mut found = Vec::new();
    for entry in fs::read_dir(path).with_context(|| format!("cannot list `{}`", path.display()))? {
        let entry = entry.with_context(|| format!("cannot list `{}`", path.display()))?;
        if !NO_SOURCES.iter().any(|folder| entry.file_name() == *folder) {
            found.extend(files(&entry.path())?);
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
        let before = key(tree.path(), "m", "rustc 1").unwrap();
        assert_eq!(before, key(tree.path(), "m", "rustc 1").unwrap());
        fs::write(tree.path().join("wit/a.wit"), "two").unwrap();
        assert_ne!(before, key(tree.path(), "m", "rustc 1").unwrap());
    }

    #[test]
    fn another_compiler_changes_the_key() {
        let tree = tree();
        assert_ne!(key(tree.path(), "m", "rustc 1").unwrap(), key(tree.path(), "m", "rustc 2").unwrap());
    }

    #[test]
    fn a_changed_test_or_fixture_does_not_change_the_key() {
        let tree = tree();
        let before = key(tree.path(), "m", "rustc 1").unwrap();
        fs::write(tree.path().join("modules/m/tests/it.rs"), "two").unwrap();
        fs::write(tree.path().join("modules/m/fixtures/one/instance.yaml"), "two").unwrap();
        assert_eq!(before, key(tree.path(), "m", "rustc 1").unwrap());
    }
}
