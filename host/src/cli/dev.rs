//! `croft dev`: builds, checks and renders a project whenever a file of it is
//! saved, and shows what changed.
//!
//! What a round does is in `round`, what a server says in `live`, which files are
//! looked at in `watch`.

mod live;
mod round;
mod watch;

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use super::{
    Global,
    definition::{Chosen, Schemas},
    module::{build, language::Language},
};
use crate::report::{self, Failure, Look};
use live::Live;
use round::State;
use watch::{Change, Watch};

/// Watch a project: build, check and render it whenever a file is saved
///
/// Renders every instance in the project's folder, and every fixture, and shows
/// what a change of a file changes in them. The source code of a module is built
/// first. Passes are played to their end, as `croft render --converge` does, and
/// no server is asked.
///
/// With `--context` or `--kubeconfig` the instances are compared with what is live
/// in the workspace of the context: what a host would create, change and delete
/// there. Nothing is written.
///
/// Ends with Ctrl-C.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The project's folder, or files with definitions and instances
    #[arg(value_name = "PATH", default_value = ".")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    chosen: Chosen,
    /// Leave the source code of the module alone
    #[arg(long)]
    no_build: bool,
    #[command(flatten)]
    schemas: Schemas,
}

const EXAMPLES: &str = "\
Examples:
  # the project in this folder
  croft dev
  # a definition in the language of kro, with an instance
  croft dev definition.yaml instance.yaml
  # what would change for the instances that are there
  croft dev --context team-1";

/// Changes of an editor come together: it writes a file beside, renames it, and
/// touches the folder. Well under what a reader notices.
const TOGETHER: Duration = Duration::from_millis(15);

/// How long changes that go on and on are gathered.
const AT_MOST: Duration = Duration::from_millis(90);

pub(super) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let Args { paths, chosen, no_build, schemas } = args;
    let mut project = Project::new(paths, chosen, no_build, schemas)?;
    let is_live = global.context.is_some() || global.kubeconfig.is_some();
    let mut live = is_live.then(|| Live::new(global)).transpose()?;
    let mut watch = Watch::start()?;
    let mut before: Option<State> = None;
    let mut change = Change::first();
    loop {
        let saved = Instant::now();
        // What is saved from now on, also while the module is built, is another change.
        watch.look_at(&project.folders())?;
        if project.is_to_build(&change) {
            project.build();
        }
        let started = if change.sources { Instant::now() } else { saved };
        let now = project.round(live.as_mut());
        eprint!("{}", now.told(before.as_ref(), &change, Look::of_stderr()));
        report::note(&format!("{} in {} ms", now.summary(), started.elapsed().as_millis()));
        before = Some(now.or_keep(before));
        change = watch.next(TOGETHER, AT_MOST)?;
    }
}

/// What is watched and rendered.
struct Project {
    /// Folders and files as they were given.
    paths: Vec<PathBuf>,
    /// Where the source code of a module is, if there is any.
    source: Option<(PathBuf, Language)>,
    /// Which modules are used; one may be given by hand.
    chosen: Chosen,
    /// What the last build made, in a folder that goes with this process: it is built
    /// for speed, and takes nobody's place.
    built: Option<PathBuf>,
    scratch: tempfile::TempDir,
    schemas: Schemas,
    /// Why the last build failed.
    broken: Option<String>,
}

impl Project {
    fn new(paths: Vec<PathBuf>, chosen: Chosen, no_build: bool, schemas: Schemas) -> Result<Project, Failure> {
        if let Some(missing) = paths.iter().find(|path| !path.exists()) {
            let message = format!("there is no `{}`", missing.display());
            return Err(
                Failure::input(message).hint("name a project's folder, or files with definitions and instances")
            );
        }
        let folder = paths.iter().find(|path| path.is_dir());
        let builds = !no_build && chosen.module.is_none();
        let source = folder.filter(|_| builds).and_then(|folder| Some((folder.clone(), Language::of(folder).ok()?)));
        let scratch = tempfile::tempdir().map_err(Failure::host)?;
        Ok(Project { paths, source, chosen, built: None, scratch, schemas, broken: None })
    }

    fn is_to_build(&self, change: &Change) -> bool {
        change.sources && self.source.is_some()
    }

    /// Builds the module. One that does not build leaves the last one in its place.
    fn build(&mut self) {
        let Some((folder, language)) = &self.source else { return };
        report::note("building");
        let start = Instant::now();
        let file = self.scratch.path().join("module.wasm");
        match build::quickly(folder, *language, &file) {
            Ok(()) => {
                report::note(&format!("built in {:.1} s", start.elapsed().as_secs_f64()));
                (self.built, self.broken) = (Some(file), None);
            }
            Err(failure) => self.broken = Some(failure.render(Look::of_stderr())),
        }
    }

    /// What is used instead of what definitions name.
    fn chosen(&self) -> Chosen {
        let module = self.chosen.module.clone().or_else(|| self.built.clone());
        Chosen { module, ..self.chosen.clone() }
    }

    /// Where a change is looked for.
    fn folders(&self) -> watch::Folders {
        let module = self.chosen.module.iter().cloned();
        let schemas = self.schemas.files().iter().map(PathBuf::from);
        // Where others put the module that definitions name.
        let built = self.paths.iter().map(|path| path.join("build"));
        let built = built.filter(|folder| self.source.is_none() && folder.is_dir());
        watch::Folders::of(self.paths.iter().cloned().chain(module).chain(schemas).chain(built))
    }

    fn round(&self, live: Option<&mut Live>) -> State {
        if let Some(broken) = &self.broken {
            return State::broken(broken.clone());
        }
        round::play(&self.paths, &self.chosen(), &self.schemas, live)
    }
}
