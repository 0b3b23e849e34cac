//! `croft adopt`: takes instances over from kro, with their children, and gives
//! them back.
//!
//! Which writes that takes is `host_core::adopt`'s business; here is what they are
//! worked out from, and how they are sent.

mod outcome;
mod settle;
pub(super) mod workspace;

use std::collections::{BTreeMap, BTreeSet};

use contract::Scope;
use serde_json::Value;

use super::{
    Global,
    definition::{self, Definition},
    output,
};
use host_core::{
    adopt::{self, Kro, Plan, Rendered, Seen},
    inventory,
    object::{self, Target},
};

use crate::report::{self, Failure};
use outcome::{Format, Outcome};
use settle::Settled;
use workspace::Workspace;

/// Take instances over from kro with their children, or give them back
///
/// Works in the workspace that the context points at, where the instances and
/// their children are. Says what would happen and changes nothing, unless
/// `--apply` is given. No object is created or deleted either way: labels,
/// annotations, finalizers and the ownership of fields change hands. It can be
/// interrupted and started again at any point.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The file with the definition that croft runs; `-` is stdin
    #[arg(short, long, value_name = "FILE")]
    filename: String,
    /// The namespace of the instances [default: default]
    #[arg(short, long, value_name = "NAME", conflicts_with = "all_namespaces")]
    namespace: Option<String>,
    /// The instances of all namespaces
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only the instance of this name
    #[arg(long, value_name = "NAME")]
    instance: Option<String>,
    /// Write what would be written; without it nothing is changed
    #[arg(long)]
    apply: bool,
    /// Say that kro does not run any more, so that it need not be asked to leave the instances alone
    #[arg(long, conflicts_with = "undo")]
    kro_is_stopped: bool,
    /// Give instances back to kro
    #[arg(long)]
    undo: bool,
    /// Say that `croft run` does not serve this definition any more
    #[arg(long, requires = "undo")]
    croft_is_stopped: bool,
    /// Give back to kro v0.1, where the ResourceGroup has this uid [default: to kro v0.9]
    #[arg(long, value_name = "UID", requires = "undo")]
    resource_group_uid: Option<String>,
    #[command(flatten)]
    chosen: definition::Chosen,
    #[command(flatten)]
    schemas: definition::Schemas,
    /// How to print what becomes of each object
    #[arg(short, long, value_enum, default_value_t = Format::Text, value_name = "FORMAT")]
    output: Format,
}

const EXAMPLES: &str = "\
Examples:
  # what would become of every instance
  croft adopt -f definition.yaml --context team-1 -A
  # take one over, which kro was asked to leave alone
  kubectl annotate greetings.kro.run for-ada kro.run/reconcile=suspended
  croft adopt -f definition.yaml --context team-1 --instance for-ada --apply
  # take all of them over, once kro is stopped
  croft adopt -f definition.yaml --context team-1 -A --kro-is-stopped --apply
  # give them back, once `croft run` is stopped
  croft adopt -f definition.yaml --context team-1 -A --undo --croft-is-stopped --apply";

/// Attempts at one instance that somebody else writes to at the same time.
const ATTEMPTS: usize = 5;
/// Plans for one instance in one attempt: three that have something to send, one
/// that has not, and as many again for a server that is slow to show its work.
const ROUNDS: usize = 8;

/// Which way instances go.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Take,
    GiveBack(Kro),
}

pub(super) fn run(global: &Global, args: Args) -> Result<(), Failure> {
    let Args {
        filename,
        namespace,
        all_namespaces,
        instance,
        apply,
        kro_is_stopped,
        undo,
        croft_is_stopped,
        resource_group_uid,
        chosen,
        schemas,
        output,
    } = args;
    let definition = definition::load_one(&filename, &chosen, &schemas)?;
    let way = match (undo, resource_group_uid) {
        (false, _) => Way::Take,
        (true, None) => Way::GiveBack(Kro::V09),
        (true, Some(resource_group)) => Way::GiveBack(Kro::V01 { resource_group }),
    };
    let namespace = match (all_namespaces, definition.prepared.blueprint.api.scope) {
        (false, Scope::Namespaced) => namespace.unwrap_or_else(|| "default".to_owned()),
        (true, _) | (_, Scope::Cluster) => String::new(),
    };
    let stopped = kro_is_stopped || croft_is_stopped;
    let work = Work { definition: &definition, way, apply };
    super::block_on(work.run(global, &namespace, instance.as_deref(), stopped, output))
}

/// What was asked for.
struct Work<'a> {
    definition: &'a Definition,
    way: Way,
    apply: bool,
}

/// One instance, what there is of it, and what croft would make of it.
struct State {
    instance: Value,
    live: BTreeMap<Target, Value>,
    settled: Option<Settled>,
}

/// Why a plan was not carried out to its end.
enum Stop {
    /// Somebody else wrote to one of the objects.
    Stale,
    Failed(Failure),
}

impl Work<'_> {
    async fn run(
        &self,
        global: &Global,
        namespace: &str,
        name: Option<&str>,
        stopped: bool,
        format: Format,
    ) -> Result<(), Failure> {
        let blueprint = &self.definition.prepared.blueprint;
        let mut workspace = Workspace::open(global, blueprint).await?;
        let instances = workspace.instances(&blueprint.api, namespace, name).await?;
        if let (true, Some(name)) = (instances.is_empty(), name) {
            let message = format!("there is no {} `{name}` here", blueprint.api.kind);
            return Err(Failure::input(message).hint("name its namespace with `--namespace`, or look in all with `-A`"));
        }
        if instances.is_empty() {
            report::note(&format!(
                "there are no instances of {} here; `-A` looks in all namespaces",
                blueprint.api.kind
            ));
        }
        match (self.may_be_at_work(&instances, stopped), self.apply) {
            (Some(failure), true) => return Err(failure),
            (Some(_), false) => report::note(&self.before_applying()),
            (None, _) => {}
        }
        let children = workspace.children(blueprint, &instances).await?;
        let (mut outcomes, mut failed, count) = (Vec::new(), 0, instances.len());
        for instance in instances {
            let name = outcome::name(&instance);
            match self.one(&workspace, instance, &children).await {
                Ok(outcome) => outcomes.push(outcome),
                // One that is bad keeps no other from being looked at.
                Err(failure) => {
                    failed += 1;
                    report::note(&format!("{name} is left alone: {}", failure.in_a_line()));
                }
            }
        }
        output::text(&outcome::text(&outcomes, &self.way, self.apply, format))?;
        let failure = (failed > 0).then(|| {
            Failure::input(format!("{failed} of {count} instances are left alone; a line above says of each why"))
                .hint("put them right and run the same command again: what is done stays done")
        });
        match failure.or_else(|| self.left_alone(&outcomes)) {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    /// Why the writes would be undone at once, as far as anybody can tell.
    fn may_be_at_work(&self, instances: &[Value], stopped: bool) -> Option<Failure> {
        if stopped {
            return None;
        }
        let is_kros = |instance: &&Value| adopt::is_managed(instance) && !adopt::is_suspended(instance);
        match &self.way {
            Way::Take => instances.iter().find(is_kros).map(|instance| {
                let message = format!(
                    "kro may be at work on {}, and would put its marks back while croft takes them off",
                    outcome::name(instance)
                );
                Failure::input(message).hint(self.before_applying())
            }),
            Way::GiveBack(_) => (!instances.is_empty()).then(|| {
                let message = "`croft run` may be at work, and would take back at once what is given back";
                Failure::input(message).hint(self.before_applying())
            }),
        }
    }

    fn before_applying(&self) -> String {
        match self.way {
            Way::Take => format!(
                "before `--apply`, stop kro and say so with `--kro-is-stopped`, or have kro v0.9 leave the instances \
                 alone with the annotation `{}: suspended`",
                adopt::SUSPEND_ANNOTATION
            ),
            Way::GiveBack(_) => {
                "before `--apply`, stop the host of this definition and say so with `--croft-is-stopped`".to_owned()
            }
        }
    }

    fn left_alone(&self, outcomes: &[Outcome]) -> Option<Failure> {
        let held = outcomes.iter().filter(|outcome| !outcome.plan.held.is_empty()).count();
        let message = format!("{held} of {} instances cannot change hands yet; each says why", outcomes.len());
        (self.apply && held > 0).then(|| Failure::input(message).hint("run the same command again later"))
    }

    async fn one(
        &self,
        workspace: &Workspace,
        instance: Value,
        children: &BTreeMap<Target, Value>,
    ) -> Result<Outcome, Failure> {
        let own = children.iter().filter(|(_, child)| adopt::concerns(&instance, child));
        let live = own.map(|(target, child)| (target.clone(), child.clone())).collect();
        let mut state = State { instance, live, settled: None };
        let name = outcome::name(&state.instance);
        let mut sent = 0;
        for _ in 0..ATTEMPTS {
            self.complete(workspace, &mut state).await?;
            let plan = self.plan(&state);
            if !self.apply {
                return Ok(Outcome { name, plan, sent });
            }
            match self.carry_out(workspace, &mut state, &mut sent).await {
                Ok(()) => return Ok(Outcome { name, plan, sent }),
                Err(Stop::Failed(failure)) => return Err(failure),
                Err(Stop::Stale) => state = again(workspace, state).await?,
            }
        }
        Err(Failure::host(format!("somebody else keeps writing to {name} or its children"))
            .hint("what is done stays done; run the same command again"))
    }

    /// Asks for what the plan needs besides the children that labels tell of.
    async fn complete(&self, workspace: &Workspace, state: &mut State) -> Result<(), Failure> {
        let State { instance, live, settled } = state;
        match self.way {
            Way::Take => *settled = Some(settle::settle(workspace, self.definition, instance, live).await?),
            Way::GiveBack(_) => {
                for target in inventory::recorded(instance).filter_map(Target::of_record) {
                    if live.contains_key(&target) {
                        continue;
                    }
                    if let Some(object) = workspace.get(&target).await? {
                        live.insert(target, object);
                    }
                }
            }
        }
        Ok(())
    }

    fn plan(&self, state: &State) -> Plan {
        let seen = Seen { instance: &state.instance, live: &state.live };
        match (&self.way, &state.settled) {
            (Way::GiveBack(kro), _) => adopt::give_back(&seen, kro),
            (Way::Take, Some(Settled { children, blocked })) => {
                let blueprint = &self.definition.prepared.blueprint;
                adopt::take(&seen, &Rendered { blueprint, children, blocked })
            }
            (Way::Take, None) => Plan::default(),
        }
    }

    /// Sends the writes in their order. A second write to the same object is
    /// planned anew, since it has to name the version that the first one made.
    async fn carry_out(&self, workspace: &Workspace, state: &mut State, sent: &mut usize) -> Result<(), Stop> {
        let own = Target::of(&state.instance);
        for _ in 0..ROUNDS {
            let plan = self.plan(state);
            if plan.writes.is_empty() {
                return Ok(());
            }
            let mut written = BTreeSet::new();
            for write in &plan.writes {
                if !written.insert(&write.target) {
                    break;
                }
                let object = workspace.send(write).await.map_err(stop)?;
                *sent += 1;
                if own.as_ref() == Some(&write.target) {
                    state.instance = object;
                } else {
                    state.live.insert(write.target.clone(), object);
                }
            }
        }
        let message = format!("the server does not keep what is written to {}", outcome::name(&state.instance));
        Err(Stop::Failed(Failure::host(message)))
    }
}

fn stop(error: kcp::Error) -> Stop {
    match error.code() {
        Some(404 | 409) => Stop::Stale,
        _ => Stop::Failed(workspace::refused(error)),
    }
}

/// Everything as it is by now.
async fn again(workspace: &Workspace, state: State) -> Result<State, Failure> {
    let name = outcome::name(&state.instance);
    let target = Target::of(&state.instance);
    let instance = match &target {
        Some(target) => workspace.get(target).await?,
        None => None,
    };
    let instance = instance.filter(|instance| object::uid(instance) == object::uid(&state.instance));
    let instance = instance.ok_or_else(|| Failure::input(format!("{name} was deleted meanwhile")))?;
    let mut live = BTreeMap::new();
    for target in state.live.into_keys() {
        if let Some(object) = workspace.get(&target).await? {
            live.insert(target, object);
        }
    }
    Ok(State { instance, live, settled: None })
}
