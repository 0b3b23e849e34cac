//! Go's regular expressions, which is what the API server knows, in terms of
//! the `regex` crate's.
//!
//! The two agree on nearly everything. What only Go takes is rewritten, what
//! only the crate takes is refused. A pattern in a CRD stays as it was written.

use std::fmt::Write as _;

use regex::Regex;

/// Go repeats nothing more often than this.
const MAX_REPEAT: u32 = 1000;

/// The names that may stand in `[[:name:]]`.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// The pattern, or why it is none.
pub(super) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = Translation { rest: pattern, text: String::new(), last: Last::Nothing }.run()?;
    Regex::new(&translated).map_err(|error| {
        let text = error.to_string();
        // A syntax error is drawn over several lines, the last of which says it.
        let last = text.lines().last().unwrap_or_default();
        last.strip_prefix("error: ").unwrap_or(last).to_owned()
    })
}

/// What a repetition would repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Atom,
    Repeat,
    LazyRepeat,
}

struct Translation<'p> {
    rest: &'p str,
    text: String,
    last: Last,
}

impl Translation<'_> {
    fn run(mut self) -> Result<String, String> {
        while let Some(letter) = self.take() {
            match letter {
                '\\' => self.escape().map(drop)?,
                '[' => self.class()?,
                '(' => self.group()?,
                '*' | '+' | '?' => self.repeat(letter, "")?,
                '{' => self.braces()?,
                '|' => self.push(Last::Nothing, "|"),
                // The crate would read something else into these.
                '}' | ']' => self.push(Last::Atom, &format!("\\{letter}")),
                _ => self.push(Last::Atom, letter.encode_utf8(&mut [0; 4])),
            }
        }
        Ok(self.text)
    }

    fn take(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.rest = &self.rest[letter.len_utf8()..];
        Some(letter)
    }

    fn push(&mut self, last: Last, text: &str) {
        self.text.push_str(text);
        self.last = last;
    }

    /// What follows a backslash. Says whether it stands for several letters.
    fn escape(&mut self) -> Result<bool, String> {
        let Some(letter) = self.take() else { return Err("trailing backslash at end of expression".to_owned()) };
        // The crate's classes are those of Unicode, Go's of ASCII.
        let class = match letter {
            'd' => "[0-9]",
            'D' => "[^0-9]",
            's' => "[\\t\\n\\f\\r ]",
            'S' => "[^\\t\\n\\f\\r ]",
            'w' => "[0-9A-Za-z_]",
            'W' => "[^0-9A-Za-z_]",
            _ => "",
        };
        match letter {
            _ if !class.is_empty() => self.push(Last::Atom, class),
            'Q' => self.quoted(),
            'p' | 'P' | 'x' if self.rest.starts_with('{') => {
                let Some(close) = self.rest.find('}') else { return Err("missing closing }".to_owned()) };
                let (name, rest) = self.rest.split_at(close + 1);
                self.rest = rest;
                self.push(Last::Atom, &format!("\\{letter}{name}"));
            }
            _ => self.push(Last::Atom, &format!("\\{letter}")),
        }
        Ok(!class.is_empty() || matches!(letter, 'p' | 'P'))
    }

    /// The text up to `\E`, which stands for itself.
    fn quoted(&mut self) {
        let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.rest = rest;
        self.push(Last::Atom, &regex::escape(text));
    }

    fn group(&mut self) -> Result<(), String> {
        self.push(Last::Nothing, "(");
        let Some(inside) = self.rest.strip_prefix('?') else { return Ok(()) };
        let flags = inside.find([':', ')', '<', 'P']).map_or(inside, |end| &inside[..end]);
        if let Some(unknown) = flags.chars().find(|flag| !"imsU-".contains(*flag)) {
            return Err(format!("invalid or unsupported Perl syntax: `(?{unknown}`"));
        }
        self.rest = inside;
        self.push(Last::Nothing, "?");
        // A name, or flags, is nothing that could be repeated.
        while let Some(letter) = self.rest.chars().next().filter(|letter| !matches!(letter, ':' | ')' | '>')) {
            self.take();
            self.push(Last::Nothing, letter.encode_utf8(&mut [0; 4]));
        }
        Ok(())
    }

    fn repeat(&mut self, letter: char, braces: &str) -> Result<(), String> {
        let last = match (self.last, letter) {
            (Last::Nothing, _) => return Err(format!("missing argument to repetition operator: `{letter}`")),
            (Last::Atom, _) => Last::Repeat,
            (Last::Repeat, '?') => Last::LazyRepeat,
            (Last::Repeat | Last::LazyRepeat, _) => {
                return Err(format!("invalid nested repetition operator: `{letter}`"));
            }
        };
        self.push(last, letter.encode_utf8(&mut [0; 4]));
        self.text.push_str(braces);
        Ok(())
    }

    /// `{2}`, `{2,}` and `{2,3}` repeat. Anything else in braces is text.
    fn braces(&mut self) -> Result<(), String> {
        let counts = self.rest.split_once('}').and_then(|(inside, rest)| {
            let (from, to) = inside.split_once(',').unwrap_or((inside, inside));
            let is_count = |count: &str| !count.is_empty() && count.chars().all(|digit| digit.is_ascii_digit());
            (is_count(from) && (to.is_empty() || is_count(to))).then_some((inside, rest, [from, to]))
        });
        let Some((inside, rest, bounds)) = counts else {
            self.push(Last::Atom, "\\{");
            return Ok(());
        };
        let too_often =
            |count: &&str| !count.is_empty() && !count.parse::<u32>().is_ok_and(|count| count <= MAX_REPEAT);
        if bounds.iter().any(too_often) {
            return Err(format!("invalid repeat count: `{{{inside}}}`"));
        }
        self.rest = rest;
        self.repeat('{', &format!("{inside}}}"))
    }

    fn class(&mut self) -> Result<(), String> {
        self.push(Last::Nothing, "[");
        if let Some(rest) = self.rest.strip_prefix('^') {
            self.rest = rest;
            self.text.push('^');
        }
        let (mut first, mut after_class, mut after_dash) = (true, false, false);
        loop {
            let Some(letter) = self.take() else { return Err("missing closing ]".to_owned()) };
            let (was_class, was_dash) = (after_class, after_dash);
            (after_class, after_dash) = (false, letter == '-');
            match letter {
                ']' if !first => break,
                '\\' => after_class = self.escape()?,
                '[' if self.rest.strip_prefix(':').is_some_and(|rest| rest.contains(":]")) => {
                    after_class = self.posix()?;
                }
                // After a class it is no range for Go; two of them are an
                // operator for the crate.
                '-' if !was_class && !was_dash => self.text.push('-'),
                '[' | ']' | '-' | '&' | '~' => {
                    // Writing to a string cannot fail.
                    let _ = write!(self.text, "\\{letter}");
                }
                _ => self.text.push(letter),
            }
            first = false;
        }
        self.push(Last::Atom, "]");
        Ok(())
    }

    /// `[:name:]`, of which the bracket was read.
    fn posix(&mut self) -> Result<bool, String> {
        let (name, rest) = self.rest[1..].split_once(":]").unwrap_or_default();
        if !POSIX.contains(&name.strip_prefix('^').unwrap_or(name)) {
            return Err(format!("invalid character class range: `[:{name}:]`"));
        }
        self.rest = rest;
        let _ = write!(self.text, "[:{name}:]");
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_of_go_matches_what_go_matches() {
        for (pattern, matching, other) in [
            (r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$", "a.b@c.de", "a@b"),
            (r"^[\w\.-]+@[\w-.]+$", "a-b@c.d", "é@c"),
            (r"^[[a]$", "[", "b"),
            (r"^[]a]+$", "]a", "b"),
            (r"^[a&&b]+$", "a&b", "c"),
            (r"^[+--]$", ",", "."),
            (r"^{.*}$", "{x}", "x"),
            (r"^a{2,3}$", "aaa", "aaaa"),
            (r"^[[:alpha:]_]+$", "ab_", "1"),
            (r"^\Qa.b\E$", "a.b", "axb"),
            (r"^\p{Greek}+$", "αβ", "ab"),
            (r"(?i)^abc$", "ABC", "abd"),
            (r"^(?P<name>a|b)+?$", "ab", "c"),
            (r"^\d+$", "12", "١"),
        ] {
            let compiled = compile(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
            assert!(compiled.is_match(matching), "{pattern} does not match {matching}");
            assert!(!compiled.is_match(other), "{pattern} matches {other}");
        }
    }

    #[test]
    fn what_is_no_pattern_for_go_is_refused() {
        for pattern in [
            "[",
            "[unclosed",
            "(",
            "a)",
            "*a",
            "a**",
            "a*+",
            "a{2}{3}",
            "a{1001}",
            "a{3,2}",
            "(?x)a",
            "(?=a)",
            "(?<=a)b",
            r"\1",
            "\\",
            "[[:foo:]]",
            r"\p{Nothing}",
            "a|*",
        ] {
            assert!(compile(pattern).is_err(), "{pattern} is taken");
        }
    }
}
