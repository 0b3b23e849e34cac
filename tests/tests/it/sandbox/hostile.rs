//! Modules that loop, grow, dig, flood and lie: each costs itself an error with
//! the right reason, and the sandbox serves the next one.

use std::{
    fs,
    time::{Duration, Instant},
};

use sandbox::{Limits, Sandbox, Time};

use super::guests;

/// Runs a guest, expects how it ends, and that nobody else notices.
#[track_caller]
fn check(guest: &str, expected: &str) {
    let sandbox = guests::sandbox();
    let ended = guests::run(&sandbox, &guests::binary(guest));
    let error = ended.expect_err(&format!("`{guest}` gets away with it"));
    assert_eq!(guests::told(&error), expected, "{guest}");
    assert_obedient_is_served(&sandbox);
}

fn assert_obedient_is_served(sandbox: &Sandbox) {
    let answer = guests::run(sandbox, &guests::binary("obedient")).expect("the sandbox outlives a hostile guest");
    assert_eq!(answer.value.children[0].manifest, guests::instance("one"));
}

/// An answer that cannot be read from the module's memory.
#[track_caller]
fn check_unreadable(guest: &str, why: &str) {
    let abi = "InvalidAnswer, module: module `DIGEST` failed in `render`: its answer breaks the contract: \
               it cannot be read from the module's memory";
    check(guest, &format!("{abi}: {why}"));
}

/// An answer that can be read and makes no sense.
#[track_caller]
fn check_nonsense(guest: &str, call: &str, why: &str) {
    let prefix = format!("InvalidAnswer, module: module `DIGEST` failed in `{call}`: its answer breaks the contract");
    check(guest, &format!("{prefix}: {why}"));
}

#[test]
fn a_loop_ends_when_its_fuel_is_used_up() {
    let failed = "OutOfFuel, module: module `DIGEST` failed in";
    check("loop_in_prepare", &format!("{failed} `prepare`: it used up its fuel of 2000000000"));
    check("loop_in_start", &format!("{failed} `prepare`: it used up its fuel of 2000000000"));
    check("loop_in_render", &format!("{failed} `render`: it used up its fuel of 500000000"));
}

#[test]
fn work_that_one_instruction_does_is_paid_for_by_the_byte() {
    check("fill_loop", "OutOfFuel, module: module `DIGEST` failed in `render`: it used up its fuel of 500000000");
    check("log_forever", "OutOfFuel, module: module `DIGEST` failed in `render`: it used up its fuel of 500000000");
}

#[test]
fn a_module_past_its_deadline_is_stopped() {
    let time = Time { fuel: u64::MAX, deadline: Duration::from_millis(200) };
    let sandbox = Sandbox::new(Limits { render: time, ..Limits::default() }, None).unwrap();
    let started = Instant::now();
    let error = guests::run(&sandbox, &guests::binary("loop_in_render")).unwrap_err();
    assert_eq!(
        guests::told(&error),
        "DeadlineExceeded, module: module `DIGEST` failed in `render`: it ran for longer than 0.2 s"
    );
    assert!(started.elapsed() >= time.deadline);
    assert_obedient_is_served(&sandbox);
}

#[test]
fn memory_beyond_the_bound_is_refused_and_told_from_a_panic() {
    let failed = "OutOfMemory, module: module `DIGEST` failed in";
    let bounds = "it needs more than the 65536 KiB of memory or the 65536 table elements that a call gets";
    check("memory_bomb", &format!("{failed} `render`: {bounds}"));
    check("table_bomb", &format!("{failed} `render`: {bounds}"));
    check("many_memories", &format!("{failed} `prepare`: {bounds}"));
}

#[test]
fn a_module_that_gets_by_without_the_memory_is_not_punished() {
    let answer = guests::run(&guests::sandbox(), &guests::binary("refused_memory")).unwrap();
    assert_eq!(answer.value.children.len(), 1);
}

#[test]
fn deep_recursion_ends_at_the_bound_of_the_stack() {
    check("deep_recursion", "StackOverflow, module: module `DIGEST` failed in `render`: it recursed too deeply");
}

#[test]
fn a_trap_says_what_happened() {
    check("trap", "Trapped, module: module `DIGEST` failed in `render`: wasm trap: integer divide by zero");
}

#[test]
fn a_panic_says_its_message() {
    check(
        "panic",
        "Trapped, module: module `DIGEST` failed in `render`: wasm trap: wasm `unreachable` instruction executed: \
         panicked at src/lib.rs:7:5: index out of bounds",
    );
    let error = guests::run(&guests::sandbox(), &guests::binary("panic")).unwrap_err();
    assert_eq!(error.log().len(), 2);
}

#[test]
fn output_beyond_the_bound_is_refused_before_it_is_copied() {
    let too_large =
        "AnswerTooLarge, module: module `DIGEST` failed in `render`: it handed over more than 8388608 bytes";
    for guest in ["large_output", "huge_output", "shared_string", "empty_records"] {
        check(guest, too_large);
    }
    assert!(peak_memory() < 512 << 20, "this process took {} MiB", peak_memory() >> 20);
}

/// The most memory that this process ever had.
fn peak_memory() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() << 10
}

#[test]
fn a_log_that_cannot_be_read_is_the_modules_fault_also_while_it_starts() {
    let failed = "InvalidAnswer, module: module `DIGEST` failed in `prepare`: its answer breaks the contract";
    let why = "it cannot be read from the module's memory: string pointer/length out of bounds of memory";
    check("log_in_start", &format!("{failed}: {why}"));
}

#[test]
fn an_answer_that_lies_about_its_memory_is_refused() {
    check_unreadable("huge_list", "list pointer/length out of bounds of memory");
    check_unreadable("length_out_of_bounds", "string pointer/length out of bounds of memory");
    check_unreadable("pointer_out_of_bounds", "string pointer/length out of bounds of memory");
    check_unreadable("answer_out_of_bounds", "pointer out of bounds of memory");
    check_unreadable("unaligned_answer", "return pointer not aligned");
    check_unreadable("bad_discriminant", "invalid expected discriminant");
    check_unreadable("invalid_utf8", "invalid utf-8 sequence of 1 bytes from index 0");
}

#[test]
fn an_allocator_that_lies_harms_its_own_module_alone() {
    check(
        "lying_realloc",
        "InvalidAnswer, module: module `DIGEST` failed in `prepare`: its answer breaks the contract: \
         it cannot be read from the module's memory: realloc return: beyond end of memory",
    );
}

#[test]
fn an_answer_that_is_not_what_the_contract_says_is_refused() {
    check_nonsense(
        "invalid_json",
        "render",
        "`children[0].manifest` is not JSON: EOF while parsing a value at line 1 column 8",
    );
    check_nonsense("deep_json", "render", "`children[0].manifest` nests deeper than 100 levels");
    check_nonsense("wide_json", "render", "with `children[0].manifest` the answer has more than 100000 JSON values");
    check_nonsense("nameless_child", "render", "`children[0].manifest` is not an object with `apiVersion` and `kind`");
    check_nonsense("duplicate_child", "render", "it has two of child `thing`");
    check_nonsense("bad_id", "render", "`children[0]` is not an id: `[A-Za-z][A-Za-z0-9_-]*`, at most 63 characters");
    check_nonsense("excluded_child", "render", "`thing` is excluded, and rendered or blocked as well");
    check_nonsense("other_crd", "prepare", "`api.crd` is not the definition of `api.kind` with its plural and scope");
    check_nonsense("baseless_refusal", "prepare", "`problems` is not a list with an error in it");
}

#[test]
fn a_flood_of_log_lines_is_cut() {
    let answer = guests::run(&guests::sandbox(), &guests::binary("log_flood")).unwrap();
    assert_eq!(answer.log.len(), Limits::default().log_lines);
    assert!(answer.log.iter().all(|line| line.message.len() == Limits::default().log_line + "…".len()));
}

#[test]
fn a_module_that_refuses_its_input_is_heard() {
    let module = guests::module("refusal");
    let error = module.prepare(&guests::instance("one"), &[]).unwrap_err();
    assert_eq!(
        guests::told(&error),
        "InvalidDefinition, input: the definition has 1 problem: `strin` is no type at `/spec`"
    );
    let problem = &error.problems()[0];
    assert_eq!((problem.code.as_str(), problem.span), ("UnknownType", Some((2, 5))));
    assert_eq!(problem.hint.as_deref(), Some("did you mean `string`?"));
}

#[test]
fn a_module_that_blames_itself_is_believed() {
    let error = guests::module("refusal").render(b"", &guests::instance("one"), &[]).unwrap_err();
    assert_eq!(
        guests::told(&error),
        "ModuleInternal, module: module `DIGEST` failed in `render`: it reports an internal error: lost the thread"
    );
}

#[test]
fn every_guest_has_a_test() {
    let tests = [
        include_str!("hostile.rs"),
        include_str!("isolation.rs"),
        include_str!("loading.rs"),
        include_str!("../cli/module/test.rs"),
    ]
    .concat();
    for entry in fs::read_dir(guests::folder()).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "wat") {
            let name = path.file_stem().unwrap().to_str().unwrap();
            assert!(tests.contains(&format!("\"{name}\"")), "guest `{name}` has no test");
        }
    }
}
