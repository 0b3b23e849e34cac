//! What calls share: nothing. And what they cost: the same every time.

use std::{
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use contract::{Observed, Preparation, shape};
use sandbox::{Limits, Sandbox, Time};
use serde_json::{Value, json};

use super::guests;

#[test]
fn an_obedient_module_is_prepared_and_rendered() {
    let module = guests::module("obedient");
    let prepared = module.prepare(&json!({"spec": [1, "zwei"]}), &[]).unwrap();
    let Preparation::Ready(ready) = prepared.value else { panic!("needs a schema") };
    assert_eq!(ready.program, br#"{"spec":[1,"zwei"]}"#);
    assert_eq!(ready.blueprint.api.plural, "things");
    let rendered = module.render(&ready.program, &guests::instance("one"), &[]).unwrap();
    assert_eq!(rendered.value.children[0].manifest, guests::instance("one"));
    assert_eq!((rendered.value.children.len(), rendered.log.len()), (1, 0));
}

#[test]
fn every_call_starts_with_fresh_memory() {
    let sandbox = Sandbox::new(Limits { concurrency: 1, ..Limits::default() }, None).unwrap();
    let module = sandbox.load(&guests::binary("counter")).unwrap();
    for _ in 0..20 {
        let answer = module.render(b"", &guests::instance("one"), &[]).unwrap();
        assert_eq!(Value::Object(answer.value.status), json!({"n": 1}));
    }
}

#[test]
fn a_number_that_is_none_has_the_same_bits_on_every_machine() {
    let answer = guests::module("nan").render(b"", &guests::instance("one"), &[]).unwrap();
    assert_eq!(Value::Object(answer.value.status), json!({"n": 0}));
}

#[test]
fn equal_calls_use_equal_fuel() {
    let fuel = |name: &str| {
        let module = guests::module("obedient");
        let first = module.render(b"", &guests::instance(name), &[]).unwrap().fuel;
        assert_eq!(module.render(b"", &guests::instance(name), &[]).unwrap().fuel, first);
        first
    };
    assert_eq!(fuel("one"), fuel("one"));
    assert!(fuel("one") > 0);
}

#[test]
fn many_calls_at_once_wait_for_their_turn_and_never_mix() {
    let sandbox = Sandbox::new(Limits { concurrency: 3, ..Limits::default() }, None).unwrap();
    let module = sandbox.load(&guests::binary("obedient")).unwrap();
    let render = |caller: usize| {
        for call in 0..40 {
            let instance = guests::instance(&format!("of-{caller}-{call}"));
            let answer = module.render(b"", &instance, &[]).unwrap();
            assert_eq!(answer.value.children[0].manifest, instance);
        }
    };
    thread::scope(|scope| {
        for caller in 0..12 {
            scope.spawn(move || render(caller));
        }
    });
}

#[test]
fn no_render_waits_for_preparations_however_many_there_are() {
    let prepare = Time { fuel: u64::MAX / 2, deadline: Duration::from_secs(3) };
    let limits = Limits { concurrency: 2, preparations: 2, prepare, ..Limits::default() };
    let sandbox = Sandbox::new(limits, None).unwrap();
    let [looping, obedient] = ["loop_in_prepare", "obedient"].map(|name| sandbox.load(&guests::binary(name)).unwrap());
    let (ended, begun) = (AtomicUsize::new(0), Barrier::new(5));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                begun.wait();
                looping.prepare(&json!({}), &[]).unwrap_err();
                ended.fetch_add(1, SeqCst);
            });
        }
        begun.wait();
        for _ in 0..20 {
            obedient.render(b"", &guests::instance("one"), &[]).unwrap();
        }
        assert_eq!(ended.load(SeqCst), 0);
    });
}

#[test]
fn a_module_outlives_its_sandbox() {
    let module = {
        let sandbox = guests::sandbox();
        sandbox.load(&guests::binary("obedient")).unwrap()
    };
    assert!(module.render(b"", &guests::instance("one"), &[]).is_ok());
}

#[test]
fn input_beyond_the_bound_is_refused_before_the_module_sees_it() {
    let sandbox = Sandbox::new(Limits { input: 1000, ..Limits::default() }, None).unwrap();
    let module = sandbox.load(&guests::binary("obedient")).unwrap();
    let observed = |length: usize| Observed {
        id: "thing".to_owned(),
        key: String::new(),
        object: Value::String("x".repeat(length)),
    };
    assert!(module.render(b"", &guests::instance("one"), &[observed(400)]).is_ok());
    let error = module.render(b"", &guests::instance("one"), &[observed(400), observed(600)]).unwrap_err();
    let told = guests::told(&error);
    assert!(told.starts_with("InputTooLarge, input: the input of `render` has"), "{told}");
}

/// A small text may be a large tree.
#[test]
fn input_of_too_many_values_is_refused_however_short_it_is() {
    let sandbox = Sandbox::new(Limits { input_values: 1000, ..Limits::default() }, None).unwrap();
    let module = sandbox.load(&guests::binary("obedient")).unwrap();
    let size = |count: usize| shape::size_at_least(&Value::from(vec![0; count]));
    assert!(module.admits(size(999)).is_ok());
    let told = guests::told(&module.admits(size(500) + size(500)).unwrap_err());
    assert!(
        told.starts_with("InputTooLarge, input: the instance, its children and what it reads have 1002 JSON"),
        "{told}"
    );
}
