//! The folder of compiled modules: used when it is sound, renewed when it is
//! damaged, refused when somebody else could have written it.

use std::{
    fs::{self, Permissions},
    os::unix::fs::{MetadataExt, PermissionsExt, chown},
    path::{Path, PathBuf},
};

use sandbox::{Error, Limits, Sandbox};
use serde_json::json;
use tempfile::TempDir;

use super::guests;

/// Loads a guest in a sandbox that keeps its code in a folder, and runs it.
fn load(folder: &Path) {
    let sandbox = open(folder).unwrap();
    guests::run(&sandbox, &guests::binary("obedient")).unwrap();
}

fn open(folder: &Path) -> Result<Sandbox, Error> {
    Sandbox::new(Limits::default(), Some(folder.to_owned()))
}

fn refusal(folder: &Path) -> String {
    match open(folder) {
        Ok(_) => panic!("`{}` is accepted", folder.display()),
        Err(error) => guests::told(&error),
    }
}

/// The one file in the folder.
fn artifact(folder: &Path) -> PathBuf {
    let files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files[0].clone()
}

/// Which file it is, also after another has taken its name.
fn inode(file: &Path) -> u64 {
    fs::metadata(file).unwrap().ino()
}

#[test]
fn a_module_is_compiled_once_and_mapped_from_then_on() {
    let parent = TempDir::new().unwrap();
    let folder = parent.path().join("new/artifacts");
    load(&folder);
    let file = artifact(&folder);
    let digest = host_core::name::Digest::of(&guests::binary("obedient"));
    assert!(file.file_name().unwrap().to_str().unwrap().starts_with(digest.hex()));
    assert_eq!(fs::metadata(&folder).unwrap().mode() & 0o777, 0o700);

    let first = inode(&file);
    load(&folder);
    assert_eq!(inode(&artifact(&folder)), first);
}

#[test]
fn calls_compile_nothing() {
    let folder = TempDir::new().unwrap();
    for compiled in [1, 0] {
        let sandbox = open(folder.path()).unwrap();
        let module = sandbox.load(&guests::binary("obedient")).unwrap();
        for _ in 0..3 {
            module.prepare(&json!({"kind": "Definition"}), &[]).unwrap();
            module.render(&[], &guests::instance("one"), &[]).unwrap();
        }
        assert_eq!(sandbox.compilations(), compiled);
    }
}

#[test]
fn a_damaged_artifact_is_replaced() {
    let folder = TempDir::new().unwrap();
    load(folder.path());
    let file = artifact(folder.path());
    let whole = fs::read(&file).unwrap();
    for damaged in [&b""[..], b"no machine code", &whole[..whole.len() / 2]] {
        fs::remove_file(&file).unwrap();
        fs::write(&file, damaged).unwrap();
        load(folder.path());
        assert_eq!(fs::metadata(artifact(folder.path())).unwrap().len(), whole.len() as u64);
    }
}

#[test]
fn a_refused_module_leaves_nothing_behind() {
    let folder = TempDir::new().unwrap();
    assert!(open(folder.path()).unwrap().load(&guests::binary("no_composer")).is_err());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_folder_that_others_can_write_to_is_refused() {
    let folder = TempDir::new().unwrap();
    for mode in [0o770, 0o702, 0o777] {
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let told = refusal(folder.path());
        assert!(told.starts_with("ArtifactCache, host: refusing to keep compiled modules in"), "{told}");
        assert!(told.contains("its mode lets other users write to it"), "{told}");
    }
}

#[test]
fn a_folder_of_another_user_is_refused() {
    let folder = TempDir::new().unwrap();
    // Only root can give a folder away; others have none to be refused, but
    // for those that they cannot write to.
    if chown(folder.path(), Some(54321), None).is_err() {
        assert!(refusal(Path::new("/usr")).starts_with("ArtifactCache, host: "));
        return;
    }
    let told = refusal(folder.path());
    assert!(told.contains("it belongs to another user"), "{told}");
}

#[test]
fn a_folder_that_is_a_file_is_refused_with_its_name() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let told = refusal(&file);
    assert!(told.starts_with("ArtifactCache, host: cannot keep compiled modules in"), "{told}");
}
