//! Files that are not there, modules that are none, and a command line that
//! makes no sense.

use super::{
    Desk,
    render::{ADA, GREETING},
};

fn desk() -> Desk {
    Desk::with(&[("rg.yaml", GREETING), ("ada.yaml", ADA)])
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_the_cause() {
    desk().croft("render -f nowhere.yaml").refused(&["error: cannot read `nowhere.yaml`\ncause: No such file"]);
    let desk = desk();
    std::fs::create_dir(desk.path("empty")).unwrap();
    desk.croft("render -f empty").refused(&["the folder `empty` has no files to read", "hint: "]);
    desk.write("binary.yaml", [0x61, 0xff, 0xfe]);
    desk.croft("render -f binary.yaml").refused(&["`binary.yaml` is not UTF-8 text: byte 1"]);
    desk.write("empty.yaml", "# nothing\n---\n");
    desk.croft("render -f empty.yaml").refused(&["`empty.yaml` holds no document"]);
    desk.croft("check -f empty.yaml").refused(&["`empty.yaml` holds no document"]);
}

#[test]
fn instances_without_a_definition_and_two_definitions_are_refused() {
    desk().croft("render -f ada.yaml").refused(&["there is no definition", "hint: a definition has"]);
    desk().croft("render -f rg.yaml -f rg.yaml").refused(&["this is a second definition of Greeting.kro.run"]);
    desk().croft("check -f rg.yaml -f rg.yaml").refused(&["this is a second definition of Greeting.kro.run"]);
}

#[test]
fn stdin_can_be_read_only_once() {
    desk().croft("render -f - -f -").refused(&["the standard input can be read only once"]);
    desk().croft("render -f - --observed -").refused(&["the standard input can be read only once"]);
}

#[test]
fn a_module_that_is_none_is_refused_by_name() {
    let desk = desk();
    desk.write("core.wasm", wat::parse_str("(module)").unwrap());
    let import = "(component (import \"wasi:cli/environment@0.2.0\" (instance)))";
    desk.write("import.wasm", wat::parse_str(import).unwrap());
    for (file, says) in [
        ("ada.yaml", "not a WebAssembly component"),
        ("core.wasm", "core WebAssembly module, not a component"),
        ("import.wasm", "imports `wasi:cli/environment@0.2.0`"),
    ] {
        let ran = desk.croft(&format!("render -f rg.yaml --module {file}"));
        ran.refused(&[&format!("cannot load the module `{file}`"), says]);
    }
    desk.croft("render -f rg.yaml --module nowhere.wasm").refused(&["cannot read the module `nowhere.wasm`"]);
}

#[test]
fn a_module_reference_that_is_none_is_refused_where_it_stands() {
    let bad = GREETING.replace("spec:\n  schema:", "spec:\n  module: kro\n  schema:");
    let desk = Desk::with(&[("rg.yaml", &bad)]);
    desk.croft("render -f rg.yaml").refused(&["--> rg.yaml:6:11", "`kro` is not a module reference", "builtin:kro"]);
    desk.write("rg.yaml", bad.replace("module: kro", "module: file:core.wasm@sha256:00"));
    desk.croft("render -f rg.yaml").refused(&["--> rg.yaml:6:11", "its digest is malformed"]);
    desk.write("core.wasm", wat::parse_str("(module)").unwrap());
    let pinned = format!("module: file:core.wasm@sha256:{}", "0".repeat(64));
    desk.write("rg.yaml", bad.replace("module: kro", &pinned));
    desk.croft("render -f rg.yaml").refused(&["the definition pins its module to", "hint: restore the file"]);
}

#[test]
fn a_call_that_makes_no_sense_exits_with_2_and_says_how_to_go_on() {
    for args in ["", "rendr", "render", "render --observed x", "render -f a -o xml", "kubeconfig", "completions"] {
        let ran = desk().croft(args);
        assert_eq!((ran.status, ran.stdout.as_str()), (2, ""), "{args}");
        assert!(ran.stderr.contains("--help") || ran.stderr.contains("Usage:"), "{args}: {}", ran.stderr);
    }
    let ran = desk().croft_with("render -f rg.yaml", &[("CROFT_LOG", "host=loud")], "");
    assert!(ran.status == 2 && ran.stderr.contains("--log"), "{ran:?}");
}

#[test]
fn version_help_and_completions_are_data() {
    let version = desk().croft("--version").done().stdout;
    assert!(version.starts_with("croft ") && version.trim().ends_with(env!("CARGO_PKG_VERSION")), "{version}");
    assert!(desk().croft("render --help").done().stdout.contains("Examples:"));
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let ran = desk().croft(&format!("completions {shell}")).done();
        assert!(ran.stdout.contains("kubeconfig") && ran.stderr.is_empty(), "{shell}");
    }
}

#[test]
fn nothing_is_coloured_where_nobody_looks() {
    let ran = desk().croft_with("render -f nowhere.yaml -v", &[("TERM", "xterm-256color")], "");
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
}
