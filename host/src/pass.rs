//! One pass over one instance: observe, render, admit, plan, apply, record.
//!
//! The steps that decide are functions of values in other modules; here is
//! their order, and what is done with their answers.

pub mod apply;
mod behind;
mod deletion;
mod doubt;
mod fetch;
mod record;
mod sight;
mod verdict;
pub mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use contract::{Gvk, Observed, Rendering, shape};
use host_core::{
    claims::Claims,
    defaults,
    fault::Fault,
    inventory::Shown,
    kinds::{self, Kinds},
    object::{self, Owner, Target},
    plan::{self, Action, Conflict, Plan, Sent},
    policy::{self, Admitted, Rules},
    receipt::{self, Receipt},
    status::{Stage, Verdict},
};
use kcp::{Cluster, ObjectKey};
use sandbox::LogLine;
use serde_json::{Map, Value, json};

use self::{
    apply::Done,
    verdict::{after, gone_definition, refusal},
    world::{Given, Memory, Rounds, Serving, World},
};

/// What is to be done about an instance after a pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Next {
    /// Nothing, until something changes.
    #[default]
    Wait,
    /// Another pass, after the longest pause: trying again may help, and nothing
    /// says when.
    Later,
    /// Another pass as soon as others had their turn: this one was long.
    Again,
    /// Another pass, after a pause that grows with the attempts.
    Retry,
    /// The same, and no pass before, whatever happens: what happens is the
    /// pass's own doing.
    Hold,
}

/// What became of a pass.
#[derive(Debug, Default)]
pub struct Ended {
    /// What is to be done.
    pub next: Next,
    /// The versions of objects that the pass has written: their events are its
    /// own doing.
    pub written: BTreeSet<String>,
    /// Whether an answer told of a change that the pass has not looked at and
    /// that may have no event of its own any more.
    pub overtaken: bool,
}

/// So many rounds are one turn. Nearly every definition settles in fewer; one of
/// hundreds of nodes that wait for each other takes more turns.
const ROUNDS_OF_A_TURN: usize = 16;
/// So much fuel is one turn, the renders of it taken together: what a single render
/// may take.
const FUEL_OF_A_TURN: u64 = sandbox::RENDER_FUEL;

/// Whether this host may still write. It stops being so when another one may.
pub type MayWrite<'a> = &'a (dyn Fn() -> bool + Sync);

/// Passes over one instance, and begins no request for it once `may_write` does not hold.
pub async fn reconcile(world: &World, key: &ObjectKey, may_write: MayWrite<'_>) -> Ended {
    let nothing = Ended::default();
    let Some(instance) = world.instances.get(key) else {
        world.forget(key);
        return nothing;
    };
    // Without a definition nobody knows what the instance is made of; without
    // its binding, what the consumer allows. Both arrive as events.
    let (Some(serving), Some(claims)) = (world.serving(key), world.claims(&key.cluster)) else { return nothing };
    let Some(cluster) = world.cluster(&key.cluster) else { return nothing };
    let memory = world.memory(key);
    let owner = policy::owner(&serving.prepared.blueprint, &instance);
    let extended = world.extended(&serving, key);
    let mut pass = Pass {
        world,
        key,
        may_write,
        cluster,
        extended,
        serving,
        claims,
        instance,
        memory,
        last: None,
        shown: None,
        places: BTreeMap::new(),
        owner,
        unseen: BTreeSet::new(),
        written: BTreeSet::new(),
        overtaken: false,
        fuel: 0,
    };
    let next = match (object::is_being_deleted(&pass.instance), object::has_finalizer(&pass.instance)) {
        (true, false) => Next::Wait,
        // Its definition may come into force at any moment.
        (false, _) if pass.serving.stands_in() => Next::Wait,
        // A deletion takes no more than the places of children.
        (true, true) => pass.delete().await,
        (false, _) => match pass.fetch().await {
            Some(next) => next,
            None => pass.converge().await,
        },
    };
    let attempts = match next {
        Next::Wait | Next::Later => 0,
        Next::Again => pass.memory.attempts,
        Next::Retry | Next::Hold => pass.memory.attempts.saturating_add(1),
    };
    world.remember(key, Memory { attempts, ..pass.memory });
    Ended { next, written: pass.written, overtaken: pass.overtaken }
}

/// A pass under way.
struct Pass<'a> {
    world: &'a World,
    key: &'a ObjectKey,
    may_write: MayWrite<'a>,
    cluster: Cluster,
    /// The definition's kinds with those that the instance's record names, if there are
    /// such.
    extended: Option<Kinds>,
    serving: Arc<Serving>,
    claims: Arc<Claims>,
    instance: Arc<Value>,
    memory: Memory,
    last: Option<Rendered>,
    /// What the module was shown last.
    shown: Option<Given>,
    /// Where each child goes, by id and key, as last rendered.
    places: BTreeMap<(String, String), Target>,
    /// The instance as its children name it.
    owner: Owner,
    /// Kinds that turned out to be out of sight, whatever the binding says.
    unseen: BTreeSet<Gvk>,
    /// The versions of objects that this pass has written.
    written: BTreeSet<String>,
    /// Whether the answer to a write of the status told of a change of the
    /// instance that this pass has not looked at.
    overtaken: bool,
    /// What its renders used so far.
    fuel: u64,
}

/// What the module answered last.
struct Rendered {
    rendering: Arc<Rendering>,
    receipt: Receipt,
}

/// Why a pass cannot go on.
enum Stop {
    /// Its reason goes into the status.
    Verdict(Verdict),
    /// What was seen is out of date; the news is on its way.
    Stale,
    /// It had its turn, and there is more to do.
    Turn,
    /// The server dropped these defaults.
    Behind { lost: Value },
}

impl Stop {
    fn at(stage: Stage, error: &dyn Fault) -> Stop {
        Stop::Verdict(Verdict::stopped(stage, error))
    }
}

impl Pass<'_> {
    /// How the kinds are addressed that the instance has children of, or may have.
    fn kinds(&self) -> &Kinds {
        self.extended.as_ref().unwrap_or(&self.serving.kinds)
    }

    /// Brings the instance's children about.
    async fn converge(&mut self) -> Next {
        if !self.can_see_children() {
            return self.blind().await;
        }
        let now = self.stamp(self.given());
        if self.memory.settled.take().as_ref() == Some(&now) {
            tracing::trace!("nothing changed");
            self.memory.settled = Some(now);
            return Next::Wait;
        }
        let (verdict, quiet, next) = match self.rounds().await {
            Ok(plan) => (self.verdict(&plan), plan.conflicts.is_empty() && !waits(&plan), Next::Wait),
            Err(Stop::Stale) => return Next::Retry,
            Err(Stop::Turn) => return Next::Again,
            Err(Stop::Behind { lost }) => return self.behind(&lost).await,
            Err(Stop::Verdict(verdict)) => {
                let next = after(&verdict);
                (verdict, next == Next::Wait, next)
            }
        };
        let recorded = self.record(&verdict).await;
        if recorded && quiet {
            // The record does not name them any more.
            self.memory.gone.clear();
            // Of what the module was shown, not of what is there by now: the
            // answer to the status write may tell of a change that somebody
            // made meanwhile, and that has to be looked at.
            self.memory.settled = self.shown.take().map(|given| self.stamp(given));
        }
        if matches!(next, Next::Wait | Next::Later) && !recorded { Next::Retry } else { next }
    }

    /// Renders and applies until nothing changes any more, or the turn is over.
    async fn rounds(&mut self) -> Result<Plan, Stop> {
        if self.serving.retired {
            return Err(Stop::Verdict(gone_definition()));
        }
        let settled = self.turn().await;
        if !matches!(settled, Err(Stop::Turn)) {
            self.memory.rounds = Rounds::default();
        }
        settled
    }

    /// Each round can unblock what waited for a child or for a read of the one
    /// before, or takes a wave away, so there are at most twice as many as there are
    /// nodes and waves, and one to see that all is quiet.
    async fn turn(&mut self) -> Result<Plan, Stop> {
        let most = 2 * self.serving.prepared.blueprint.nodes.len() + self.inventory().waves() + 2;
        let generation = self.instance.pointer("/metadata/generation").and_then(Value::as_i64).unwrap_or_default();
        let of = Some((generation, self.serving.digest.clone()));
        if self.memory.rounds.of != of {
            // Somebody asks for something else: what was done before says nothing of it.
            self.memory.rounds = Rounds { of, ..Rounds::default() };
        }
        let mut plan = Plan::default();
        for round in 0.. {
            if !self.may_go_on() || !self.can_see_children() {
                return Err(Stop::Stale);
            }
            if self.memory.rounds.count >= most {
                return Err(Stop::Verdict(behind::unsettled(most, &self.memory.rounds.outputs, &plan)));
            }
            if round == ROUNDS_OF_A_TURN || self.fuel >= FUEL_OF_A_TURN {
                break;
            }
            self.memory.rounds.count += 1;
            let (rendering, admitted) = self.render().await?;
            if rendering.suspended.is_some() {
                return Ok(Plan::default());
            }
            // Made without what the module wants to see, a collection may look
            // empty: nothing of that is applied.
            if self.world.asked(self.key, &rendering.reads) {
                self.places.clear();
                continue;
            }
            let claimed = self.claim(&rendering.defaults).await?;
            plan = self.plan(&rendering, &admitted);
            if plan.is_quiet() && !claimed {
                return Ok(plan);
            }
            if plan.takes() && !self.make_sure().await? {
                continue;
            }
            self.memory.rounds.answered(self.last.as_ref().map(|last| last.receipt.output.clone()));
            self.apply(&plan).await?;
        }
        Err(Stop::Turn)
    }

    /// Whether the host may still write, and the workspace is one that is watched: its
    /// endpoint, or its binding, may be gone, and with it from the stores all that is there.
    fn may_go_on(&self) -> bool {
        (self.may_write)() && self.world.claims(&self.key.cluster).is_some()
    }

    /// Asks the module, and has its answer checked. If it was shown a child that
    /// it now puts elsewhere, it is asked again without.
    async fn render(&mut self) -> Result<(Arc<Rendering>, Vec<Admitted>), Stop> {
        let first = self.render_once().await?;
        let place = |child: &Admitted| ((child.id().to_owned(), child.key().to_owned()), child.target().clone());
        self.places = first.1.iter().map(place).collect();
        let outdated = self.inventory().staying().any(|owned| self.has_moved(owned));
        if outdated { self.render_once().await } else { Ok(first) }
    }

    async fn render_once(&mut self) -> Result<(Arc<Rendering>, Vec<Admitted>), Stop> {
        let given = self.given();
        self.see(&given.observed).await?;
        // Before any of it is copied: whoever makes large objects pays for one of each.
        let seen = given.observed.iter().map(|seen| shape::size_at_least(&seen.object));
        let spec = given.instance.get("spec").map(shape::size_at_least).unwrap_or_default();
        let least = seen.sum::<shape::Size>() + spec;
        // Of so much more not even all is kept.
        let all = self.world.children.too_much(&self.key.cluster, object::uid(&self.instance));
        let least = all.unwrap_or(least);
        self.serving.module.admits(least).map_err(|error| Stop::Verdict(refusal(&error)))?;
        let instance = receipt::instance(&given.instance);
        let observed: Vec<Observed> = given.observed.iter().map(Shown::observed).collect();
        let input = self.input(&instance, &observed);
        self.shown = Some(given);
        let serving = Arc::clone(&self.serving);
        let place = self.world.place_to_render().await;
        let call = move || {
            let _place = place;
            serving.module.render(&serving.prepared.program, &instance, &observed)
        };
        let answer = tokio::task::spawn_blocking(call).await.map_err(|_| Stop::Stale)?;
        let answer = answer.map_err(|error| {
            said(error.log());
            Stop::Verdict(refusal(&error))
        })?;
        said(&answer.log);
        self.fuel = self.fuel.saturating_add(answer.fuel);
        let rendering = Arc::new(answer.value);
        let receipt = input.answered(&rendering);
        let rules = Rules {
            blueprint: &self.serving.prepared.blueprint,
            kinds: self.kinds(),
            claims: Some(&self.claims),
            instance: &self.instance,
        };
        let admitted = policy::admit(&rendering, rules);
        // Nothing of a rendering that is refused counts: it may be made without
        // what cannot be seen any more.
        self.last = admitted.is_ok().then(|| Rendered { rendering: Arc::clone(&rendering), receipt });
        admitted.map(|admitted| (rendering, admitted)).map_err(|violation| Stop::at(Stage::Applied, &violation))
    }

    /// Puts the finalizer and the missing defaults on the instance, in one
    /// write before the first child. Whether anything was written.
    async fn claim(&mut self, missing: &Map<String, Value>) -> Result<bool, Stop> {
        let childless = self.serving.prepared.blueprint.nodes.is_empty();
        let patch = match childless {
            // An instance without children is free to go at any time.
            true => defaults::missing(self.instance.get("spec").unwrap_or(&json!({})), missing).map(|gap| {
                let version = object::text(&self.instance, "/metadata/resourceVersion");
                json!({"metadata": {"resourceVersion": version}, "spec": gap})
            }),
            false => defaults::patch(&self.instance, missing),
        };
        match patch {
            None => Ok(false),
            Some(patch) => {
                self.write("", &patch).await?;
                match defaults::missing(self.instance.get("spec").unwrap_or(&json!({})), missing) {
                    None => Ok(true),
                    Some(lost) => Err(Stop::Behind { lost }),
                }
            }
        }
    }

    fn plan(&self, rendering: &Rendering, admitted: &[Admitted]) -> Plan {
        let blocked: BTreeSet<&str> = rendering.blocked.iter().map(|blocked| blocked.id.as_str()).collect();
        let live = |target: &Target| {
            self.world.children.get(&ObjectKey { cluster: self.key.cluster.clone(), target: target.clone() })
        };
        let nodes = &self.serving.prepared.blueprint.nodes;
        let ids = nodes.iter().map(|node| node.id.as_str()).collect();
        let seen = plan::World {
            instance: &self.instance,
            live: &live,
            settled: &self.memory.normalized,
            sent: &self.memory.sent,
            owner: &self.owner,
            ids: &ids,
        };
        let plan = plan::plan(admitted, &blocked, &self.inventory(), &seen);
        let key =
            |conflict: &Conflict| ObjectKey { cluster: self.key.cluster.clone(), target: conflict.target.clone() };
        self.world.obstructed(self.key, plan.conflicts.iter().map(key));
        plan
    }

    async fn apply(&mut self, plan: &Plan) -> Result<(), Stop> {
        // Only here something is remembered of more children.
        let inventory = self.inventory();
        self.memory.keep_only(&inventory.staying().map(|owned| owned.uid.as_str()).collect());
        let (world, cluster_name) = (self.world, &self.key.cluster);
        let kinds = self.extended.as_ref().unwrap_or(&self.serving.kinds);
        let place = apply::Place { cluster: &self.cluster, kinds, owner: &self.owner, may_write: self.may_write };
        let Memory { normalized, sent, gone, .. } = &mut self.memory;
        let written = &mut self.written;
        let mut own = |object: &Value| {
            written.insert(object::text(object, "/metadata/resourceVersion").to_owned());
        };
        let done = |done: Done| match done {
            Done::Written { manifest, object } => {
                own(&object);
                let uid = object::uid(&object).to_owned();
                sent.insert(uid.clone(), Sent::of(&manifest));
                match plan::drift(&manifest, &object, None) {
                    Some(_) => normalized.insert(uid, Arc::new(object.clone())),
                    None => normalized.remove(&uid),
                };
                world.tell(world.wrote(&world.children, cluster_name, object));
            }
            Done::Deleted { target, uid, held: None } => {
                normalized.remove(&uid);
                sent.remove(&uid);
                // It is gone in every version in which it was seen.
                for kind in kinds.keys().filter(|kind| kinds::are_one(kind, &target.kind)) {
                    let target = Target { kind: kind.clone(), ..target.clone() };
                    world.tell(world.children.remove(&ObjectKey { cluster: cluster_name.clone(), target }, &uid));
                }
                gone.insert(uid);
            }
            Done::Found { object } | Done::Deleted { held: Some(object), .. } => {
                own(&object);
                world.tell(world.wrote(&world.children, cluster_name, object))
            }
        };
        let Err(error) = apply::apply(place, plan, done).await else {
            // It may not be all of the plan.
            return if (self.may_write)() { Ok(()) } else { Err(Stop::Stale) };
        };
        // The claim was revoked this very moment, and others may have been with
        // it: what cannot be seen any more is not gone.
        if let apply::Error::Forbidden { kind, .. } = &error {
            self.unseen.insert(kind.clone());
            self.learn_claims().await;
        }
        Err(Stop::at(Stage::Applied, &error))
    }
}

/// Whether the plan waits for an object to be gone.
fn waits(plan: &Plan) -> bool {
    plan.actions.iter().any(|action| matches!(action, Action::Await(_)))
}

/// Hands on what a module logged. Its levels are the tenant's, so none of them
/// is more than a detail of the host's.
fn said(log: &[LogLine]) {
    for line in log {
        tracing::debug!(level = ?line.level, message = line.message, "the module says");
    }
}
