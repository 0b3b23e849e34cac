use super::*;
use crate::yaml::Source;

const TEXT: &str = "apiVersion: kro.run/v1alpha1\nkind: ResourceGroup\nspec:\n  schema:\n    kind: Thing\n    spec:\n      name: strng | default=${x}\n";

fn document() -> Document {
    Source::parse("rg.yaml", TEXT).unwrap().documents.remove(0)
}

fn problem(severity: Severity, at: &str, span: Option<(u32, u32)>, message: &str, hint: Option<&str>) -> Problem {
    let code = "SomeCode".to_owned();
    Problem { severity, code, at: at.to_owned(), span, message: message.to_owned(), hint: hint.map(str::to_owned) }
}

#[derive(Debug, thiserror::Error)]
#[error("{words}")]
struct Link {
    words: &'static str,
    #[source]
    source: Option<Box<Link>>,
}

fn linked(words: &[&'static str]) -> Link {
    Link { words: words[0], source: (words.len() > 1).then(|| Box::new(linked(&words[1..]))) }
}

#[test]
fn problems_are_shown_in_the_order_of_the_file_each_with_its_place() {
    let problems = vec![
        problem(
            Severity::Error,
            "/spec/schema/spec/name",
            Some((0, 5)),
            "no type `strng`",
            Some("did you mean `string`?"),
        ),
        problem(Severity::Warning, "/kind", None, "an odd kind", None),
        problem(Severity::Error, "/spec/resources", None, "no resources", None),
    ];
    let text = Failure::problems(&document(), problems).render(Look::Plain);
    assert_eq!(
        text,
        "\
warning[SomeCode]: an odd kind
 --> rg.yaml:2:7
  |
2 | kind: ResourceGroup
  |       ^^^^^^^^^^^^^
error[SomeCode]: no resources
 --> rg.yaml:3:1
  |
3 | spec:
  | ^^^^ `resources` is missing here
error[SomeCode]: no type `strng`
 --> rg.yaml:7:13
  |
7 |       name: strng | default=${x}
  |             ^^^^^
  |
  = hint: did you mean `string`?
error: rg.yaml was refused: 2 problems, 1 warning
"
    );
}

#[test]
fn a_text_that_is_no_yaml_is_shown_where_it_goes_wrong() {
    let failure = Failure::from(Source::parse("x.yaml", "a: 1\nb: 2\n c: 3\n").unwrap_err());
    assert_eq!(failure.exit(), Exit::Refused);
    let text = failure.render(Look::Plain);
    assert!(text.contains(" --> x.yaml:3:") && text.contains("3 |  c: 3\n"), "{text}");
    let source = Source::parse("x.yaml", "a: 1\nb: 2\na: 3\n").unwrap();
    assert_eq!(
        Finding::odd(&source.odd[0]).render(Look::Plain),
        "\
warning[OddYaml]: the key `a` is there twice, first in line 1, and the last one counts
 --> x.yaml:3:1
  |
3 | a: 3
  | ^
  |
  = hint: keep one of the two
"
    );
}

#[test]
fn every_cause_is_said_once() {
    let failure = Failure::host(linked(&["cannot start", "no port: in use", "in use", "os error 98"])).hint("stop it");
    assert_eq!(
        failure.render(Look::Plain),
        "error: cannot start\ncause: no port: in use\ncause: os error 98\nhint: stop it\n"
    );
}

#[test]
fn the_exit_status_says_whose_turn_it_is() {
    let exit = |blame| Failure::new(blame, "x").exit();
    assert_eq!([Blame::Input, Blame::Consumer].map(exit), [Exit::Refused; 2]);
    assert_eq!([Blame::Module, Blame::Host].map(exit), [Exit::Failed; 2]);
}

#[test]
fn what_a_tenant_writes_cannot_steer_the_terminal() {
    let evil = "\u{1b}[2J\u{7}gone\u{202e}\r\nerror: fake";
    let mut bad = problem(Severity::Error, "/kind", None, evil, Some(evil));
    bad.code = evil.to_owned();
    let text = Failure::problems(&document(), vec![bad]).render(Look::Plain);
    let chain = Failure::input(evil).hint(evil).render(Look::Plain);
    for text in [text, chain] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}', '\r']), "{text:?}");
        assert!(!text.lines().any(|line| line == "error: fake"), "{text}");
    }
}

#[test]
fn colours_add_nothing_to_the_words() {
    let coloured = Failure::input("no").hint("yes").render(Look::Coloured);
    let words = coloured.replace("\u{1b}[1;31m", "").replace("\u{1b}[1;36m", "").replace("\u{1b}[0m", "");
    assert_eq!(words, "error: no\nhint: yes\n");
}
