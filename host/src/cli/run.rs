//! `croft run`: the operator.

use std::path::{Path, PathBuf};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    Global,
    supply::{self, Policy, Supply},
};
use kcp::{Connection, connection, virtual_workspace::Address};

use crate::{
    report::Failure,
    runtime::{self, Options, Source},
};

/// Run the host: render and apply the children of every instance
///
/// Connects in one of two ways. With a context that points at an export's
/// virtual workspace (`croft kubeconfig` writes one) the definitions are read
/// through it: the shared layout. With `--export` and a context of the
/// provider's workspace the definitions are read there, and the virtual
/// workspace is found through the APIExportEndpointSlice: the split layout.
///
/// Ends cleanly on SIGTERM and SIGINT. All that it needs to know is in kcp: it
/// can be killed and started again at any time.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The APIExport in the workspace of the context
    #[arg(long, value_name = "NAME")]
    export: Option<String>,
    /// Passes over instances at the same time
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    workers: u16,
    /// Let definitions name modules in files below this folder, for development
    #[arg(long, value_name = "DIR")]
    modules: Option<PathBuf>,
    /// Take definitions in consumers' workspaces too, each for its own workspace
    #[arg(long)]
    allow_consumer_definitions: bool,
    /// Where modules are kept, compiled and as they were pulled [default: the user's cache folder]
    #[arg(long, value_name = "DIR", env = "CROFT_CACHE")]
    cache: Option<PathBuf>,
    /// How many MiB of either are kept, but for those that are in force
    #[arg(long, value_name = "MIB", default_value_t = supply::CACHE_MIB)]
    cache_size: u64,
    #[command(flatten)]
    policy: Policy,
    #[command(flatten)]
    supply: Supply,
    /// Run although another host may work on the export
    ///
    /// A host holds the Lease `croft.EXPORT` in the provider's workspace, and a second
    /// one is refused as long as it is renewed. With this nobody is asked, and nobody
    /// is told.
    #[arg(long)]
    no_lease: bool,
}

const EXAMPLES: &str = "\
Examples:
  # the shared layout, through the context that `croft kubeconfig` wrote
  croft run --context kro-vw
  # the split layout, from the provider's workspace
  croft run --context provider-team --export greetings.kro.run
  # with modules from files
  croft run --context provider-team --export greetings.kro.run --modules target/modules";

pub(super) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let Args { export, workers, modules, allow_consumer_definitions, cache, cache_size, policy, supply, no_lease } =
        args;
    let cache = cache.or_else(super::definition::cache_folder);
    let shelf = supply.shelf(cache.clone(), cache_size)?;
    let gate = policy.gate()?;
    super::block_on(async {
        if let Some(folder) = &modules {
            is_folder(folder)?;
        }
        // First of all: asked to stop while it starts, the host stops in order.
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::host)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::host)?;
        let connection = super::connect(global).await?;
        let options = Options {
            source: source(connection, export)?,
            workers: workers.into(),
            modules,
            consumer_definitions: allow_consumer_definitions,
            artifacts: cache.map(|folder| folder.join("compiled")),
            artifacts_bytes: cache_size << 20,
            shelf,
            gate,
            beside_others: no_lease,
        };
        let shutdown = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        runtime::run(options, shutdown).await.map_err(|error| {
            let hint = error.hint().map(str::to_owned);
            hint.into_iter().fold(Failure::host(error), Failure::hint)
        })
    })
}

/// Refuses at once what would fail every definition later.
fn is_folder(folder: &Path) -> Result<(), Failure> {
    let failure = |cause: String| {
        Failure::input(format!("cannot take modules from `{}`: {cause}", folder.display()))
            .hint("`--modules` names a folder that holds the files that definitions name, such as `kro.wasm`")
    };
    match std::fs::metadata(folder) {
        Ok(found) if found.is_dir() => Ok(()),
        Ok(_) => Err(failure("it is not a folder".to_owned())),
        Err(error) => Err(failure(error.to_string())),
    }
}

fn source(connection: Connection, export: Option<String>) -> Result<Source, Failure> {
    let address = Address::parse(&connection.server());
    match (export, address) {
        (Some(export), Err(_)) => Ok(Source::Export { connection, export }),
        (None, Ok(address)) => Ok(Source::VirtualWorkspace { connection, address }),
        (Some(_), Ok(_)) => Err(Failure::input(format!(
            "the context `{}` points at a virtual workspace, and `--export` wants the provider's own workspace",
            connection.context()
        ))
        .hint("leave `--export` out, or name the context of the provider's workspace")),
        (None, Err(error)) => {
            let context = connection.context().to_owned();
            Err(Failure::input(anyhow::Error::new(error).context(format!("cannot run with the context `{context}`")))
                .hint("name the export with `--export`, or make the context with `croft kubeconfig`"))
        }
    }
}

/// A kubeconfig that cannot be used is the caller's to mend.
pub(super) fn refused(error: connection::Error) -> Failure {
    Failure::input(error)
}
