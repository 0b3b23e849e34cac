package croft

import (
	"fmt"
	"strings"
)

// Halt is why a piece of code does not come to its end: it waits, it is switched off,
// the input is wrong, or the module is. [Wait], [Invalid], [Excluded], [Waiting] and
// [Fault] make one.
type Halt struct {
	why     why
	on      *declared
	problem Problem
	message string
}

type why uint8

const (
	whyWaits why = iota
	whyExcluded
	whyInvalid
	whyFault
)

// Error implements error.
func (h *Halt) Error() string {
	if h.why == whyInvalid {
		return h.problem.String()
	}
	return h.message
}

// Invalid says that the definition or the instance is wrong at a field, such as
// `spec.name` or `spec.pages[2].title`. Say what would be right with [Halt.Hint].
func Invalid(field, format string, args ...any) *Halt {
	message := fmt.Sprintf(format, args...)
	return &Halt{why: whyInvalid, problem: Problem{Code: "Invalid", At: pointer(field), Message: message}}
}

// Excluded says that the object should not be, and which condition says so.
func Excluded(format string, args ...any) *Halt {
	return &Halt{why: whyExcluded, message: fmt.Sprintf(format, args...)}
}

// Waiting says that something of another object is missing, and what. Where it is a
// field, [Wait] says it by itself.
func Waiting(on Handle, format string, args ...any) *Halt {
	return &Halt{why: whyWaits, on: on.declaration(), message: fmt.Sprintf(format, args...)}
}

// Fault says that the module is wrong: nobody who uses it can do anything about it.
func Fault(format string, args ...any) *Halt {
	return &Halt{why: whyFault, message: fmt.Sprintf(format, args...)}
}

// Hint says what would be right, of something that is [Invalid].
func (h *Halt) Hint(format string, args ...any) *Halt {
	h.problem.Hint = fmt.Sprintf(format, args...)
	return h
}

// Code gives a PascalCase word for programs to something that is [Invalid]. It should
// never change; without, it is `Invalid`.
func (h *Halt) Code(code string) *Halt {
	h.problem.Code = code
	return h
}

// pointer is `spec.pages[2].title` as an RFC 6901 pointer. One that is given stays.
func pointer(field string) string {
	if field == "" || strings.HasPrefix(field, "/") {
		return field
	}
	var pointer strings.Builder
	for _, part := range strings.FieldsFunc(field, func(c rune) bool { return c == '.' || c == '[' }) {
		pointer.WriteString("/" + escaped(strings.TrimSuffix(part, "]")))
	}
	return pointer.String()
}

// escaped is a segment of a pointer.
func escaped(part string) string {
	return strings.ReplaceAll(strings.ReplaceAll(part, "~", "~0"), "/", "~1")
}
