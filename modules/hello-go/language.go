package main

import "strings"

// languages has greetings in lower case.
var languages = map[string]string{
	"hello": "English", "hi": "English", "good morning": "English", "welcome": "English",
	"bonjour": "French", "salut": "French", "bienvenue": "French",
	"hallo": "German", "guten tag": "German", "grüß gott": "German", "moin": "German",
	"ciao": "Italian", "buongiorno": "Italian",
	"こんにちは": "Japanese", "おはよう": "Japanese",
	"hola": "Spanish", "buenos días": "Spanish",
	"jambo": "Swahili", "habari": "Swahili",
	"merhaba": "Turkish", "selam": "Turkish",
}

// language is the English name of the language that a greeting is in, or `unknown`:
// what a template language has no table for.
func language(greeting string) string {
	if language, known := languages[strings.ToLower(strings.TrimSpace(greeting))]; known {
		return language
	}
	return "unknown"
}
