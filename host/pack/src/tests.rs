//! What is packed, and what bad files are told.

use std::error::Error as _;

use super::*;

/// The two functions, a memory and an allocator, as a compiler would emit them.
fn core(version: &str, more: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            {more}
            (memory (export "memory") 1)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
            (func (export "croft:composition/composer@{version}#prepare") (param i32 i32 i32 i32) (result i32)
              unreachable)
            (func (export "croft:composition/composer@{version}#render") (param i32 i32 i32 i32 i32 i32) (result i32)
              unreachable))"#
    );
    wat::parse_str(text).unwrap()
}

fn importing(import: &str) -> Vec<u8> {
    core("0.1.0", &format!("(import {import})"))
}

fn refusal(wasm: &[u8]) -> String {
    let error = pack(wasm).unwrap_err();
    let mut told = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        told = format!("{told}: {cause}");
        source = cause.source();
    }
    format!("{told}\nhint: {}", error.hint())
}

/// The interfaces with functions that a component imports.
fn imports(component: &[u8]) -> Vec<String> {
    let decoded = wit_component::decode(component).unwrap();
    let wit_component::DecodedWasm::Component(resolve, world) = decoded else { panic!("a package") };
    let callable = |item: &wit_parser::WorldItem| match item {
        wit_parser::WorldItem::Interface { id, .. } => !resolve.interfaces[*id].functions.is_empty(),
        _ => true,
    };
    let imports = resolve.worlds[world].imports.iter().filter(|(_, item)| callable(item));
    imports.map(|(key, _)| resolve.name_world_key(key)).collect()
}

#[test]
fn a_core_module_that_names_the_contract_needs_no_description() {
    let component = pack(&core("0.1.0", "")).unwrap();
    assert!(imports(&component).is_empty());
    assert_eq!(component, pack(&component).unwrap(), "a packed module is left as it is");
}

#[test]
fn a_described_core_module_is_packed_by_its_description() {
    let mut described = core("0.1.0", "");
    let (contract, world) = contract();
    wit_component::embed_component_metadata(&mut described, &contract, world, StringEncoding::UTF8).unwrap();
    assert!(imports(&pack(&described).unwrap()).is_empty());
}

#[test]
fn the_log_stays_an_import() {
    let log = importing(&format!("\"{LOG}\" \"log\" (func (param i32 i32 i32))"));
    assert_eq!(imports(&pack(&log).unwrap()), [LOG]);
}

#[test]
fn wasi_is_answered_inside_of_the_component() {
    let wasi = importing("\"wasi_snapshot_preview1\" \"random_get\" (func (param i32 i32) (result i32))");
    assert!(imports(&pack(&wasi).unwrap()).is_empty());
}

/// Each function of the preview with its type: a runtime may import any of them.
#[test]
fn every_function_of_wasi_preview_1_is_answered() {
    let two = "param i32 i32";
    let functions = [
        ("args_get", two),
        ("args_sizes_get", two),
        ("environ_get", two),
        ("environ_sizes_get", two),
        ("clock_res_get", two),
        ("clock_time_get", "param i32 i64 i32"),
        ("fd_advise", "param i32 i64 i64 i32"),
        ("fd_allocate", "param i32 i64 i64"),
        ("fd_close", "param i32"),
        ("fd_datasync", "param i32"),
        ("fd_fdstat_get", two),
        ("fd_fdstat_set_flags", two),
        ("fd_fdstat_set_rights", "param i32 i64 i64"),
        ("fd_filestat_get", two),
        ("fd_filestat_set_size", "param i32 i64"),
        ("fd_filestat_set_times", "param i32 i64 i64 i32"),
        ("fd_pread", "param i32 i32 i32 i64 i32"),
        ("fd_prestat_dir_name", "param i32 i32 i32"),
        ("fd_prestat_get", two),
        ("fd_pwrite", "param i32 i32 i32 i64 i32"),
        ("fd_read", "param i32 i32 i32 i32"),
        ("fd_readdir", "param i32 i32 i32 i64 i32"),
        ("fd_renumber", two),
        ("fd_seek", "param i32 i64 i32 i32"),
        ("fd_sync", "param i32"),
        ("fd_tell", two),
        ("fd_write", "param i32 i32 i32 i32"),
        ("path_create_directory", "param i32 i32 i32"),
        ("path_filestat_get", "param i32 i32 i32 i32 i32"),
        ("path_filestat_set_times", "param i32 i32 i32 i32 i64 i64 i32"),
        ("path_link", "param i32 i32 i32 i32 i32 i32 i32"),
        ("path_open", "param i32 i32 i32 i32 i32 i64 i64 i32 i32"),
        ("path_readlink", "param i32 i32 i32 i32 i32 i32"),
        ("path_remove_directory", "param i32 i32 i32"),
        ("path_rename", "param i32 i32 i32 i32 i32 i32"),
        ("path_symlink", "param i32 i32 i32 i32 i32"),
        ("path_unlink_file", "param i32 i32 i32"),
        ("poll_oneoff", "param i32 i32 i32 i32"),
        ("proc_raise", "param i32"),
        ("random_get", two),
        ("sched_yield", "param"),
        ("sock_accept", "param i32 i32 i32"),
        ("sock_recv", "param i32 i32 i32 i32 i32 i32"),
        ("sock_send", "param i32 i32 i32 i32 i32"),
        ("sock_shutdown", two),
    ];
    let import = |(name, types): &(&str, &str)| format!("(import \"{WASI}\" \"{name}\" (func ({types}) (result i32)))");
    let mut all: String = functions.iter().map(import).collect();
    all += &format!("(import \"{WASI}\" \"proc_exit\" (func (param i32)))");
    // It is where stderr goes.
    assert_eq!(imports(&pack(&core("0.1.0", &all)).unwrap()), [LOG]);
}

#[test]
fn imports_that_nobody_answers_are_refused_by_name() {
    for (import, says) in [
        (
            "\"env\" \"puts\" (func)",
            "it imports `env.puts`, and a module may import nothing but `croft:composition/log@0.1.0`\nhint: the linker",
        ),
        ("\"wasi_unstable\" \"fd_write\" (func)", "it imports `wasi_unstable.fd_write`"),
        ("\"wasi_snapshot_preview1\" \"fd_write2\" (func)", "`wasi_snapshot_preview1.fd_write2`"),
        ("\"gojs\" \"runtime.wasmExit\" (func)", "hint: build it with `GOOS=wasip1`"),
        ("\"__wbindgen_placeholder__\" \"x\" (func)", "hint: a dependency is built for browsers"),
    ] {
        let told = refusal(&importing(import));
        assert!(told.contains(says), "{told}");
    }
}

#[test]
fn a_component_that_imports_wasi_is_refused_with_what_its_tool_can_do() {
    let component = r#"(component
        (import "wasi:random/insecure@0.2.0" (instance (export "seed" (func (result u64)))))
        (core module $m (func (export "f")))
        (instance $composer)
        (export "croft:composition/composer@0.1.0" (instance $composer)))"#;
    let told = refusal(&wat::parse_str(component).unwrap());
    assert!(told.starts_with("it imports `wasi:random/insecure@0.2.0`, and a module may import nothing but"), "{told}");
    assert!(told.contains("hint: have the language's tool leave WASI out"), "{told}");
}

#[test]
fn another_world_and_another_version_are_told_apart() {
    let other = wat::parse_str("(component (instance $i) (export \"wasi:cli/run@0.2.0\" (instance $i)))").unwrap();
    let told = refusal(&other);
    assert!(told.starts_with("it exports `wasi:cli/run@0.2.0`, and this croft speaks `croft:composition/"), "{told}");
    assert!(told.contains("hint: a module exports `prepare` and `render`"), "{told}");

    let version = "(component (instance $i) (export \"croft:composition/composer@0.2.0\" (instance $i)))";
    let told = refusal(&wat::parse_str(version).unwrap());
    assert!(told.starts_with("it exports `croft:composition/composer@0.2.0`, and this croft speaks"), "{told}");
    assert!(told.contains("hint: the module was built for another version of the contract"), "{told}");

    let told = refusal(&core("0.2.0", ""));
    assert!(told.contains("and it exports `croft:composition/composer@0.2.0`"), "{told}");
    assert!(told.contains("hint: the module was built for another version"), "{told}");
}

#[test]
fn the_contracts_names_with_other_types_are_refused() {
    let empty = "(component (instance $i) (export \"croft:composition/composer@0.1.0\" (instance $i)))";
    let told = refusal(&wat::parse_str(empty).unwrap());
    assert!(
        told.starts_with("it names `croft:composition/composer@0.1.0`, but its functions have other types"),
        "{told}"
    );
    let flat = r#"(module (memory (export "memory") 1)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "croft:composition/composer@0.1.0#prepare") (param i32) (result i32) unreachable)
        (func (export "croft:composition/composer@0.1.0#render") (param i32) (result i32) unreachable))"#;
    let told = refusal(&wat::parse_str(flat).unwrap());
    assert!(told.starts_with("it names `croft:composition/composer@0.1.0`, but"), "{told}");
}

#[test]
fn a_core_module_without_description_is_refused() {
    let told = refusal(&wat::parse_str("(module (func (export \"main\")))").unwrap());
    assert!(told.starts_with("it is a core module without a description of its interface, and it exports"), "{told}");
    let one = "(module (func (export \"croft:composition/composer@0.1.0#render\")))";
    let told = refusal(&wat::parse_str(one).unwrap());
    assert!(told.starts_with("it exports no function `croft:composition/composer@0.1.0#prepare`"), "{told}");
}

#[test]
fn a_core_module_is_no_answer_to_a_check() {
    let error = check(&core("0.1.0", "")).unwrap_err();
    assert_eq!(error.to_string(), "it is a core module, not a component");
    assert_eq!(error.hint(), "make a component of it: `croft module pack FILE -o FILE`");
}

#[test]
fn what_is_not_webassembly_is_named() {
    for (bytes, says) in [
        (&b""[..], "it is empty"),
        (b"#!/bin/sh\n", "does not begin with `\\0asm`"),
        (b"(module)", "WebAssembly text"),
        (b"\0asm\x02\0\0\0", "of an unknown version"),
    ] {
        let told = refusal(bytes);
        assert!(told.starts_with("it is not WebAssembly: ") && told.contains(says), "{told}");
    }
}

#[test]
fn a_proposal_that_croft_does_not_run_is_named() {
    let shared = wat::parse_str("(module (memory 1 1 shared))").unwrap();
    let told = refusal(&shared);
    assert!(told.starts_with("it uses the WebAssembly proposal `threads` at byte "), "{told}");
}

/// Where the last section ends that is more than a remark of a tool.
fn end_of_substance(wasm: &[u8]) -> usize {
    let sections = wasmparser::Parser::new(0).parse_all(wasm).map(Result::unwrap);
    let sections = sections.filter(|payload| !matches!(payload, wasmparser::Payload::CustomSection(_)));
    sections.filter_map(|payload| payload.as_section()).map(|(_, range)| range.end).max().unwrap()
}

#[test]
fn a_file_that_was_cut_off_is_refused_wherever_it_ends() {
    for whole in [core("0.1.0", ""), pack(&core("0.1.0", "")).unwrap()] {
        // In steps: packing is slow where nothing is optimised.
        for end in (0..end_of_substance(&whole)).step_by(5) {
            let Err(error) = pack(&whole[..end]) else { panic!("{end} of {} bytes were packed", whole.len()) };
            assert!(!error.to_string().is_empty() && !error.hint().is_empty());
        }
        let told = refusal(&whole[..whole.len() - 1]);
        assert!(told.starts_with("it is malformed at byte ") && told.ends_with("build it or fetch it again"), "{told}");
    }
}

/// Wherever a bit flips, the file is refused with a hint, or still is a
/// module: a name in it may be another one.
#[test]
fn a_flipped_bit_is_refused_or_harmless() {
    let core = core("0.1.0", "");
    let mut described = core.clone();
    let (contract, world) = contract();
    wit_component::embed_component_metadata(&mut described, &contract, world, StringEncoding::UTF8).unwrap();
    for whole in [pack(&core).unwrap(), core, described] {
        let mut refused = 0;
        for byte in (0..whole.len()).step_by(5) {
            let mut flipped = whole.clone();
            flipped[byte] ^= 1 << (byte % 8);
            match pack(&flipped) {
                Ok(packed) => check(&packed).unwrap(),
                Err(error) => {
                    refused += 1;
                    assert!(!error.to_string().is_empty() && !error.hint().is_empty());
                }
            }
        }
        assert!(refused > 30, "only {refused} of {} flipped bits were refused", whole.len() / 5);
    }
}
