//! Which files are looked at, and what was saved.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    time::{Duration, Instant},
};

use host_core::name::Digest;
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::report::Failure;

/// Folders that tools write to, with more in them than anybody reads.
const OF_TOOLS: [&str; 8] = ["target", "build", "dist", "node_modules", "vendor", ".venv", "__pycache__", "venv"];

/// How the names of files end that a compiler reads. Lock files do not count: a build
/// writes them.
const SOURCES: [&str; 11] = ["rs", "toml", "go", "mod", "ts", "tsx", "mts", "js", "mjs", "py", "wit"];

/// How the names of files end that croft reads.
const INPUTS: [&str; 4] = ["yaml", "yml", "json", "wasm"];

/// What was saved, since it was looked at last.
#[derive(Debug, Default)]
pub(super) struct Change {
    /// For people.
    pub(super) files: BTreeSet<PathBuf>,
    /// Whether a compiler reads one of them.
    pub(super) sources: bool,
}

impl Change {
    /// Everything, before anything was saved.
    pub(super) fn first() -> Change {
        Change { files: BTreeSet::new(), sources: true }
    }

    fn add(&mut self, path: PathBuf) {
        self.sources |= ends_in(&path, &SOURCES);
        self.files.insert(path);
    }
}

/// The folders of a project, and the files that were given by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Folders {
    whole: BTreeSet<PathBuf>,
    files: BTreeSet<PathBuf>,
}

impl Folders {
    /// Of folders all that people write to.
    pub(super) fn of(paths: impl Iterator<Item = PathBuf>) -> Folders {
        let mut all = Folders::default();
        for path in paths {
            let path = path.canonicalize().unwrap_or(path);
            if path.is_dir() {
                all.within(path);
            } else {
                all.files.insert(path);
            }
        }
        all
    }

    fn within(&mut self, folder: PathBuf) {
        let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
        let inner = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let inner: Vec<PathBuf> = inner.filter(|entry| !is_of_a_tool(&entry.file_name())).map(|it| it.path()).collect();
        self.whole.insert(folder);
        inner.into_iter().for_each(|folder| self.within(folder));
    }

    /// All folders that something may change in. Of a file the one that it is in: an
    /// editor puts another file into its place.
    fn all(&self) -> BTreeSet<&Path> {
        let parents = self.files.iter().filter_map(|file| file.parent());
        self.whole.iter().map(PathBuf::as_path).chain(parents).collect()
    }

    /// Others leave files of their own beside: editors, tools, and whoever sends what
    /// croft says into a file of the folder.
    fn holds(&self, path: &Path) -> bool {
        let (Some(name), Some(parent)) = (path.file_name(), path.parent()) else { return false };
        let is_read = path.is_dir() || ends_in(path, &INPUTS) || ends_in(path, &SOURCES);
        self.files.contains(path) || self.whole.contains(parent) && is_read && !is_of_a_tool(name)
    }
}

fn ends_in(path: &Path, endings: &[&str]) -> bool {
    path.extension().and_then(OsStr::to_str).is_some_and(|extension| endings.contains(&extension))
}

fn is_of_a_tool(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with('.') || OF_TOOLS.contains(&&*name)
}

/// Waits for files to be saved.
pub(super) struct Watch {
    watcher: RecommendedWatcher,
    events: Receiver<notify::Result<Event>>,
    watched: Folders,
    /// What was in files when they changed last: a tool that writes the same again, as
    /// one that makes code does for each build, changes nothing.
    seen: BTreeMap<PathBuf, Option<Digest>>,
}

impl Watch {
    /// # Errors
    /// The system watches no files.
    pub(super) fn start() -> Result<Watch, Failure> {
        let (sender, events) = mpsc::channel();
        let watcher = notify::recommended_watcher(sender).map_err(cannot)?;
        Ok(Watch { watcher, events, watched: Folders::default(), seen: BTreeMap::new() })
    }

    /// Looks at these folders from now on.
    ///
    /// # Errors
    /// The system does not watch one of them.
    pub(super) fn look_at(&mut self, folders: &Folders) -> Result<(), Failure> {
        let (before, now) = (self.watched.all(), folders.all());
        for gone in before.difference(&now) {
            // One that was removed is not watched any more.
            let _ = self.watcher.unwatch(gone);
        }
        for new in now.difference(&before) {
            self.watcher.watch(new, RecursiveMode::NonRecursive).map_err(cannot)?;
        }
        self.watched = folders.clone();
        Ok(())
    }

    /// Waits for a change, and for those that come `together` with it, no longer than
    /// `at_most`.
    ///
    /// # Errors
    /// The system watches no more.
    pub(super) fn next(&mut self, together: Duration, at_most: Duration) -> Result<Change, Failure> {
        let mut change = Change::default();
        while change.files.is_empty() {
            let event = self.events.recv().map_err(Failure::host)?;
            self.add(event, &mut change)?;
        }
        let end = Instant::now() + at_most;
        loop {
            let left = end.saturating_duration_since(Instant::now()).min(together);
            match self.events.recv_timeout(left) {
                Ok(event) => self.add(event, &mut change)?,
                Err(RecvTimeoutError::Timeout) => return Ok(change),
                Err(error) => return Err(Failure::host(error)),
            }
        }
    }

    fn add(&mut self, event: notify::Result<Event>, change: &mut Change) -> Result<(), Failure> {
        let event = event.map_err(cannot)?;
        // Reading a file is no change of it, and croft reads them all.
        if matches!(event.kind, EventKind::Access(_)) {
            return Ok(());
        }
        for path in event.paths.into_iter().filter(|path| self.watched.holds(path)) {
            let content = fs::read(&path).ok().map(|bytes| Digest::of(&bytes));
            let before = self.seen.insert(path.clone(), content.clone());
            if path.is_dir() || before != Some(content) {
                change.add(path);
            }
        }
        Ok(())
    }
}

fn cannot(error: notify::Error) -> Failure {
    Failure::host(anyhow::Error::new(error).context("cannot watch the files"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tools_write_is_not_looked_at() {
        let project = tempfile::tempdir().unwrap();
        for folder in ["src/inner", "target/debug", "node_modules/a", ".git/objects", "fixtures/one"] {
            fs::create_dir_all(project.path().join(folder)).unwrap();
        }
        let root = project.path().canonicalize().unwrap();
        let folders = Folders::of([project.path().to_owned()].into_iter()).whole;
        let wanted = ["", "fixtures", "fixtures/one", "src", "src/inner"].map(|folder| match folder {
            "" => root.clone(),
            folder => root.join(folder),
        });
        assert_eq!(folders, BTreeSet::from(wanted));
    }

    #[test]
    fn a_file_that_is_renamed_into_place_is_a_change_and_others_beside_it_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().canonicalize().unwrap().join("definition.yaml");
        fs::write(&file, "a").unwrap();
        let mut watch = Watch::start().unwrap();
        watch.look_at(&Folders::of([file.clone()].into_iter())).unwrap();
        fs::write(folder.path().join("other.yaml"), "b").unwrap();
        fs::write(folder.path().join("new"), "b").unwrap();
        fs::rename(folder.path().join("new"), &file).unwrap();
        let change = watch.next(Duration::from_millis(10), Duration::from_millis(100)).unwrap();
        assert_eq!(change.files, BTreeSet::from([file]));
        assert!(!change.sources);
    }

    #[test]
    fn what_is_said_into_a_file_of_the_folder_is_no_change_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut watch = Watch::start().unwrap();
        watch.look_at(&Folders::of([root.clone()].into_iter())).unwrap();
        fs::write(root.join("dev.log"), "note").unwrap();
        fs::write(root.join("definition.yaml~"), "a").unwrap();
        fs::write(root.join("definition.yaml"), "a").unwrap();
        let change = watch.next(Duration::from_millis(20), Duration::from_millis(200)).unwrap();
        assert_eq!(change.files, BTreeSet::from([root.join("definition.yaml")]));
    }

    #[test]
    fn a_file_that_says_the_same_again_has_not_changed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let mut watch = Watch::start().unwrap();
        watch.look_at(&Folders::of([root.clone()].into_iter())).unwrap();
        let (together, at_most) = (Duration::from_millis(20), Duration::from_millis(200));
        fs::write(root.join("made.go"), "package main").unwrap();
        assert!(watch.next(together, at_most).unwrap().sources);
        // Nobody sees it empty: it is renamed into place.
        fs::write(root.join("made"), "package main").unwrap();
        fs::rename(root.join("made"), root.join("made.go")).unwrap();
        fs::write(root.join("definition.yaml"), "a").unwrap();
        let change = watch.next(together, at_most).unwrap();
        assert_eq!((change.files, change.sources), (BTreeSet::from([root.join("definition.yaml")]), false));
    }

    #[test]
    fn a_file_that_a_compiler_reads_is_told_from_others() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::start().unwrap();
        watch.look_at(&Folders::of([folder.path().to_owned()].into_iter())).unwrap();
        fs::write(folder.path().join("Cargo.lock"), "").unwrap();
        fs::write(folder.path().join("lib.rs"), "").unwrap();
        assert!(watch.next(Duration::from_millis(50), Duration::from_millis(500)).unwrap().sources);
    }
}
