/** Which language a greeting is in: what a template language has no table for. */

/** Greetings in lower case, by language. */
const GREETINGS: Record<string, string[]> = {
  English: ["hello", "hi", "good morning", "welcome"],
  French: ["bonjour", "salut", "bienvenue"],
  German: ["hallo", "guten tag", "grüß gott", "moin"],
  Italian: ["ciao", "buongiorno"],
  Japanese: ["こんにちは", "おはよう"],
  Spanish: ["hola", "buenos días"],
  Swahili: ["jambo", "habari"],
  Turkish: ["merhaba", "selam"],
};

/** The language's English name, or `unknown`. */
export function languageOf(greeting: string): string {
  const words = greeting.trim().toLowerCase();
  const known = Object.entries(GREETINGS).find(([, greetings]) => greetings.includes(words));
  return known?.[0] ?? "unknown";
}
