package croft

import "fmt"

// Level says how important a line of the log is.
type Level uint8

// The four levels.
const (
	LevelError Level = iota
	LevelWarn
	LevelInfo
	LevelDebug
)

// Log says something to the operator. It is never part of the result: croft may drop
// every line. Outside of a component nobody hears it but [OnLog].
func Log(level Level, format string, args ...any) {
	log(level, fmt.Sprintf(format, args...))
}

var heard = func(Level, string) {}

// OnLog lets a test hear what is logged outside of a component.
func OnLog(hear func(Level, string)) { heard = hear }
