//! What holds for every module, whatever it renders. Each law is tried on every
//! fixture that renders an instance; one that is broken comes with the smallest
//! example that was found.
//!
//! The laws are what a host counts on: `croft run` stops an instance whose module
//! breaks one of them, or applies more than was meant.

mod older;

use std::cell::Cell;

use contract::Rendering;
use sandbox::{Failure as Ended, Limits};
use serde_json::Value;

use super::{
    fixtures::{Prepared, answer, case::Case},
    shrink::{self, Example},
    text,
};
use crate::{
    cli::{
        definition::{Definition, Loaded},
        offline::{
            self, Cost, Rendered, Stop,
            converge::{self, Converged, Played},
            observed::Pool,
            standin,
        },
    },
    report::{Look, diff},
};

pub(super) use older::Older;

/// A law.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    Deterministic,
    Idempotent,
    Stable,
    Admitted,
    Bounded,
    Compatible,
}

impl Law {
    const ALL: [Law; 6] =
        [Law::Deterministic, Law::Idempotent, Law::Stable, Law::Admitted, Law::Bounded, Law::Compatible];

    /// One word.
    pub(super) fn name(self) -> &'static str {
        match self {
            Law::Deterministic => "deterministic",
            Law::Idempotent => "idempotent",
            Law::Stable => "stable",
            Law::Admitted => "admitted",
            Law::Bounded => "bounded",
            Law::Compatible => "compatible",
        }
    }

    /// What it demands.
    pub(super) fn says(self) -> &'static str {
        match self {
            Law::Deterministic => "the same answer each time, and for maps in another order",
            Law::Idempotent => "its children shown back change nothing",
            Law::Stable => "what a server fills in in a child does not change it",
            Law::Admitted => "no kind and no id outside the blueprint, and no object that a server refuses",
            Law::Bounded => "at most half of a render's fuel and memory",
            Law::Compatible => "what the older version rendered still renders",
        }
    }

    fn check(self, subject: &Subject<'_>, example: &Example) -> Option<Breach> {
        match self {
            Law::Deterministic => deterministic(subject, example),
            Law::Idempotent => idempotent(subject, example),
            Law::Stable => stable(subject, example),
            Law::Admitted => admitted(subject, example),
            Law::Bounded => bounded(subject, example),
            Law::Compatible => older::compatible(subject, example),
        }
    }
}

/// Whether a law holds.
pub(super) struct Verdict {
    pub(super) law: Law,
    pub(super) broken: Option<Broken>,
}

/// How a law is broken.
pub(super) struct Broken {
    /// The fixture on which it was seen.
    pub(super) fixture: String,
    /// What happens.
    pub(super) what: String,
    /// Two things that should be equal and are not.
    pub(super) difference: Option<Box<dyn Fn(Look) -> String>>,
    /// With which it is seen.
    pub(super) example: Example,
}

/// What happens where a law is broken.
pub(super) struct Breach {
    what: String,
    /// What should be equal, with what each is.
    differ: Option<[(&'static str, Value); 2]>,
}

impl Breach {
    fn new(what: impl Into<String>) -> Breach {
        Breach { what: what.into(), differ: None }
    }

    fn between(what: impl Into<String>, before: (&'static str, Value), after: (&'static str, Value)) -> Breach {
        Breach { what: what.into(), differ: Some([before, after]) }
    }
}

/// A definition with what a law needs of it besides.
struct Subject<'a> {
    definition: &'a Definition,
    /// The same as a module takes it that is given the keys of maps in another order.
    mirror: Result<Definition, String>,
    /// The same as an older version takes it.
    older: Option<Definition>,
}

/// Checks all laws on all cases.
pub(super) fn check(cases: &[(String, Case)], against: Option<&Older>) -> Vec<Verdict> {
    let examples: Vec<_> = cases.iter().filter_map(|(name, case)| subject(name, case, against)).collect();
    let laws = Law::ALL.into_iter().filter(|law| *law != Law::Compatible || against.is_some());
    // Without an example nothing is known.
    let laws = laws.filter(|_| !examples.is_empty());
    laws.map(|law| Verdict {
        law,
        broken: examples.iter().find_map(|(name, subject, it)| broken(law, name, subject, it)),
    })
    .collect()
}

/// A case with an instance that renders.
fn subject<'c>(name: &'c str, case: &'c Case, against: Option<&Older>) -> Option<(&'c str, Subject<'c>, Example)> {
    let (Prepared { definition, known }, instance) = (case.prepared()?, case.instance.as_ref()?);
    let loaded = Loaded { module: definition.module.with_keys_reversed(), reference: definition.reference.clone() };
    let mirror = Definition::new(definition.document.clone(), loaded, known);
    let mirror = mirror.map_err(|failure| failure.in_a_line());
    let older = against.and_then(|older| older.prepare(&definition.document, known));
    let example = Example { instance: instance.value.clone(), observed: case.observed.clone() };
    Some((name, Subject { definition, mirror, older }, example))
}

fn broken(law: Law, fixture: &str, subject: &Subject<'_>, example: &Example) -> Option<Broken> {
    let breach = law.check(subject, example)?;
    let (example, Breach { what, differ }) =
        shrink::smallest(example.clone(), breach, |smaller| law.check(subject, smaller));
    let difference = differ.map(|[(first, one), (second, other)]| {
        let show = move |look: Look| diff((first, second), &text(&one), &text(&other), look);
        Box::new(show) as Box<dyn Fn(Look) -> String>
    });
    Some(Broken { fixture: fixture.to_owned(), what, difference, example })
}

/// The instance of an example as a server would store it, if it would.
fn stored(definition: &Definition, example: &Example) -> Option<Value> {
    let mut instance = host_core::admission::instance(&definition.prepared.blueprint.api, &example.instance).ok()?;
    standin::fill(&mut instance, &[]);
    Some(instance)
}

fn settle(definition: &Definition, instance: &Value, live: &[Value]) -> Result<Rendered, Stop> {
    let pool = Pool::of(live.iter().cloned(), offline::namespace(instance));
    offline::settle(definition, instance, &pool)
}

/// Plays the passes to their end. What the renders took is noted.
fn play(
    definition: &Definition,
    instance: &Value,
    live: &[Value],
    stored: impl Fn(&Value) -> Value,
    cost: &Cell<Cost>,
) -> Result<Converged, Stop> {
    let most = offline::most_waves(&definition.prepared.blueprint);
    converge::converge(live, offline::namespace(instance), most, stored, |pool| {
        let rendered = offline::settle(definition, instance, pool)?;
        cost.set(cost.get().or_more(rendered.cost));
        Ok(rendered)
    })
}

fn as_written(manifest: &Value) -> Value {
    converge::stored_as_written(manifest, &|_| false)
}

fn with_defaults(manifest: &Value) -> Value {
    converge::stored(manifest, &|_| false)
}

/// All that is live once the passes are played, where they end.
fn end(definition: &Definition, instance: &Value, live: &[Value]) -> Option<(Rendered, Vec<Value>)> {
    let Converged::Settled(played) = play(definition, instance, live, with_defaults, &Cell::default()).ok()? else {
        return None;
    };
    let Played { rendered, pool, .. } = *played;
    Some((rendered, pool.objects()))
}

fn shown(rendering: &Rendering) -> Value {
    answer::rendering(rendering)
}

fn deterministic(subject: &Subject<'_>, example: &Example) -> Option<Breach> {
    let mirror = match &subject.mirror {
        Ok(mirror) => mirror,
        Err(why) => {
            let what = "the definition is refused when the keys of its maps come in another order";
            return Some(Breach::new(format!("{what}: {why}")));
        }
    };
    let (sorted, reversed) = (&subject.definition.prepared.blueprint, &mirror.prepared.blueprint);
    if sorted != reversed {
        let what = "another order of the definition's keys gives another blueprint";
        let (before, after) = (answer::blueprint(sorted), answer::blueprint(reversed));
        return Some(Breach::between(what, ("keys in order", before), ("keys in reverse", after)));
    }
    let instance = stored(subject.definition, example)?;
    let played = end(subject.definition, &instance, &example.observed).map(|(_, live)| live);
    [Some(example.observed.clone()), played].into_iter().flatten().find_map(|live| {
        let first = settle(subject.definition, &instance, &live).ok()?;
        differing("the second time the same input", "again", &first, settle(subject.definition, &instance, &live))
            .or_else(|| {
                let mirrored = settle(mirror, &instance, &live);
                differing("another order of the keys of maps", "keys in reverse", &first, mirrored)
            })
    })
}

/// Whether a second render is another one than the first.
fn differing(with: &str, name: &'static str, first: &Rendered, second: Result<Rendered, Stop>) -> Option<Breach> {
    match second {
        Ok(second) if second.rendering == first.rendering => None,
        Ok(second) => Some(Breach::between(
            format!("{with} gives another answer"),
            ("the first answer", shown(&first.rendering)),
            (name, shown(&second.rendering)),
        )),
        Err(stop) => Some(Breach::new(format!("{with} gives no answer: {}", said(&stop)))),
    }
}

fn idempotent(subject: &Subject<'_>, example: &Example) -> Option<Breach> {
    let Subject { definition, .. } = subject;
    let instance = stored(definition, example)?;
    let first = settle(definition, &instance, &example.observed);
    match (first, play(definition, &instance, &example.observed, as_written, &Cell::default())) {
        (_, Ok(converged)) => restless(converged),
        // A module that is at fault from the start is told so by its fixture.
        (Ok(_), Err(stop @ Stop::NoAnswer(sandbox::Error::Failed { .. }))) => {
            Some(Breach::new(format!("it fails when it is shown its own children: {}", said(&stop))))
        }
        (Ok(_), Err(stop @ Stop::Unsettled(_))) => Some(Breach::new(said(&stop))),
        _ => None,
    }
}

/// The first object that is still another one in the last wave.
fn restless(converged: Converged) -> Option<Breach> {
    let Converged::Restless { before, after } = converged else { return None };
    let target = before.keys().chain(after.keys()).find(|target| before.get(target) != after.get(target))?;
    let one = |wave: Option<&Value>| wave.cloned().unwrap_or_default();
    Some(Breach::between(
        format!("{target} is another one each time the module is shown it"),
        ("in one pass", one(before.get(target))),
        ("in the next", one(after.get(target))),
    ))
}

fn stable(subject: &Subject<'_>, example: &Example) -> Option<Breach> {
    let Subject { definition, .. } = subject;
    let instance = stored(definition, example)?;
    if idempotent(subject, example).is_some() {
        return None;
    }
    let played = play(definition, &instance, &example.observed, with_defaults, &Cell::default()).ok()?;
    let Converged::Settled(played) = played else { return restless(played) };
    let Played { rendered, pool, .. } = *played;
    let live = pool.objects();
    let mut ids = std::collections::BTreeSet::new();
    // One of each id: those of a collection are made by the same code.
    let children = rendered.rendering.children.iter().zip(&rendered.children);
    let mut children = children.filter(|(child, _)| ids.insert(child.id.as_str()));
    children.find_map(|(child, (target, manifest))| {
        let given =
            example.observed.iter().any(|object| host_core::object::Target::of(object).as_ref() == Some(target));
        if given {
            // It is as it was observed, whatever a server fills in.
            return None;
        }
        let with = |object: Value| -> Option<Value> {
            let is_it = |other: &Value| host_core::object::Target::of(other).as_ref() == Some(target);
            let others = live.iter().filter(|other| !is_it(other)).cloned();
            let live: Vec<Value> = others.chain([object]).collect();
            let rendered = settle(definition, &instance, &live).ok()?.rendering;
            let mut same = rendered.children.into_iter().filter(|it| (&it.id, &it.key) == (&child.id, &child.key));
            same.next().map(|child| child.manifest)
        };
        let (before, after) = (with(as_written(manifest))?, with(touched(with_defaults(manifest)))?);
        (before != after).then(|| {
            Breach::between(
                format!("child `{}` changes with what a server fills in in it", child.id),
                ("before", before),
                ("after", after),
            )
        })
    })
}

/// An object after others have written to it, as a server keeps the books of it.
fn touched(mut object: Value) -> Value {
    let metadata = &mut object["metadata"];
    metadata["resourceVersion"] = "2".into();
    metadata["generation"] = 2.into();
    metadata["annotations"]["example.org/set-by-somebody-else"] = "stand-in".into();
    object
}

fn admitted(subject: &Subject<'_>, example: &Example) -> Option<Breach> {
    let Subject { definition, .. } = subject;
    let instance = stored(definition, example)?;
    match play(definition, &instance, &example.observed, with_defaults, &Cell::default()) {
        Err(Stop::NotAdmitted(violation)) => Some(Breach::new(violation.to_string())),
        _ => None,
    }
}

fn bounded(subject: &Subject<'_>, example: &Example) -> Option<Breach> {
    let Subject { definition, .. } = subject;
    let instance = stored(definition, example)?;
    let cost = Cell::new(Cost::default());
    // What else stops the passes is another law's business; what they took until
    // then counts.
    let played = play(definition, &instance, &example.observed, with_defaults, &cost);
    if let Err(
        stop @ Stop::NoAnswer(sandbox::Error::Failed {
            failure: Ended::OutOfFuel { .. } | Ended::OutOfMemory { .. },
            ..
        }),
    ) = &played
    {
        return Some(Breach::new(said(stop)));
    }
    let (Cost { fuel, memory }, limits) = (cost.get(), Limits::default());
    let share = |used: u64, limit: u64| format!("{} % of the {limit} that a render has", used * 100 / limit);
    if fuel > limits.render.fuel / 2 {
        return Some(Breach::new(format!("a render takes {fuel} of fuel, {}", share(fuel, limits.render.fuel))));
    }
    let (used, limit) = (memory as u64, limits.memory as u64);
    (used > limit / 2).then(|| Breach::new(format!("a render takes {used} bytes of memory, {}", share(used, limit))))
}

/// Why there is no rendering, in one line.
fn said(stop: &Stop) -> String {
    match stop {
        Stop::NoAnswer(error) => error.problems_in_words().unwrap_or_else(|| host_core::status::chain(error)),
        Stop::NotAdmitted(violation) => violation.to_string(),
        Stop::Unsettled(_) => "every rendering differs from the last".to_owned(),
    }
}
