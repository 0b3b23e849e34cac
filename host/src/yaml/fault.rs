//! What can be wrong with a text, in words that help.

use std::ops::Range;

use super::MAX_DEPTH;

/// What is wrong, without the file's name.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) also: Option<(Range<usize>, String)>,
}

pub(super) fn not_a_key(at: Range<usize>) -> Fault {
    Fault {
        at,
        message: "a key must be a single word or text, not a list or a mapping".to_owned(),
        hint: Some("quote a value that starts with `{` or `[`, such as `\"{{ name }}\"`".to_owned()),
        also: None,
    }
}

/// The first letter that YAML does not let a text have.
pub(super) fn unprintable(text: &str) -> Option<Fault> {
    let is_odd = |(_, letter): &(usize, char)| match letter {
        '\t' | '\n' | '\r' | '\u{85}' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        letter => letter.is_control(),
    };
    let (at, letter) = text.char_indices().find(is_odd)?;
    let message = format!("control characters are not allowed, and here is U+{:04X}", u32::from(letter));
    let hint = format!("take it out, or write it within double quotes as `\\u{:04x}`", u32::from(letter));
    Some(Fault { at: at..at + letter.len_utf8(), message, hint: Some(hint), also: None })
}

pub(super) fn too_deep(at: Range<usize>) -> Fault {
    let message = format!("nested more than {MAX_DEPTH} levels deep");
    Fault { at: at.start..at.start, message, hint: None, also: None }
}

/// What to do about a line whose value is an expression without quotes that YAML
/// takes apart.
pub(super) fn unquoted(line: &str) -> Option<String> {
    if let Some(expression) = in_flow(line) {
        return Some(format!("quote an expression between `{{` and `}}` or `[` and `]`: `\"{expression}\"`"));
    }
    let (before, expression) = line.split_at(line.find("${")?);
    let is_value = before.trim_end().ends_with(['-', ':']);
    let expression = expression.trim_end();
    if !is_value || !expression.contains(": ") {
        return None;
    }
    let quoted = expression.replace('\'', "''");
    Some(format!("quote an expression that contains `: `, such as `'{quoted}'`"))
}

/// An expression without quotes in a mapping or a list on one line, whose braces
/// YAML takes for its own.
fn in_flow(line: &str) -> Option<&str> {
    let opened = line.find(['{', '['])?;
    let start = line.match_indices("${").map(|(at, _)| at).find(|at| {
        *at > opened && line[..*at].trim_end().ends_with([':', ',', '[']) && !line[..opened].ends_with('$')
    })?;
    let end = line[start..].find('}').map_or(line.len(), |end| start + end + 1);
    line.get(start..end)
}

/// The parser's words with what usually helps.
pub(super) fn explain(info: &str) -> (String, Option<String>) {
    let hint = match info {
        info if info.contains("mapping values are not allowed") => {
            "check the indentation of this line, and quote a value that contains `: `"
        }
        info if info.contains("node content") => {
            "a value belongs here; quote text that starts with a bracket or a brace"
        }
        info if info.contains("tab") => "indent with spaces",
        info if info.contains("unknown anchor") => {
            "an anchor `&name` must come before its alias `*name`; quote text that starts with `*`"
        }
        info if info.contains("quoted scalar") => "close the quotes",
        info if info.contains("did not find expected ',' or") => {
            "put a comma between two entries, or close the bracket or brace before this place"
        }
        info if info.contains("flow") || info.contains("illegal placement") => {
            "close the bracket or brace before this place"
        }
        info if info.contains("block") || info.contains("indentation") || info.contains("simple key") => {
            "check the indentation: everything on one level must start in the same column"
        }
        _ => return (info.to_owned(), None),
    };
    (info.to_owned(), Some(hint.to_owned()))
}
