//! Modules that croft's packing has wrapped: what their WASI answers.

use sandbox::{Error, Level};
use serde_json::json;

use super::guests;

/// Asks WASI for everything whose answer could differ, and reports what it was told
/// as an internal error of five characters: two random ones, whether a second's
/// wait took a second, how much of two bytes stderr took, and how opening a file ended.
const CURIOUS: &str = r#"(module
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "path_open"
      (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func $digit (param $at i32) (param $value i32)
      (i32.store8 (local.get $at) (i32.add (i32.const 48) (local.get $value))))
    (func (export "croft:composition/composer@0.1.0#prepare") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "croft:composition/composer@0.1.0#render") (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (call $random (i32.const 100) (i32.const 2)))
      (call $digit (i32.const 100) (i32.and (i32.load8_u (i32.const 100)) (i32.const 63)))
      (call $digit (i32.const 101) (i32.and (i32.load8_u (i32.const 101)) (i32.const 63)))

      (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 200)))
      (i64.store (i32.const 324) (i64.const 1000000000)) ;; a subscription at 300: one second
      (drop (call $poll (i32.const 300) (i32.const 400) (i32.const 1) (i32.const 208)))
      (drop (call $clock (i32.const 1) (i64.const 0) (i32.const 216)))
      (call $digit (i32.const 102)
        (i64.ge_u (i64.sub (i64.load (i32.const 216)) (i64.load (i32.const 200))) (i64.const 1000000000)))

      (i32.store (i32.const 500) (i32.const 100))
      (i32.store (i32.const 504) (i32.const 2))
      (drop (call $write (i32.const 2) (i32.const 500) (i32.const 1) (i32.const 508)))
      (call $digit (i32.const 103) (i32.load (i32.const 508)))
      (call $digit (i32.const 104) (call $open (i32.const 3) (i32.const 0) (i32.const 100) (i32.const 2)
        (i32.const 0) (i64.const 0) (i64.const 0) (i32.const 0) (i32.const 508)))

      ;; err(internal(text))
      (i32.store8 (i32.const 0) (i32.const 1))
      (i32.store8 (i32.const 4) (i32.const 1))
      (i32.store (i32.const 8) (i32.const 100))
      (i32.store (i32.const 12) (i32.const 5))
      (i32.const 0)))"#;

#[test]
fn wasi_gives_a_packed_module_the_same_answers_each_time() {
    let packed = pack::pack(&wat::parse_str(CURIOUS).unwrap()).unwrap();
    let module = guests::sandbox().load(&packed).unwrap();
    let errors: Vec<Error> = (0..3).map(|_| module.render(b"", &json!({}), &[]).unwrap_err()).collect();
    let answers: Vec<String> = errors.iter().map(guests::told).collect();
    assert!(answers[0].ends_with("128") && answers[0].contains("it reports an internal error: "), "{}", answers[0]);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    // What it wrote to stderr are the two random characters.
    let [line] = errors[0].log() else { panic!("{:?}", errors[0].log()) };
    assert_eq!(line.level, Level::Warn);
    assert!(answers[0].contains(&format!(": {}128", line.message)), "{} {}", answers[0], line.message);
}

/// `pack` cannot ask the sandbox, which is alone with wasmtime.
#[test]
fn what_is_packed_is_written_in_what_the_sandbox_runs() {
    assert_eq!(pack::SUPPORTED.bits(), sandbox::SUPPORTED.bits());
}
