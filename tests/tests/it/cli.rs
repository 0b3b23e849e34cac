//! The command line as its users meet it: the real binary, files, stdin,
//! stdout, stderr and the exit status; no server.

mod cases;
mod check;
mod composition;
mod definitions;
mod dev;
mod explain;
mod instances;
mod kubeconfig;
mod languages;
mod misuse;
mod module;
mod pack;
mod publish;
mod registry;
mod render;
mod together;

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of its own in which croft is run, with nothing of the user's
/// environment but a cache of compiled modules that all tests share.
struct Desk {
    folder: TempDir,
}

/// How a run ended.
#[derive(Debug)]
struct Ran {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Desk {
    /// A folder with some files in it.
    fn with(files: &[(&str, &str)]) -> Desk {
        let desk = Desk { folder: TempDir::new().unwrap() };
        for (name, text) in files {
            desk.write(name, text);
        }
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).unwrap();
    }

    /// The same desk with a file more, and the folder that it is in.
    fn deep(self, name: &str, content: impl AsRef<[u8]>) -> Desk {
        fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        self.write(name, content);
        self
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    /// Runs `croft` with arguments that have no spaces in them.
    fn croft(&self, args: &str) -> Ran {
        self.croft_with(args, &[], "")
    }

    fn croft_with(&self, args: &str, env: &[(&str, &str)], stdin: &str) -> Ran {
        let mut child = Command::new(harness::croft().unwrap())
            .args(args.split_whitespace())
            .current_dir(self.folder.path())
            .env_clear()
            .env("HOME", self.folder.path())
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        // A command that does not read its stdin may be gone by now.
        drop(pipe.write_all(stdin.as_bytes()));
        drop(pipe);
        let output = child.wait_with_output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { status: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Ran {
    /// The run did what it was asked to.
    #[track_caller]
    fn done(self) -> Ran {
        assert_eq!(self.status, 0, "{}", self.stderr);
        self
    }

    /// The run refused its input, printed no data, and said all of this.
    #[track_caller]
    fn refused(self, says: &[&str]) -> Ran {
        assert_eq!(self.status, 1, "{self:?}");
        assert_eq!(self.stdout, "", "data despite a refusal");
        for part in says {
            assert!(self.stderr.contains(part), "`{part}` is not in:\n{}", self.stderr);
        }
        self
    }

    /// The objects on stdout, which holds nothing else.
    #[track_caller]
    fn objects(&self) -> Vec<Value> {
        let source = host::yaml::Source::parse("stdout", &self.stdout).unwrap();
        source.documents.into_iter().map(|document| document.value).collect()
    }
}
