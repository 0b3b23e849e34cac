package croft

import "strings"

// What texts of the contract have to look like. croft checks them too; what is said
// here says it to the module's author.

// Bounds of the contract, in bytes.
const (
	longestName   = 63
	longestGroup  = 253
	longestReason = 1024
	longestKey    = 512
)

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLower(c byte) bool { return c >= 'a' && c <= 'z' || isDigit(c) }

func all(text string, test func(byte) bool) bool {
	for i := range len(text) {
		if !test(text[i]) {
			return false
		}
	}
	return true
}

func isID(text string) bool {
	inner := func(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' || c == '-' }
	return text != "" && len(text) <= longestName && isLetter(text[0]) && all(text, inner)
}

func isKind(kind GVK) bool {
	name := kind.Kind != "" && len(kind.Kind) <= longestName && isLetter(kind.Kind[0]) &&
		all(kind.Kind, func(c byte) bool { return isLetter(c) || isDigit(c) })
	return name && isLabel(kind.Version) && (kind.Group == "" || isSubdomain(kind.Group))
}

func isLabel(text string) bool {
	inner := func(c byte) bool { return isLower(c) || c == '-' }
	return text != "" && len(text) <= longestName && isLower(text[0]) && isLower(text[len(text)-1]) && all(text, inner)
}

func isSubdomain(text string) bool {
	for _, label := range strings.Split(text, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return len(text) <= longestGroup
}

// isWord says whether a text is the type of a condition: one word, perhaps with a
// domain before it.
func isWord(text string) bool {
	inner := func(c byte) bool { return isLetter(c) || isDigit(c) || strings.IndexByte("_,:.-/", c) >= 0 }
	if text == "" || len(text) > longestGroup || !isLetter(text[0]) {
		return false
	}
	last := text[len(text)-1]
	return (isLetter(last) || isDigit(last) || last == '_') && all(text, inner)
}

func isReason(text string) bool {
	return len(text) <= longestReason && all(text, func(c byte) bool { return c >= ' ' && c != 0x7f })
}
