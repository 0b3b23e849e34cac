//! Modules in registries: real ones on loopback, and one that does what no
//! registry should.

mod fake;
mod hostile;
mod real;
mod signed;

use std::path::Path;

use harness::registry::{Kind, Registry};
use tempfile::TempDir;

use super::{Desk, Ran};

/// The smallest module that is a module.
fn hello() -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/modules/hello.wasm")).unwrap()
}

/// A folder with that module, and a definition of it that names it as told.
fn desk() -> Desk {
    let desk = Desk::with(&[]);
    desk.write("hello.wasm", hello());
    desk
}

/// A definition that names a module.
fn definition(reference: &str) -> String {
    let text = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/greetings/definition-as-code.yaml"),
    )
    .unwrap();
    let named = text.lines().find_map(|line| line.trim().strip_prefix("module: ")).unwrap().to_owned();
    text.replace(&named, reference)
}

/// A real registry; none where there is no Go to build it, which is said.
fn registry(kind: Kind) -> Option<(Registry, TempDir)> {
    let folder = TempDir::new().unwrap();
    match Registry::start(kind, folder.path()) {
        Ok(registry) => Some((registry, folder)),
        Err(error) if format!("{error:#}").contains("Go is not installed") => {
            eprintln!("left out, there is no registry: {error:#}");
            None
        }
        Err(error) => panic!("{error:#}"),
    }
}

impl Desk {
    /// Runs croft with a cache of its own, so that no other test has pulled what it
    /// pulls.
    fn alone(&self, args: &str) -> Ran {
        self.alone_with(args, &[])
    }

    fn alone_with(&self, args: &str, env: &[(&str, &str)]) -> Ran {
        let cache = self.path("cache").display().to_string();
        let env: Vec<_> = [("XDG_CACHE_HOME", cache.as_str())].into_iter().chain(env.iter().copied()).collect();
        self.croft_with(args, &env, "")
    }

    /// Pushes the module and answers its reference with the digest.
    fn push(&self, reference: &str) -> String {
        self.croft(&format!("module push hello.wasm {reference}")).done().stdout.trim().to_owned()
    }
}

impl Ran {
    /// The run failed by no fault of its input, and said all of this.
    #[track_caller]
    fn failed(self, says: &[&str]) -> Ran {
        assert_eq!(self.status, 2, "{self:?}");
        self.says(says)
    }

    #[track_caller]
    fn says(self, says: &[&str]) -> Ran {
        for part in says {
            assert!(self.stderr.contains(part), "`{part}` is not in:\n{}", self.stderr);
        }
        self
    }
}
