//! Go's regular expressions, which are those of cel-go and of the API server, in
//! terms of the `regex` crate's.
//!
//! The two agree on nearly everything. What only Go takes is rewritten, what
//! only the crate takes is refused, and what both take means what it means to
//! Go: classes and word boundaries are of ASCII.

mod scripts;

use std::fmt::Write as _;

use regex::Regex;

use scripts::SCRIPTS;

/// Go repeats nothing more often than this.
const MAX_REPEAT: u32 = 1000;

/// The names that may stand in `[[:name:]]`.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space", "upper", "word",
    "xdigit",
];

/// A pattern of Go's as one of the `regex` crate.
///
/// # Errors
/// It is none for Go, which would say so in these words.
pub fn translate(pattern: &str) -> Result<String, String> {
    Translation { rest: pattern, text: String::new(), last: Last::Nothing }.run()
}

/// The compiled form of a pattern of Go's.
///
/// # Errors
/// It is none for Go, or too large; in Go's words for the commonest mistakes.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    regex::RegexBuilder::new(&translated).size_limit(1 << 20).build().map_err(|error| bad_pattern(pattern, &error))
}

/// In the words of Go for the commonest mistakes.
fn bad_pattern(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    if text.contains("unclosed group") {
        format!("missing closing ): `{pattern}`")
    } else if text.contains("unopened group") {
        format!("unexpected ): `{pattern}`")
    } else if text.contains("unclosed character class") {
        format!("missing closing ]: `{pattern}`")
    } else if text.contains("repetition operator missing expression") {
        format!("missing argument to repetition operator: `{pattern}`")
    } else {
        format!("{}: `{pattern}`", text.lines().last().unwrap_or_default().trim_start_matches("error: "))
    }
}

/// Whether a word is the name of a general category of Unicode, short or long.
fn is_category(name: &str) -> bool {
    let is_word = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_word && Regex::new(&format!("\\p{{gc={name}}}")).is_ok()
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
                '\\' => self.escape(false).map(drop)?,
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
    fn escape(&mut self, in_class: bool) -> Result<bool, String> {
        let Some(letter) = self.take() else { return Err("trailing backslash at end of expression: ``".to_owned()) };
        // The crate's classes and word boundaries are those of Unicode, Go's of ASCII.
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
            'p' | 'P' => self.property(letter)?,
            'b' if !in_class => self.push(Last::Atom, "(?-u:\\b)"),
            'B' if !in_class => self.push(Last::Atom, "(?-u:\\B)"),
            'A' | 'z' if !in_class => self.push(Last::Atom, &format!("\\{letter}")),
            'Q' if !in_class => self.quoted(),
            _ => self.letter(letter)?,
        }
        Ok(!class.is_empty() || matches!(letter, 'p' | 'P'))
    }

    /// `\pN`, `\p{Greek}` or `\p{^Greek}`: a category or a script.
    fn property(&mut self, letter: char) -> Result<(), String> {
        let invalid = |name: &str| format!("invalid character class range: `\\{letter}{name}`");
        let inside = self.rest.strip_prefix('{').map(|inside| inside.split_once('}').ok_or_else(|| invalid(self.rest)));
        let (name, rest) = match inside {
            Some(inside) => inside?,
            None => self.rest.split_at(self.rest.chars().next().map_or(0, char::len_utf8)),
        };
        let (name, is_negated) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        // Go looks a name up without its case, spaces, `_` and `-`.
        let known: String = name.chars().filter(|it| !matches!(it, ' ' | '_' | '-')).collect();
        let known = known.to_ascii_lowercase();
        let negated = (letter == 'P') != is_negated;
        let class = match known.as_str() {
            // Halves of surrogate pairs, of which no text has any.
            "cs" | "surrogate" => {
                let none_or_all = if negated { "[\\x{0}-\\x{10FFFF}]" } else { "[a&&b]" };
                self.rest = rest;
                self.push(Last::Atom, none_or_all);
                return Ok(());
            }
            "any" | "ascii" | "assigned" => known,
            // The crate knows more than Go, such as `Latn` and `Alphabetic`.
            name if SCRIPTS.binary_search(&name).is_ok() => format!("sc={name}"),
            name if is_category(name) => format!("gc={name}"),
            _ => return Err(invalid(&format!("{{{name}}}"))),
        };
        self.rest = rest;
        let letter = if negated { 'P' } else { 'p' };
        self.push(Last::Atom, &format!("\\{letter}{{{class}}}"));
        Ok(())
    }

    /// A backslash and what stands for one letter.
    fn letter(&mut self, letter: char) -> Result<(), String> {
        let invalid = || Err(format!("invalid escape sequence: `\\{letter}`"));
        let code = match letter {
            'a' => 7,
            't' => 9,
            'n' => 10,
            'v' => 11,
            'f' => 12,
            'r' => 13,
            '0' => self.octal(0, 2),
            '1'..='7' if self.rest.starts_with(|next| matches!(next, '0'..='7')) => {
                self.octal(letter.to_digit(8).unwrap_or_default(), 2)
            }
            'x' => match self.hexadecimal() {
                Some(code) => code,
                None => return invalid(),
            },
            _ if letter.is_ascii() && !letter.is_ascii_alphanumeric() => u32::from(letter),
            _ => return invalid(),
        };
        self.push(Last::Atom, &format!("\\x{{{code:x}}}"));
        Ok(())
    }

    fn octal(&mut self, first: u32, more: usize) -> u32 {
        let digits = self.rest.chars().map_while(|it| it.to_digit(8)).take(more).collect::<Vec<_>>();
        self.rest = &self.rest[digits.len()..];
        digits.iter().fold(first, |code, digit| code * 8 + digit)
    }

    /// `41` or `{41}`, after `\x`.
    fn hexadecimal(&mut self) -> Option<u32> {
        let (digits, rest) = match self.rest.strip_prefix('{') {
            Some(inside) => inside.split_once('}')?,
            None => self.rest.split_at_checked(2)?,
        };
        if digits.is_empty() || !digits.chars().all(|it| it.is_ascii_hexdigit()) {
            return None;
        }
        let code = u32::from_str_radix(digits, 16).ok().filter(|code| char::from_u32(*code).is_some())?;
        self.rest = rest;
        Some(code)
    }

    /// The text up to `\E`, which stands for itself.
    fn quoted(&mut self) {
        let (text, rest) = self.rest.split_once("\\E").unwrap_or((self.rest, ""));
        self.rest = rest;
        if !text.is_empty() {
            self.push(Last::Atom, &regex::escape(text));
        }
    }

    fn group(&mut self) -> Result<(), String> {
        self.push(Last::Nothing, "(");
        let Some(inside) = self.rest.strip_prefix('?') else { return Ok(()) };
        if let Some(named) = inside.strip_prefix("P<").or(inside.strip_prefix('<')) {
            // Nobody asks for a group by its name, and Go takes a name twice.
            let (name, rest) = named.split_once('>').unwrap_or_default();
            if name.is_empty() || !name.chars().all(|it| it.is_ascii_alphanumeric() || it == '_') {
                return Err(format!("invalid named capture: `(?{inside}`"));
            }
            self.rest = rest;
            return Ok(());
        }
        let end = inside.find([':', ')']).ok_or_else(|| format!("missing closing ): `(?{inside}`"))?;
        let (on, off) = inside[..end].split_once('-').unwrap_or((&inside[..end], "i"));
        let is_off = inside[..end].contains('-');
        if let Some(unknown) = on.chars().chain(off.chars()).find(|flag| !"imsU".contains(*flag)) {
            return Err(format!("invalid or unsupported Perl syntax: `(?{unknown}`"));
        }
        if off.is_empty() {
            return Err(format!("invalid or unsupported Perl syntax: `(?{inside}`"));
        }
        // The crate takes each flag once.
        let off = if is_off { off } else { "" };
        let flags = |within: &str, but: &str| -> String {
            "imsU".chars().filter(|flag| within.contains(*flag) && !but.contains(*flag)).collect()
        };
        let (on, off) = (flags(on, off), flags(off, ""));
        let off = if off.is_empty() { off } else { format!("-{off}") };
        let (close, rest) = inside[end..].split_at(1);
        self.rest = rest;
        let close = if on.is_empty() && off.is_empty() && close == ")" { ":)" } else { close };
        self.push(Last::Nothing, &format!("?{on}{off}{close}"));
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
            let is_count = |count: &str| {
                let is_padded = count.len() > 1 && count.starts_with('0');
                !count.is_empty() && !is_padded && count.chars().all(|digit| digit.is_ascii_digit())
            };
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
                '\\' => after_class = self.escape(true)?,
                '[' if self.rest.strip_prefix(':').is_some_and(|rest| rest.contains(":]")) => {
                    after_class = self.posix()?;
                }
                // After a class it is not a range for Go; two of them are an
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
    fn classes_of_unicode_have_the_names_that_go_knows() {
        for name in [
            "Cs",
            "Surrogate",
            "uppercase letter",
            "Thai",
            "Miao",
            "Nko",
            "any",
            "ASCII",
            "Assigned",
            "Cn",
            "LC",
            "greek",
            "Inherited",
            "cntrl",
            "digit",
            "Mark",
            "Kawi",
            "Unassigned",
            "Combining_Mark",
            "^Greek",
            "Yi",
            "punct",
        ] {
            for pattern in [format!("\\p{{{name}}}"), format!("[x\\P{{{name}}}]")] {
                assert!(compile(&pattern).is_ok(), "{pattern}: {:?}", compile(&pattern));
            }
        }
        for name in
            ["Latn", "Plrd", "Zinh", "Old_Italic", "olditalic", "L&", "Alphabetic", "Qaai", " ^Greek", "-", "Garay"]
        {
            assert!(compile(&format!("\\p{{{name}}}")).is_err(), "{name}");
        }
        assert!(!compile("\\p{Cs}").unwrap().is_match("a") && compile("\\P{Cs}").unwrap().is_match("a"));
        assert!(compile("^[\\p{Cs}a]$").unwrap().is_match("a"));
        assert!(compile("\\p{lowercase-letter}").unwrap().is_match("a"));
    }
}
