//! Which language a greeting is in: what a template language has no table for.

/// Greetings in lower case, by language.
const GREETINGS: [(&str, &[&str]); 8] = [
    ("English", &["hello", "hi", "good morning", "welcome"]),
    ("French", &["bonjour", "salut", "bienvenue"]),
    ("German", &["hallo", "guten tag", "grüß gott", "moin"]),
    ("Italian", &["ciao", "buongiorno"]),
    ("Japanese", &["こんにちは", "おはよう"]),
    ("Spanish", &["hola", "buenos días"]),
    ("Swahili", &["jambo", "habari"]),
    ("Turkish", &["merhaba", "selam"]),
];

/// The language's English name, or `unknown`.
pub(crate) fn of(greeting: &str) -> &'static str {
    let greeting = greeting.trim().to_lowercase();
    let known = GREETINGS.iter().find(|(_, greetings)| greetings.contains(&greeting.as_str()));
    known.map_or("unknown", |(language, _)| language)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_known_however_it_is_spelt() {
        assert_eq!(of("Hello"), "English");
        assert_eq!(of(" GRÜSS GOTT "), "unknown");
        assert_eq!(of(" GRÜß GOTT "), "German");
        assert_eq!(of("Merhaba"), "Turkish");
        assert_eq!(of("xyzzy"), "unknown");
    }
}
