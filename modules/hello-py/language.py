"""Which language a greeting is in: what a template language has no table for."""

# Greetings in lower case, by language.
GREETINGS = {
    "English": {"hello", "hi", "good morning", "welcome"},
    "French": {"bonjour", "salut", "bienvenue"},
    "German": {"hallo", "guten tag", "grüß gott", "moin"},
    "Italian": {"ciao", "buongiorno"},
    "Japanese": {"こんにちは", "おはよう"},
    "Spanish": {"hola", "buenos días"},
    "Swahili": {"jambo", "habari"},
    "Turkish": {"merhaba", "selam"},
}


def language_of(greeting: str) -> str:
    """The language's English name, or `unknown`."""
    words = greeting.strip().lower()
    return next((language for language, known in GREETINGS.items() if words in known), "unknown")
