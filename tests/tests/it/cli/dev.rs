//! `croft dev`: files are saved, and what changes is shown.

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, Receiver},
    thread,
    time::{Duration, Instant},
};

use super::{
    Desk,
    render::{ADA, GREETING},
};

/// A `croft dev` that is read line by line, and ended when it is dropped.
struct Watched {
    process: Child,
    lines: Receiver<String>,
}

impl Drop for Watched {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Watched {
    fn start(desk: &Desk, args: &str) -> Watched {
        let mut process = Command::new(harness::croft().unwrap())
            .args(["dev"].into_iter().chain(args.split_whitespace()))
            .current_dir(desk.path(""))
            .env_clear()
            .env("HOME", desk.path(""))
            .env("XDG_CACHE_HOME", Path::new(env!("CARGO_TARGET_TMPDIR")).join("cache"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = mpsc::channel();
        let errors = BufReader::new(process.stderr.take().unwrap());
        thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Watched { process, lines }
    }

    /// What is said until a round is over.
    #[track_caller]
    fn round(&self) -> String {
        let (mut said, end) = (String::new(), Instant::now() + Duration::from_secs(60));
        while let Ok(line) = self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            said += &format!("{line}\n");
            if line.starts_with("note: ") && line.ends_with(" ms") {
                return said;
            }
        }
        panic!("no round ended; it said:\n{said}");
    }
}

#[track_caller]
fn says(said: &str, parts: &[&str]) {
    for part in parts {
        assert!(said.contains(part), "`{part}` is not in:\n{said}");
    }
}

#[test]
fn what_a_saved_definition_changes_is_shown() {
    let desk = Desk::with(&[("definition.yaml", GREETING), ("ada.yaml", ADA)]);
    let dev = Watched::start(&desk, "");
    says(&dev.round(), &["  Greeting team/ada\n", "note: 1 definition, 1 instance, 0 fixtures in "]);
    desk.write("definition.yaml", GREETING.replace("}, ${schema.spec.name}!", "} ${schema.spec.name}."));
    let changed = [
        "changed: definition.yaml\n",
        "  Greeting team/ada\n    --- before\n",
        "-  message: Hello, ada!\n",
        "+  message: Hello ada.\n",
    ];
    says(&dev.round(), &changed);
    // As editors save: another file takes its place.
    desk.write(
        "new",
        ADA.replace("name: ada\n", "name: ada\n  loud: true\n").replacen("name: ada\n  loud: true\n", "name: ada\n", 1),
    );
    fs::rename(desk.path("new"), desk.path("ada.yaml")).unwrap();
    says(&dev.round(), &["changed: ada.yaml\n", "+  name: ada-horn\n"]);
}

#[test]
fn a_definition_that_is_wrong_is_said_and_hides_nothing() {
    let desk = Desk::with(&[("definition.yaml", GREETING), ("ada.yaml", ADA)]);
    let dev = Watched::start(&desk, "definition.yaml ada.yaml");
    dev.round();
    desk.write("definition.yaml", GREETING.replace("card.metadata.uid", "crad.metadata.uid"));
    let said = dev.round();
    says(&said, &["error[UnknownIdentifier]", "--> definition.yaml:", "not all well"]);
    assert!(!said.contains("--- before"), "{said}");
    desk.write("definition.yaml", GREETING);
    let said = dev.round();
    says(&said, &["changed: definition.yaml\n", "note: 1 definition, 1 instance"]);
    assert!(!said.contains("--- before"), "nothing is another one than before:\n{said}");
}

#[test]
fn fixtures_are_answered_and_new_ones_are_found() {
    let desk = Desk::with(&[("definition.yaml", GREETING)]).deep("fixtures/first/instance.yaml", ADA);
    let dev = Watched::start(&desk, "");
    says(&dev.round(), &["  fixture first\n", "fixture first does not answer what is expected", "1 fixture in "]);
    let desk = desk
        .deep("fixtures/second/instance.yaml", ADA.replace("\n  name: ada\n  namespace", "\n  name: bob\n  namespace"));
    let mut said = dev.round();
    // The folder is seen before its file.
    while !said.contains("2 fixtures") {
        said = dev.round();
    }
    desk.write("definition.yaml", GREETING.replace("-card", "-note"));
    says(&dev.round(), &["  fixture first\n", "  fixture second\n", "+      name: ada-note\n"]);
}

#[test]
fn what_is_not_there_is_refused() {
    Desk::with(&[]).croft("dev nowhere").refused(&["there is no `nowhere`", "hint: name a project's folder"]);
}
