//! An instance rendered without a server: the same module in the same sandbox
//! under the same policy as `croft run`, with given objects in the place of a
//! cluster.
//!
//! It prints nothing but notes, and compares nothing.

pub(crate) mod converge;
pub(crate) mod observed;
pub(crate) mod standin;

use std::{collections::BTreeSet, fmt};

use contract::{Blueprint, Gvk, Observed, Rendering};
use host_core::{
    admission, defaults,
    fault::Blame,
    inventory,
    kinds::{self, Kinds},
    name::Digest,
    object::{self, Target},
    policy::{self, Admitted, Rules},
    receipt, status,
};
use sandbox::Answer;
use serde_json::{Map, Value};

use super::definition::{self, Definition};
use crate::{
    report::{self, Failure},
    yaml::Document,
};
use converge::{Converged, Played};
use observed::Pool;
use standin::{Given, Standin};

/// One instance and what it comes to.
#[derive(Debug)]
pub(crate) struct Rendered {
    /// With defaults and status.
    pub(crate) instance: Value,
    /// What the module answered last.
    pub(crate) rendering: Rendering,
    /// The children where they belong, in the order of the rendering.
    pub(crate) children: Vec<(Target, Value)>,
    /// The same as they are applied, with what croft puts on them.
    pub(crate) admitted: Vec<Admitted>,
    /// The instance as the module was given it last.
    pub(crate) given: Value,
    /// What the module was shown last.
    pub(crate) observed: Vec<Observed>,
    /// The word in its status.
    pub(crate) state: &'static str,
    /// The most that one call took.
    pub(crate) cost: Cost,
}

/// What calls took at most: the same every time for equal arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    pub(crate) fuel: u64,
    /// Bytes.
    pub(crate) memory: usize,
}

impl Cost {
    pub(crate) fn of<T>(answer: &Answer<T>) -> Cost {
        Cost { fuel: answer.fuel, memory: answer.memory }
    }

    /// Of each the larger one.
    pub(crate) fn or_more(self, other: Cost) -> Cost {
        Cost { fuel: self.fuel.max(other.fuel), memory: self.memory.max(other.memory) }
    }
}

/// `fuel 93499, memory 1152 KiB`.
impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fuel {}, memory {} KiB", self.fuel, self.memory / 1024)
    }
}

/// What stands for a cluster.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cluster<'a> {
    /// Live objects.
    pub(crate) live: &'a [Value],
    /// Whether what is rendered is taken for live.
    pub(crate) converge: bool,
    /// Metadata of instances.
    pub(crate) given: &'a [Given],
}

/// Why an instance has no rendering.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The module gave no answer.
    NoAnswer(sandbox::Error),
    /// The host would not admit the answer.
    NotAdmitted(policy::Violation),
    /// Every answer differs from the one before.
    Unsettled(Digest),
}

impl Stop {
    /// The same for those who wait for a rendering of this instance.
    pub(crate) fn failure(self, instance: &Document) -> Failure {
        match self {
            Stop::NoAnswer(error) => definition::refused(error, instance),
            Stop::NotAdmitted(violation) => Failure::fault(violation),
            Stop::Unsettled(digest) => {
                let message = format!("the module `{digest}` does not settle: every rendering differs from the last");
                Failure::new(Blame::Module, message)
            }
        }
    }
}

/// The definition whose API an instance is of. Live objects go `elsewhere`.
pub(crate) fn of<'d>(
    definitions: &'d [Definition],
    document: &Document,
    elsewhere: &str,
) -> Result<&'d Definition, Failure> {
    let api = |definition: &&Definition| Gvk::of(&document.value).as_ref() == Some(definition.api());
    definitions.iter().find(api).ok_or_else(|| strange(definitions, document, elsewhere))
}

/// Refuses an object of an API that no definition here makes.
fn strange(definitions: &[Definition], document: &Document, elsewhere: &str) -> Failure {
    let (message, wanted) = match definitions {
        [one] => {
            let kind = one.api();
            let wanted = format!("`apiVersion: {}` and `kind: {}`", kind.api_version(), kind.kind);
            (format!("this is not an instance of {kind} in version {}", kind.version), wanted)
        }
        several => {
            let kinds: Vec<String> = several.iter().map(|it| format!("`{}`", it.api().kind)).collect();
            ("this is not an instance of any of the definitions".to_owned(), format!("the kind {}", kinds.join(" or ")))
        }
    };
    let hint = format!("an instance has {wanted}; live objects go to {elsewhere}");
    definition::stray(document, &message, &hint)
}

/// Renders one instance, and says what is to be noted of it.
pub(crate) fn render(
    definition: &Definition,
    document: &Document,
    cluster: &Cluster<'_>,
    is_ours: impl Fn(&Gvk) -> bool,
) -> Result<(Rendered, Standin), Failure> {
    let mut instance = admitted(&definition.prepared.blueprint, document)?;
    let standin = standin::fill(&mut instance, cluster.given);
    let render = |pool: &Pool| settle(definition, &instance, pool).map_err(|stop| stop.failure(document));
    let (mut rendered, pool) = if cluster.converge {
        let stored = |manifest: &Value| converge::stored(manifest, &is_ours);
        let Played { rendered, pool, waves } = converged(definition, &instance, cluster.live, stored, render)?;
        waves.iter().for_each(|wave| report::note(wave));
        (rendered, pool)
    } else {
        let pool = Pool::of(cluster.live.iter().cloned(), namespace(&instance));
        (render(&pool)?, pool)
    };
    standin.remove(&mut rendered.instance);
    // What was rendered before, and is observed now, has the instance too.
    let own = Target::of(&rendered.instance);
    for target in pool.unused().filter(|target| Some(*target) != own.as_ref()) {
        report::note(&format!("{target} was given with `--observed`, but the instance has no such child"));
    }
    Ok((rendered, standin))
}

/// An instance with its children at the end of all passes; nothing is noted.
pub(crate) fn play(
    definition: &Definition,
    document: &Document,
    live: &[Value],
    is_ours: impl Fn(&Gvk) -> bool,
) -> Result<Rendered, Failure> {
    let mut instance = admitted(&definition.prepared.blueprint, document)?;
    let standin = standin::fill(&mut instance, &[]);
    let render = |pool: &Pool| settle(definition, &instance, pool).map_err(|stop| stop.failure(document));
    let stored = |manifest: &Value| converge::stored(manifest, &is_ours);
    let Played { mut rendered, .. } = converged(definition, &instance, live, stored, render)?;
    standin.remove(&mut rendered.instance);
    Ok(rendered)
}

fn converged(
    definition: &Definition,
    instance: &Value,
    live: &[Value],
    stored: impl Fn(&Value) -> Value,
    render: impl Fn(&Pool) -> Result<Rendered, Failure>,
) -> Result<Played, Failure> {
    let most = most_waves(&definition.prepared.blueprint);
    match converge::converge(live, namespace(instance), most, stored, render)? {
        Converged::Settled(played) => Ok(*played),
        Converged::Restless { .. } => {
            let message = format!("the instance does not converge: wave {most} still brings something new");
            Err(Failure::input(message).hint("`--explain` without `--converge` says what depends on what"))
        }
    }
}

/// A wave brings at least one id further, or passes on what changed with one.
pub(crate) fn most_waves(blueprint: &Blueprint) -> usize {
    2 * blueprint.nodes.len() + 3
}

/// Where an instance's children are that name no other place.
pub(crate) fn namespace(instance: &Value) -> &str {
    match object::text(instance, "/metadata/namespace") {
        "" => "default",
        namespace => namespace,
    }
}

/// The instance as a server would store it.
pub(crate) fn admitted(blueprint: &Blueprint, document: &Document) -> Result<Value, Failure> {
    admission::instance(&blueprint.api, &document.value).map_err(|problems| Failure::problems(document, problems))
}

/// Renders until nothing changes any more.
pub(crate) fn settle(definition: &Definition, instance: &Value, pool: &Pool) -> Result<Rendered, Stop> {
    let Definition { module, prepared, .. } = definition;
    let blueprint = &prepared.blueprint;
    let kinds = kinds_of(definition);
    let namespace = object::text(instance, "/metadata/namespace").to_owned();
    let mut instance = instance.clone();
    let mut cost = Cost::default();
    // With what says itself which child it is, a chain is not gone through link by
    // link.
    let marked = pool.marked(&policy::owner(blueprint, &instance).name);
    let mut observed = marked.clone();
    // Every round but the last two brings at least one id further: one that
    // fills in defaults, and one that sees no change.
    for _ in 0..blueprint.nodes.len() + 3 {
        let answer = module.render(&prepared.program, &unadmitted(&instance), &observed).map_err(Stop::NoAnswer)?;
        definition::tell(&answer.log);
        cost = cost.or_more(Cost::of(&answer));
        let rendering = answer.value;
        let before = instance.clone();
        if !rendering.defaults.is_empty() && instance.get("spec").is_none() {
            instance["spec"] = Value::Object(Map::new());
        }
        if let Some(spec) = instance.get_mut("spec") {
            defaults::fill(spec, &rendering.defaults);
        }
        let rules = Rules { blueprint, kinds: &kinds, claims: None, instance: &instance };
        let admitted = policy::admit(&rendering, rules).map_err(Stop::NotAdmitted)?;
        let targets: Vec<Target> = admitted.iter().map(|child| child.target().clone()).collect();
        let seen = look(&rendering, &targets, &marked, pool, &namespace, &kinds);
        if seen == observed && instance == before {
            return Ok(finished(instance, rendering, admitted, observed, cost));
        }
        observed = seen;
    }
    Err(Stop::Unsettled(module.digest().clone()))
}

/// The instance as a module gets it, with the word that no server has checked it.
fn unadmitted(instance: &Value) -> Value {
    let mut instance = receipt::instance(instance);
    let annotations = &mut instance["metadata"]["annotations"];
    // Of another type it is for a server to refuse.
    if annotations.is_null() || annotations.is_object() {
        annotations[contract::UNADMITTED] = "".into();
    }
    instance
}

fn kinds_of(definition: &Definition) -> Kinds {
    let given = |kind: &Gvk| definition.kinds.get(kind).cloned();
    let known = |kind: &Gvk| given(kind).or_else(|| kinds::builtin(kind)).unwrap_or_else(|| kinds::guess(kind));
    definition.prepared.blueprint.kinds.iter().map(|used| (used.kind.clone(), known(&used.kind))).collect()
}

/// What the host would have seen of a rendering: the children where they are
/// stated, and what is `marked` as a child of an id that is blocked.
fn look(
    rendering: &Rendering,
    targets: &[Target],
    marked: &[Observed],
    pool: &Pool,
    namespace: &str,
    kinds: &Kinds,
) -> Vec<Observed> {
    let children = rendering.children.iter().zip(targets);
    let found = children.filter_map(|(child, target)| {
        Some(Observed { id: child.id.clone(), key: child.key.clone(), object: pool.get(target)? })
    });
    let mut observed: Vec<Observed> = found.collect();
    let blocked: BTreeSet<&str> = rendering.blocked.iter().map(|blocked| blocked.id.as_str()).collect();
    let kept = marked.iter().filter(|seen| blocked.contains(seen.id.as_str()));
    observed.extend(
        kept.filter_map(|seen| Some(Observed { object: pool.get(&Target::of(&seen.object)?)?, ..seen.clone() })),
    );
    observed.extend(rendering.reads.iter().flat_map(|read| pool.read(read, namespace, kinds)));
    observed.sort_by(|one, other| (&one.id, &one.key).cmp(&(&other.id, &other.key)));
    observed
}

fn finished(
    mut instance: Value,
    rendering: Rendering,
    admitted: Vec<Admitted>,
    observed: Vec<Observed>,
    cost: Cost,
) -> Rendered {
    let given = unadmitted(&instance);
    let there: BTreeSet<(&str, &str)> = observed.iter().map(|seen| (seen.id.as_str(), seen.key.as_str())).collect();
    let all_there = rendering.children.iter().all(|child| there.contains(&(child.id.as_str(), child.key.as_str())));
    let settled = all_there && status::waiting(&rendering).is_none() && rendering.suspended.is_none();
    let state = if settled { "ACTIVE" } else { "IN_PROGRESS" };
    let mut fields = rendering.status.clone();
    fields.insert("state".into(), state.into());
    if !rendering.conditions.is_empty() {
        let conditions = rendering.conditions.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>();
        fields.insert("conditions".into(), conditions.unwrap_or_default().into());
    }
    instance["status"] = Value::Object(fields);
    let targets = admitted.iter().map(|child| child.target().clone());
    let children = rendering.children.iter().zip(targets).map(|(child, target)| {
        let mut manifest = child.manifest.clone();
        if !target.namespace.is_empty() {
            manifest["metadata"]["namespace"] = target.namespace.as_str().into();
        }
        (target, manifest)
    });
    let children = children.collect();
    Rendered { instance: inventory::shown(&instance), rendering, children, admitted, given, observed, state, cost }
}
