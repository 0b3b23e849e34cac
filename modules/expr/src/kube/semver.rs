//! Versions by the rules of semver 2, read as strictly as Kubernetes does: no
//! `v`, no missing parts, no leading zeros.

use std::cmp::Ordering;
use std::fmt;
use std::num::IntErrorKind;

/// A version. What is built from is not compared: `1.0.0+a` equals `1.0.0+b`.
#[derive(Clone, Debug)]
pub struct Semver {
    /// Major, minor, patch.
    numbers: [u64; 3],
    pre_release: Vec<Identifier>,
    build: Vec<String>,
}

/// One part of a pre-release. Numbers come before words, which the order of the
/// variants says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Word(String),
}

impl Semver {
    /// Reads `major.minor.patch`, with `-pre.release` and `+build` after it.
    ///
    /// # Errors
    ///
    /// In the words of Go's package `semver`.
    pub fn parse(text: &str) -> Result<Semver, String> {
        if text.is_empty() {
            return Err("Version string empty".to_owned());
        }
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err("No Major.Minor.Patch elements found".to_owned());
        };
        let (major, minor) = (number("Major", major)?, number("Minor", minor)?);
        let (rest, build) = split(rest, '+');
        let (patch, pre_release) = split(rest, '-');
        Ok(Semver {
            numbers: [major, minor, number("Patch", patch)?],
            pre_release: pre_release.into_iter().map(identifier).collect::<Result<_, _>>()?,
            build: build.into_iter().map(metadata).collect::<Result<_, _>>()?,
        })
    }

    /// Reads also what people write: a `v` before it, zeros before a number, and
    /// fewer than three numbers.
    ///
    /// # Errors
    ///
    /// As [`Semver::parse`].
    pub fn parse_tolerant(text: &str) -> Result<Semver, String> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_leading_zeros).collect();
        if parts.len() < 3 && parts.last().is_some_and(|last| last.contains(['+', '-'])) {
            return Err("short version cannot contain PreRelease/Build meta data".to_owned());
        }
        parts.resize(3, "0".to_owned());
        Semver::parse(&parts.join("."))
    }

    /// The first number.
    pub fn major(&self) -> u64 {
        self.numbers[0]
    }

    /// The second number.
    pub fn minor(&self) -> u64 {
        self.numbers[1]
    }

    /// The third number.
    pub fn patch(&self) -> u64 {
        self.numbers[2]
    }
}

/// What is before a mark, and the parts of what is after it.
fn split(text: &str, mark: char) -> (&str, Vec<&str>) {
    text.split_once(mark).map_or((text, Vec::new()), |(before, after)| (before, after.split('.').collect()))
}

/// A part without the zeros before its number. Of zeros alone one stays, and one is
/// put before what does not begin with a digit.
fn without_leading_zeros(part: &str) -> String {
    let rest = part.trim_start_matches('0');
    match part.len() {
        0 | 1 => part.to_owned(),
        _ if rest.starts_with(|letter: char| letter.is_ascii_digit()) => rest.to_owned(),
        _ => format!("0{rest}"),
    }
}

fn number(name: &str, text: &str) -> Result<u64, String> {
    if !is_number(text) {
        return Err(format!("Invalid character(s) found in {} number {text:?}", name.to_lowercase()));
    }
    if has_leading_zeros(text) {
        return Err(format!("{name} number must not contain leading zeroes {text:?}"));
    }
    parse_number(text)
}

fn parse_number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|error: std::num::ParseIntError| {
        let reason = match error.kind() {
            IntErrorKind::PosOverflow => "value out of range",
            _ => "invalid syntax",
        };
        format!("strconv.ParseUint: parsing {text:?}: {reason}")
    })
}

fn identifier(text: &str) -> Result<Identifier, String> {
    if text.is_empty() {
        return Err("Prerelease is empty".to_owned());
    }
    match (is_number(text), has_leading_zeros(text)) {
        (true, true) => Err(format!("Numeric PreRelease version must not contain leading zeroes {text:?}")),
        (true, false) => parse_number(text).map(Identifier::Number),
        (false, _) if is_word(text) => Ok(Identifier::Word(text.to_owned())),
        (false, _) => Err(format!("Invalid character(s) found in prerelease {text:?}")),
    }
}

fn metadata(text: &str) -> Result<String, String> {
    if text.is_empty() {
        return Err("Build meta data is empty".to_owned());
    }
    if !is_word(text) {
        return Err(format!("Invalid character(s) found in build meta data {text:?}"));
    }
    Ok(text.to_owned())
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn has_leading_zeros(text: &str) -> bool {
    text.len() > 1 && text.starts_with('0')
}

impl fmt::Display for Semver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        for (index, identifier) in self.pre_release.iter().enumerate() {
            write!(f, "{}{identifier}", if index == 0 { '-' } else { '.' })?;
        }
        for (index, part) in self.build.iter().enumerate() {
            write!(f, "{}{part}", if index == 0 { '+' } else { '.' })?;
        }
        Ok(())
    }
}

impl fmt::Display for Identifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Identifier::Number(number) => number.fmt(f),
            Identifier::Word(word) => word.fmt(f),
        }
    }
}

impl Ord for Semver {
    fn cmp(&self, other: &Semver) -> Ordering {
        // A release comes after all of its pre-releases.
        let released = self.pre_release.is_empty().cmp(&other.pre_release.is_empty());
        let identifiers = || self.pre_release.cmp(&other.pre_release);
        self.numbers.cmp(&other.numbers).then(released).then_with(identifiers)
    }
}

impl PartialOrd for Semver {
    fn partial_cmp(&self, other: &Semver) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Semver {
    fn eq(&self, other: &Semver) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Semver {}

#[cfg(test)]
mod tests {
    use super::*;

    fn semver(text: &str) -> Semver {
        Semver::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn versions_print_as_they_were_written() {
        for text in ["0.0.0", "1.2.3", "1.0.0-alpha.1", "1.0.0-alpha-b+001.x-y", "18446744073709551615.0.0"] {
            assert_eq!(semver(text).to_string(), text);
        }
        let version = semver("1.20.300-rc.1+x");
        assert_eq!((version.major(), version.minor(), version.patch()), (1, 20, 300));
    }

    #[test]
    fn what_is_no_version_is_refused_in_words_of_go() {
        for (text, expected) in [
            ("", "Version string empty"),
            ("200K", "No Major.Minor.Patch elements found"),
            ("1.0", "No Major.Minor.Patch elements found"),
            ("v1.0.0", "Invalid character(s) found in major number \"v1\""),
            ("01.1.1", "Major number must not contain leading zeroes \"01\""),
            ("1.-1.1", "Invalid character(s) found in minor number \"-1\""),
            ("1.01.1", "Minor number must not contain leading zeroes \"01\""),
            ("1.1.1.1", "Invalid character(s) found in patch number \"1.1\""),
            ("1.1.01", "Patch number must not contain leading zeroes \"01\""),
            (".1.1", "strconv.ParseUint: parsing \"\": invalid syntax"),
            ("18446744073709551616.0.0", "strconv.ParseUint: parsing \"18446744073709551616\": value out of range"),
            ("1.0.0-", "Prerelease is empty"),
            ("1.0.0-a..b", "Prerelease is empty"),
            ("1.0.0-01", "Numeric PreRelease version must not contain leading zeroes \"01\""),
            ("1.0.0-a_b", "Invalid character(s) found in prerelease \"a_b\""),
            ("1.0.0+", "Build meta data is empty"),
            ("1.0.0+a+b", "Invalid character(s) found in build meta data \"a+b\""),
        ] {
            assert_eq!(Semver::parse(text).err().as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn pre_releases_come_before_their_release_in_order() {
        let ordered = [
            "0.1.2",
            "1.0.0-1",
            "1.0.0-2",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-beta",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0",
            "1.2.3",
            "1.10.0",
            "2.0.0",
        ];
        for pair in ordered.windows(2) {
            assert!(semver(pair[0]) < semver(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn builds_are_not_compared() {
        assert_eq!(semver("1.0.0+a"), semver("1.0.0+b"));
        assert_ne!(semver("1.0.0-a"), semver("1.0.0"));
    }
}
