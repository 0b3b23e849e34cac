//! Texts in commands that people copy into a shell.
//!
//! Such a command holds names and values that others chose: quoted, each of them
//! is one word of it and nothing more.

use std::borrow::Cow;

/// A text as one word of a shell's command.
pub fn quote(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    // At its beginning `=` names a program in some shells.
    if !text.is_empty() && !text.starts_with('=') && text.chars().all(plain) {
        return text.into();
    }
    format!("'{}'", text.replace('\'', r"'\''")).into()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn names_stay_as_they_are() {
        for name in ["a", "webs.kro.run", "root:provider:webs.kro.run", "croft.run/adopt=shop", "--name"] {
            assert_eq!(quote(name), name);
        }
    }

    #[test]
    fn whatever_it_holds_a_text_is_one_word() {
        for text in [
            "", "a b", "$(id)", "`id`", "a'b", "';id;'", "a\"b", "a\\b", "~", "*", "=ls", "a\nb", "ä", "#", "a;b",
            "{a,b}",
        ] {
            let command = format!("printf '<%s>' {}", quote(text));
            let output = Command::new("sh").arg("-c").arg(&command).output().unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), format!("<{text}>"), "{command}");
        }
    }
}
