//! `croft kubeconfig`: the context of an export's virtual workspace, put into a
//! kubeconfig file without disturbing what else is in it.
//!
//! What is put there is `crate::kubeconfig`'s business; here are the files.

use std::{
    fs,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use serde_json::Value;

use super::{Global, output, publish};
use host_core::fault::Fault as _;
use kcp::{endpoints, virtual_workspace::Address};

use crate::{
    kubeconfig::{self, Access, Error},
    report::{self, Failure},
    yaml::{self, Source},
};

/// The pause between two looks at an export that has no endpoint yet.
const PAUSE: Duration = Duration::from_millis(250);

/// Write the context by which kubectl and croft reach an export's virtual
/// workspace
///
/// The context has the user and the certificate authority of the provider's
/// context (the current one, or `--context`), and looks across all workspaces
/// that bound the export. An entry that says something else is never
/// overwritten unless `--force` is given; all else in the file is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The APIExport in the provider's workspace, such as `somethings.kro.run`
    #[arg(required_unless_present = "url")]
    export: Option<String>,
    /// The name of the context and of its cluster [default: the export's name and `-vw`]
    #[arg(long)]
    name: Option<String>,
    /// The virtual workspace's URL, instead of asking the server for it
    #[arg(long, conflicts_with = "export")]
    url: Option<String>,
    /// Make a kubeconfig with this context alone, or add it to that one; `-` is stdout
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace entries of the same names that say something else
    #[arg(long)]
    force: bool,
    /// How long to wait for kcp to give the export a URL, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    timeout: u64,
}

const EXAMPLES: &str = "\
Examples:
  # as the provider: add the context `kro-vw`, and look through it
  croft kubeconfig somethings.kro.run --context provider-team --name kro-vw
  kubectl --context kro-vw api-resources
  # a kubeconfig for the host, with nothing else in it
  croft kubeconfig somethings.kro.run --context provider-team --output host.kubeconfig";

pub(super) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let Args { export, name, url, output, force, timeout } = args;
    let files = Files::read(global.kubeconfig.as_deref())?;
    let config = files.merged()?;
    let url = match (url, export) {
        (Some(url), _) => url,
        (None, export) => super::block_on(look_up(global, export.unwrap_or_default(), timeout))?,
    };
    let url = kubeconfig::virtual_workspace(&url).map_err(refused)?;
    let export = url.rsplit('/').next().unwrap_or_default();
    let name = name.unwrap_or_else(|| format!("{export}-vw"));
    let access = kubeconfig::access(&config, global.context.as_deref(), &name, &url).map_err(refused)?;
    match output {
        Some(file) if file == Path::new("-") => {
            let document = kubeconfig::with_context(&Value::Null, &access, force).map_err(refused)?;
            output::text(&yaml::print(document.as_slice()))
        }
        Some(file) => {
            let before = if file.exists() { document(&file)? } else { Value::Null };
            say(&name, &file, edit(&file, &before, &access, force)?);
            Ok(())
        }
        None => {
            // The user is in one of the files already.
            let access = Access { credentials: None, ..access };
            let changes = kubeconfig::with_context(&config, &access, force).map_err(refused)?.is_some();
            let (file, before) = files.target(&name);
            say(&name, file, changes && edit(file, before, &access, force)?);
            Ok(())
        }
    }
}

/// Asks for the export's URL, and waits for it: kcp makes one only when a first
/// workspace has bound the export.
async fn look_up(global: &Global, export: String, timeout: u64) -> Result<String, Failure> {
    let provider = super::connect(global).await?.cluster().map_err(Failure::input)?;
    let (patience, began) = (Duration::from_secs(timeout), Instant::now());
    loop {
        let found = endpoints::look_up(&provider, &export).await.map_err(|error| unknown(error, &export))?;
        match found.as_slice() {
            [address] => return Ok(address.url().to_owned()),
            [] if began.elapsed() < patience => tokio::time::sleep(PAUSE).await,
            [] => {
                let message = format!("the export `{export}` has no virtual workspace after {timeout} s");
                return Err(Failure::host(message).hint(
                    "kcp makes one when a first workspace binds the export: `croft bind` does; or wait longer with `--timeout`",
                ));
            }
            many => return Err(on_shards(many, &export)),
        }
    }
}

fn unknown(error: kcp::Error, export: &str) -> Failure {
    match error.code() {
        Some(404) => Failure::input(error).hint(format!(
            "is there an APIExport `{export}` in this workspace? name the provider's context with `--context`"
        )),
        _ => publish::unfinished(error.into()),
    }
}

fn on_shards(addresses: &[Address], export: &str) -> Failure {
    let urls: Vec<&str> = addresses.iter().map(Address::url).collect();
    let message = format!("the export `{export}` has a virtual workspace on each of {} shards", urls.len());
    Failure::input(message).hint(format!("choose one with `--url`: {}", urls.join(", ")))
}

fn say(name: &str, file: &Path, changed: bool) {
    match changed {
        true => report::note(&format!("the context `{name}` is in `{}` now", file.display())),
        false => report::note(&format!("the context `{name}` was in `{}` already", file.display())),
    }
}

fn refused(error: Error) -> Failure {
    let hint = error.hint();
    hint.into_iter().fold(Failure::new(error.blame(), error), Failure::hint)
}

/// The kubeconfig files in use, in the order in which they are asked.
struct Files(Vec<(PathBuf, Option<Value>)>);

impl Files {
    fn read(given: Option<&Path>) -> Result<Files, Failure> {
        let paths = match given {
            Some(path) => vec![path.to_owned()],
            None => usual_paths()?,
        };
        let read = |path: PathBuf| {
            let document = if path.exists() { Some(document(&path)?) } else { None };
            Ok::<_, Failure>((path, document))
        };
        let files = Files(paths.into_iter().map(read).collect::<Result<_, _>>()?);
        if files.0.iter().all(|(_, document)| document.is_none()) {
            let paths: Vec<String> = files.0.iter().map(|(path, _)| format!("`{}`", path.display())).collect();
            return Err(Failure::input(format!("there is no kubeconfig at {}", paths.join(" or ")))
                .hint("name one with `--kubeconfig` or in $KUBECONFIG"));
        }
        Ok(files)
    }

    /// All of them as one, with paths that hold from anywhere.
    fn merged(&self) -> Result<Value, Failure> {
        let rebased = self.0.iter().filter_map(|(path, document)| {
            let mut document = document.clone()?;
            let folder = path.canonicalize().unwrap_or_else(|_| path.clone());
            let folder = folder.parent().unwrap_or(Path::new("/")).to_owned();
            kubeconfig::rebase(&mut document, |file| folder.join(file).display().to_string());
            Some(document)
        });
        let rebased: Vec<Value> = rebased.collect();
        kubeconfig::merged(&rebased).map_err(refused)
    }

    /// The file to change: the one that has such a context or cluster, else, as
    /// kubectl does it, the first that exists.
    fn target(&self, name: &str) -> (&Path, &Value) {
        let existing = || self.0.iter().filter_map(|(path, document)| Some((path.as_path(), document.as_ref()?)));
        let has = |document: &Value| ["context", "cluster"].iter().any(|what| kubeconfig::has(document, what, name));
        let fallback = (Path::new(""), &Value::Null);
        existing().find(|(_, document)| has(document)).or_else(|| existing().next()).unwrap_or(fallback)
    }
}

fn usual_paths() -> Result<Vec<PathBuf>, Failure> {
    kcp::connection::usual_paths().ok_or_else(|| {
        Failure::input("there is no home folder to look for a kubeconfig in")
            .hint("name one with `--kubeconfig` or in $KUBECONFIG")
    })
}

/// What a kubeconfig file says; null if nothing.
fn document(path: &Path) -> Result<Value, Failure> {
    let name = path.display().to_string();
    let Source { mut documents, odd, .. } = Source::read(&name)?;
    // It is written back whole: what is read over would be lost.
    if let Some(flaw) = odd.into_iter().next() {
        return Err(yaml::Error::Refused(Box::new(flaw)).into());
    }
    match documents.len() {
        0 => Ok(Value::Null),
        1 => Ok(documents.remove(0).value),
        _ => Err(Failure::input(format!("`{name}` holds several documents; a kubeconfig is one"))),
    }
}

/// Changes a file if need be; tells whether it did. The file is replaced in one
/// step, so that nobody ever reads half of it.
fn edit(path: &Path, before: &Value, access: &Access, force: bool) -> Result<bool, Failure> {
    let Some(after) = kubeconfig::with_context(before, access, force).map_err(refused)? else { return Ok(false) };
    // A symbolic link stays one; what it points at is replaced.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let _lock = Lock::take(&real)?;
    if real.exists() && document(&real)? != *before {
        let message = format!("`{}` was changed by another program meanwhile", path.display());
        return Err(Failure::host(message).hint("try again"));
    }
    replace(&real, &yaml::print(&[after]))
        .with_context(|| format!("cannot write `{}`", path.display()))
        .map_err(Failure::host)?;
    Ok(true)
}

fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // A temporary file is its owner's alone, as a new kubeconfig has to be.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(text.as_bytes())?;
    if let Ok(known) = fs::metadata(path) {
        file.as_file().set_permissions(known.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

/// The lock that kubectl takes on a kubeconfig: a file beside it.
struct Lock(PathBuf);

impl Lock {
    fn take(path: &Path) -> Result<Lock, Failure> {
        let mut name = path.as_os_str().to_owned();
        name.push(".lock");
        let lock = PathBuf::from(name);
        let made: io::Result<File> = OpenOptions::new().write(true).create_new(true).open(&lock);
        match made {
            Ok(_) => Ok(Lock(lock)),
            Err(error) => {
                let in_use = error.kind() == io::ErrorKind::AlreadyExists;
                let context = format!("cannot lock the kubeconfig with `{}`", lock.display());
                let failure = Failure::host(anyhow::Error::new(error).context(context));
                Err(if in_use {
                    failure.hint("another program is changing it; if none is, remove that file")
                } else {
                    failure
                })
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::warn!("cannot remove `{}`: {error}", self.0.display());
        }
    }
}
