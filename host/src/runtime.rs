//! The long-running host: connects to an export's virtual workspace, keeps the
//! caches filled, and has workers pass over instances.
//!
//! It moves events; what they mean is decided in `pass` and below.

mod definitions;
mod events;
mod export;
mod finder;
mod lease;
mod leftovers;
pub mod queue;
mod watches;

use std::{
    path::PathBuf,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use contract::Gvk;
use tokio::{
    sync::{Notify, mpsc, watch},
    task::JoinSet,
};
use tracing::Instrument;

use self::{
    definitions::{Definitions, News},
    finder::Finder,
    lease::Term,
    queue::Queue,
    watches::Watches,
};
use host_core::{
    definition::DefinitionKind,
    fault::Fault,
    name::{Digest, LogicalCluster},
};
use kcp::{
    Cluster, Connection, ObjectKey, Store, VirtualWorkspace, connection, lease::Lease, store::Keep,
    virtual_workspace::Address, watch::pause,
};
use registry::Shelf;
use sandbox::{Limits, Sandbox};

use crate::{
    gate::Gate,
    modules::Modules,
    pass::{
        Ended, Next, reconcile,
        world::{Memory, World},
    },
};

/// The first pause after a failed pass; it doubles.
const FIRST_RETRY: Duration = Duration::from_millis(250);
/// The longest: a tenant whose platform trouble is over waits at most this
/// long.
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// How long passes under way may take to end once the host is asked to stop:
/// below the 30 s after which Kubernetes kills a process.
const GRACE: Duration = Duration::from_secs(20);

/// Instances by place, one line a logical cluster of each API, each with the module
/// that runs it.
type Instances = Queue<LogicalCluster, ObjectKey, Gvk, Option<Digest>>;

/// Where the definitions and the virtual workspace are.
pub enum Source {
    /// A context that points at a virtual workspace: definitions are read
    /// through it (the shared layout).
    VirtualWorkspace {
        /// The credentials.
        connection: Connection,
        /// The virtual workspace.
        address: Address,
    },
    /// A provider's workspace: definitions are a CRD there, and the export's
    /// endpoint slice tells where its virtual workspace is (the split layout).
    Export {
        /// The credentials and the workspace.
        connection: Connection,
        /// The export's name.
        export: String,
    },
}

/// How to run.
pub struct Options {
    /// Where to work.
    pub source: Source,
    /// Passes at the same time.
    pub workers: usize,
    /// The folder below which `file:` modules are looked for; none are allowed
    /// without it.
    pub modules: Option<PathBuf>,
    /// Whether definitions in consumers' workspaces are taken.
    pub consumer_definitions: bool,
    /// Where compiled modules are kept.
    pub artifacts: Option<PathBuf>,
    /// How many bytes of them.
    pub artifacts_bytes: u64,
    /// Where modules of registries come from.
    pub shelf: Shelf,
    /// Which modules may run.
    pub gate: Gate,
    /// Whether to run although another host works on the export.
    pub beside_others: bool,
}

/// Why the host did not start, or stopped by itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No client.
    #[error(transparent)]
    Connection(#[from] connection::Error),
    /// The server refused what the host cannot do without.
    #[error("cannot read the definitions")]
    Definitions {
        /// The refusal.
        #[source]
        source: kcp::Error,
        /// What to do about it.
        hint: &'static str,
    },
    /// There is a host already.
    #[error("another host works on this export: {holder}")]
    AnotherHost {
        /// Its machine and process.
        holder: String,
    },
    /// The sandbox does not start.
    #[error(transparent)]
    Sandbox(#[from] sandbox::Error),
}

/// What all tasks of the host share.
struct Host {
    world: Arc<World>,
    queue: Arc<Instances>,
    modules: Modules,
    connection: Connection,
    /// Where definitions are written back to in the split layout.
    provider: Option<Cluster>,
    /// The export whose definitions are taken, in the split layout.
    export: Option<String>,
    consumer_definitions: bool,
    /// To the task that deals with definitions.
    news: mpsc::UnboundedSender<News>,
    /// To the tasks that look kinds up.
    finder: Finder,
    /// How long it is the host of the export.
    term: Term,
    /// Tells whoever deals with what is left of definitions that there may be more.
    leftovers: Notify,
    /// Tells whoever keeps the export that there may be fewer instances.
    instances: Notify,
    /// The export, in the split layout.
    exports: Arc<Store>,
    /// Whether its endpoints are known.
    endpoints: AtomicBool,
}

/// Runs until `shutdown` ends.
///
/// # Errors
/// The host cannot start: no client, no sandbox, or the server refuses to show
/// the definitions. Once running it goes on through any trouble.
pub async fn run(options: Options, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let Options {
        source,
        workers,
        modules,
        consumer_definitions,
        artifacts,
        artifacts_bytes,
        shelf,
        gate,
        beside_others,
    } = options;
    let sandbox = Sandbox::new(Limits { artifacts: artifacts_bytes, ..Limits::default() }, artifacts)?;
    let lease_in = |workspace: Cluster, export: &str| Lease::new(workspace, export, lease::identity(), lease::DURATION);
    let (connection, provider, shard, export, lease) = match source {
        Source::VirtualWorkspace { connection, address } => {
            let lease = lease_in(connection.cluster_at(&address.home())?, address.export());
            let shard = VirtualWorkspace::open(&connection, address)?;
            (connection, None, Some(shard), None, lease)
        }
        Source::Export { connection, export } => {
            let provider = connection.cluster()?;
            let lease = lease_in(provider.clone(), &export);
            (connection, Some(provider), None, Some(export), lease)
        }
    };
    let home = provider.clone().or_else(|| shard.as_ref().map(VirtualWorkspace::all)).expect("one of the two is there");
    preflight(&home, export.as_deref()).await?;
    let mut tasks = JoinSet::new();
    let following = connection.clone();
    tasks.spawn(async move { following.follow().await });
    let mut shutdown = std::pin::pin!(shutdown);
    let (mut held, until) = match beside_others {
        true => (None, None),
        false => tokio::select! {
            taken = lease::acquire(&lease) => taken?.unzip(),
            () = &mut shutdown => return Ok(()),
        },
    };
    let (changed, definitions) = mpsc::unbounded_channel();
    let workers = workers.max(1);
    let world = Arc::new(World::default());
    let running = Arc::clone(&world);
    let module = move |instance: &ObjectKey| running.serving(instance).map(|serving| serving.module.digest().clone());
    let served = Arc::clone(&world);
    let several = move || served.has_several_modules();
    let host = Arc::new(Host {
        world,
        queue: Arc::new(Instances::new(workers, |instance| instance.target.kind.clone(), module, several)),
        modules: Modules::new(sandbox, modules, shelf, gate),
        connection,
        provider,
        export: export.clone(),
        consumer_definitions,
        news: changed.clone(),
        finder: Finder::new(),
        term: Term::new(until),
        leftovers: Notify::new(),
        instances: Notify::new(),
        exports: Arc::new(Store::new(Keep::Whole)),
        endpoints: AtomicBool::new(false),
    });
    let listener = Arc::downgrade(&host);
    host.world.listen(move |change| {
        if let Some(host) = listener.upgrade() {
            host.child_changed(change);
        }
    });
    let watches = Arc::new(Watches::new(Arc::clone(&host)));
    match (shard, export) {
        (Some(shard), _) => watches.add_shard(shard),
        (None, Some(export)) => watches.follow(export),
        (None, None) => unreachable!("a source is one of the two"),
    }
    let known = watches.definitions(&home, &changed);
    tasks.spawn(Definitions::new(Arc::clone(&host), Arc::clone(&watches), known).run(definitions));
    for _ in 0..finder::AT_ONCE {
        tasks.spawn(finder::run(Arc::clone(&host), Arc::clone(&watches)));
    }
    tasks.spawn(leftovers::run(Arc::clone(&host), Arc::clone(&watches)));
    tasks.spawn(export::keep(Arc::clone(&host), Arc::clone(&watches)));
    let (stop, stopped) = watch::channel(false);
    let mut passes = JoinSet::new();
    for _ in 0..workers {
        passes.spawn(work(Arc::clone(&host), stopped.clone()));
    }
    tracing::info!(workers, "running");
    let kept = async {
        match &mut held {
            Some(held) => lease::keep(&lease, held, &host.term).await,
            None => std::future::pending().await,
        }
    };
    let outcome = tokio::select! {
        () = &mut shutdown => Ok(()),
        lost = kept => Err(lost),
    };
    tracing::info!("stopping");
    stop.send_replace(true);
    let ended = async { while passes.join_next().await.is_some() {} };
    // Where another host has the Lease there is no time to end anything.
    let grace = if outcome.is_ok() { GRACE } else { Duration::ZERO };
    if tokio::time::timeout(grace, ended).await.is_err() {
        tracing::warn!("passes were still under way; the next start takes them up");
    }
    if let (Ok(()), Some(held)) = (&outcome, held)
        && let Err(error) = lease.give_back(&held).await
    {
        tracing::warn!(error = told(&error), "cannot give the lease back; it ends by itself");
    }
    outcome
}

/// Reads the definitions once, so that wrong credentials and wrong contexts are
/// told at once rather than retried for ever. One kind of them is enough.
async fn preflight(home: &Cluster, export: Option<&str>) -> Result<(), Error> {
    let mut refused = None;
    for kind in DefinitionKind::ALL {
        match home.read(&format!("/apis/{}/{}?limit=1", kind.gvk().api_version(), kind.plural())).await {
            Ok(_) => {
                refused = None;
                break;
            }
            // That a kind is not served says less than any other trouble.
            Err(error) if refused.is_none() || error.code() != Some(404) => refused = Some(error),
            Err(_) => {}
        }
    }
    if let (None, Some(export)) = (&refused, export) {
        refused = home.read(&format!("/apis/apis.kcp.io/v1alpha2/apiexports/{export}")).await.err();
    }
    let Some(source) = refused else { return Ok(()) };
    let hint = match (source.code(), export.is_some()) {
        (Some(401), _) => "the credentials of this context are not accepted; fetch new ones",
        (Some(403), _) => "ask for the rights that `croft publish` lists as a ClusterRole",
        (Some(404), true) => {
            "the workspace has no definitions of any kind, or no such export; run `croft publish --apply` there first"
        }
        (Some(404), false) => {
            "the export serves no definitions of any kind; with the split layout run `croft run --export NAME` in \
             the provider's workspace"
        }
        _ => "is kcp running, and is the server of the context right?",
    };
    Err(Error::Definitions { source, hint })
}

/// Takes one instance after the other until told to stop.
async fn work(host: Arc<Host>, mut stopped: watch::Receiver<bool>) {
    loop {
        let key = tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            key = host.queue.next() => key,
        };
        tokio::select! {
            biased;
            _ = stopped.wait_for(|stopped| *stopped) => return,
            () = host.term.lasts() => {}
        }
        let span = tracing::info_span!(
            "reconcile",
            cluster = %key.cluster,
            group = %key.target.kind,
            instance = format!("{}/{}", key.target.namespace, key.target.name),
        );
        let Ended { next, written, overtaken } = guarded(&host, &key).instrument(span).await;
        let delay = || pause(host.world.memory(&key).attempts, FIRST_RETRY, LONGEST_RETRY);
        match next {
            Next::Wait => {}
            Next::Later => {
                let longest = pause(u32::MAX, LONGEST_RETRY, LONGEST_RETRY);
                host.queue.add_after(key.cluster.clone(), key.clone(), longest);
            }
            Next::Again => host.queue.add(key.cluster.clone(), key.clone()),
            Next::Retry => host.queue.add_after(key.cluster.clone(), key.clone(), delay()),
            Next::Hold => host.queue.hold(key.cluster.clone(), key.clone(), delay()),
        }
        if overtaken {
            host.queue.add(key.cluster.clone(), key.clone());
        }
        host.queue.done(&key, &written);
    }
}

/// A pass in a task of its own, so that a bug that panics costs one instance a
/// retry and not the host a worker.
async fn guarded(host: &Arc<Host>, key: &ObjectKey) -> Ended {
    let (passing, instance) = (Arc::clone(host), key.clone());
    let pass = async move { reconcile(&passing.world, &instance, &|| !passing.term.is_over()).await };
    match tokio::spawn(pass.in_current_span()).await {
        Ok(ended) => ended,
        Err(error) => {
            tracing::error!(%error, "the pass ended by a bug in croft");
            // The pass did not come to count itself.
            let memory = host.world.memory(key);
            let attempts = memory.attempts.saturating_add(1);
            host.world.remember(key, Memory { attempts, ..memory });
            Ended { next: Next::Retry, ..Ended::default() }
        }
    }
}

impl Error {
    /// Advice for people.
    pub fn hint(&self) -> Option<&str> {
        match self {
            Error::Definitions { hint, .. } => Some(hint),
            Error::AnotherHost { .. } => {
                Some("stop that one first, or run beside it with `--no-lease`: both would do all of the work")
            }
            Error::Connection(_) | Error::Sandbox(_) => None,
        }
    }
}

/// A fault in one line, for the log.
fn told(error: &dyn Fault) -> String {
    format!("{} ({}): {}", error.reason(), error.blame(), host_core::status::chain(error))
}
