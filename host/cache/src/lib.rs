//! A folder of files that can be made again, with a bound: beyond it those go
//! that were used least recently, and never those that somebody holds.
//!
//! Who holds what is written into the folder too, so that it is known after a
//! restart and to other processes. It does not know what is in the files, and
//! whoever reads one has to check it.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs::{self, DirBuilder, File},
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tempfile::NamedTempFile;

/// The folder within, of what is held.
const HELD: &str = "held";

/// What was used a moment ago is not taken away: between being written and being
/// held, a definition is prepared, which may wait for servers.
const YOUNG: Duration = Duration::from_secs(15 * 60);

/// A holder that was not heard of for so long is gone. It is heard of whenever a
/// host starts.
const FORGOTTEN: Duration = Duration::from_secs(90 * 24 * 3600);

/// A file that is being written is never older than this, unless its writer died.
const ABANDONED: Duration = Duration::from_secs(24 * 3600);

/// A folder with a bound.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    limit: u64,
    young: Duration,
}

impl Cache {
    /// Opens a folder, making it if need be. `limit` is in bytes.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(folder: PathBuf, limit: u64) -> io::Result<Cache> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        Ok(Cache { folder, limit, young: YOUNG })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where the file of a name is, if it is there. Names are plain file names and
    /// begin with a key, by which they are held.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Notes that a file was used.
    pub fn used(&self, name: &str) {
        // Without it the file only looks older than it is.
        if let Ok(file) = File::options().append(true).open(self.path(name)) {
            let _ = file.set_modified(SystemTime::now());
        }
    }

    /// What is in a file, if it is there. It counts as used.
    ///
    /// # Errors
    /// It is there and cannot be read.
    pub fn read(&self, name: &str) -> io::Result<Option<Vec<u8>>> {
        match fs::read(self.path(name)) {
            Ok(bytes) => {
                self.used(name);
                Ok(Some(bytes))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes a file whole or not at all, and makes room for it.
    ///
    /// # Errors
    /// The disk is full, or the folder is not ours to write.
    pub fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        // Synced before it gets its name, so that no crash leaves half of it.
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(self.path(name))?;
        self.make_room(name);
        Ok(())
    }

    /// Takes away a file that turned out to be wrong.
    pub fn remove(&self, name: &str) {
        let _ = fs::remove_file(self.path(name));
    }

    /// Notes what a holder holds from now on, instead of what it held: all files
    /// whose names begin with one of some keys.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn hold<'k>(&self, holder: &str, keys: impl IntoIterator<Item = &'k str>) -> io::Result<()> {
        let keys: Vec<&str> = keys.into_iter().collect();
        DirBuilder::new().recursive(true).mode(0o700).create(self.folder.join(HELD))?;
        let mut file = NamedTempFile::new_in(&self.folder)?;
        file.write_all(keys.join("\n").as_bytes())?;
        file.persist(self.note(holder))?;
        Ok(())
    }

    /// A holder does not need anything any more.
    pub fn release(&self, holder: &str) {
        let _ = fs::remove_file(self.note(holder));
    }

    fn note(&self, holder: &str) -> PathBuf {
        // A name for a file, out of any text. Two holders that share one by chance
        // would hold less than they should, which costs one of them a download.
        let mut hasher = DefaultHasher::new();
        holder.hash(&mut hasher);
        self.folder.join(HELD).join(format!("{:016x}", hasher.finish()))
    }

    /// The keys that are held.
    fn held(&self) -> BTreeSet<String> {
        let mut held = BTreeSet::new();
        for (path, age, _) in entries(&self.folder.join(HELD)) {
            match age > FORGOTTEN {
                true => drop(fs::remove_file(path)),
                false => held.extend(fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned)),
            }
        }
        held
    }

    /// Takes away what was used least recently until the rest is within the bound.
    fn make_room(&self, new: &str) {
        let mut files = entries(&self.folder);
        let mut size: u64 = files.iter().map(|(_, _, size)| size).sum();
        if size <= self.limit {
            return;
        }
        let held = self.held();
        let is_held = |name: &str| held.iter().any(|key| name.starts_with(key.as_str()));
        files.sort_by_key(|(_, age, _)| std::cmp::Reverse(*age));
        for (path, age, bytes) in files {
            let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
            let is_temporary = name.starts_with('.');
            let stays = if is_temporary { age < ABANDONED } else { name == new || age < self.young || is_held(name) };
            if size <= self.limit {
                break;
            }
            if !stays && fs::remove_file(&path).is_ok() {
                tracing::debug!(file = %path.display(), bytes, "made room in the cache");
                size -= bytes;
            }
        }
        if size > self.limit {
            tracing::warn!(
                folder = %self.folder.display(),
                bytes = size,
                limit = self.limit,
                "the cache is larger than it may be, and all of it is in use"
            );
        }
    }
}

/// The files in a folder, how long ago each was used, and its size. What vanishes
/// meanwhile was somebody else's to take.
fn entries(folder: &Path) -> Vec<(PathBuf, Duration, u64)> {
    let now = SystemTime::now();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let described = entries.filter_map(|entry| {
        let found = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        let age = now.duration_since(found.modified().ok()?).unwrap_or_default();
        Some((entry.path(), age, found.len()))
    });
    described.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(limit: u64) -> (tempfile::TempDir, Cache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::open(folder.path().join("cache"), limit).unwrap();
        (folder, Cache { young: Duration::from_secs(60), ..cache })
    }

    /// Writes files as if that many hours ago.
    fn written(cache: &Cache, files: &[(&str, u64)]) {
        for (name, hours) in files {
            cache.write(name, &[0; 10]).unwrap();
            let file = File::options().append(true).open(cache.path(name)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
        }
    }

    fn names(cache: &Cache) -> Vec<String> {
        let mut names: Vec<String> = entries(cache.folder())
            .iter()
            .map(|(path, _, _)| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn what_was_used_least_recently_goes_first() {
        let (_folder, cache) = cache(30);
        written(&cache, &[("a", 3), ("b", 9), ("c", 6)]);
        cache.used("b");
        cache.write("d", &[0; 10]).unwrap();
        assert_eq!(names(&cache), ["a", "b", "d"]);
    }

    #[test]
    fn what_is_held_stays_also_beyond_the_bound_and_after_a_restart() {
        let (folder, cache) = cache(30);
        written(&cache, &[("a-1", 9), ("a-2", 8), ("b", 7)]);
        cache.hold("somebody", ["a"]).unwrap();
        let again = Cache::open(folder.path().join("cache"), 20).unwrap();
        again.write("c", &[0; 10]).unwrap();
        assert_eq!(names(&again), ["a-1", "a-2", "c"]);
        again.release("somebody");
        again.write("d", &[0; 10]).unwrap();
        assert_eq!(names(&again), ["c", "d"]);
    }

    #[test]
    fn a_holder_that_holds_something_else_lets_go_of_the_former() {
        let (_folder, cache) = cache(20);
        written(&cache, &[("a", 9), ("b", 8)]);
        cache.hold("somebody", ["a"]).unwrap();
        cache.hold("somebody", ["b"]).unwrap();
        cache.write("c", &[0; 10]).unwrap();
        assert_eq!(names(&cache), ["b", "c"]);
    }

    #[test]
    fn what_was_written_a_moment_ago_stays() {
        let (_folder, cache) = cache(10);
        cache.write("a", &[0; 10]).unwrap();
        cache.write("b", &[0; 10]).unwrap();
        assert_eq!(names(&cache), ["a", "b"]);
    }

    #[test]
    fn a_file_that_is_not_there_is_none() {
        let (_folder, cache) = cache(10);
        assert_eq!(cache.read("a").unwrap(), None);
        cache.write("a", b"x").unwrap();
        assert_eq!(cache.read("a").unwrap(), Some(b"x".to_vec()));
    }
}
