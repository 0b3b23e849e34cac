package croft

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"unsafe"
)

// The exports of a component, as the canonical ABI has them. A call has a memory of its
// own, which is as short-lived: what crosses is kept for good.

// kept is what the host was given or has written.
var kept []any

// collectAbove is the size of the heap from which on garbage is collected, well below
// the 64 MiB that a call gets: most calls never get there.
const collectAbove = 40 << 20

func init() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(collectAbove)
}

//go:wasmexport cabi_realloc
func reallocate(old unsafe.Pointer, oldSize, align, size uint32) unsafe.Pointer {
	// Eight bytes are the largest alignment that the contract needs.
	memory := make([]uint64, size/8+1)
	kept = append(kept, memory)
	to := unsafe.Pointer(unsafe.SliceData(memory))
	if oldSize > 0 {
		copy(unsafe.Slice((*byte)(to), size), unsafe.Slice((*byte)(old), oldSize))
	}
	return to
}

//go:wasmexport croft:composition/composer@0.1.0#prepare
func prepare(definition unsafe.Pointer, definitionSize uint32, _ unsafe.Pointer, _ uint32) unsafe.Pointer {
	defer tellPanics()
	prepared, err := module().Prepare(unsafe.Slice((*byte)(definition), definitionSize))
	return give(preparationOf(prepared, err))
}

//go:wasmexport croft:composition/composer@0.1.0#render
func render(program unsafe.Pointer, programSize uint32, instance unsafe.Pointer, instanceSize uint32,
	observed unsafe.Pointer, count uint32) unsafe.Pointer {
	defer tellPanics()
	rendering, err := module().Render(unsafe.Slice((*byte)(program), programSize),
		unsafe.Slice((*byte)(instance), instanceSize), take(observed, count))
	return give(renderingOf(rendering, err))
}

func module() Module {
	if exported == nil {
		panic("the program does not call croft.Export in an init function")
	}
	return exported
}

func take(observed unsafe.Pointer, count uint32) []Observed {
	all := make([]Observed, count)
	for i, seen := range unsafe.Slice((*seen)(observed), count) {
		all[i] = Observed{ID: text32(seen[0].at, seen[0].length), Key: text32(seen[1].at, seen[1].length),
			Object: []byte(text32(seen[2].at, seen[2].length))}
	}
	return all
}

func text32(at, length uint32) string {
	if length == 0 {
		return ""
	}
	return unsafe.String((*byte)(unsafe.Add(nil, at)), length)
}

func give(words *words) unsafe.Pointer {
	kept = append(kept, words)
	return unsafe.Pointer(unsafe.SliceData(words.words))
}

// tellPanics gives the host the message and the place of a panic before the trap, which
// by itself says no more than `unreachable`.
func tellPanics() {
	if reason := recover(); reason != nil {
		Log(LevelError, "panicked at %s: %v", panicked(), reason)
		os.Exit(2)
	}
}

// panicked is where the panic began: the first place on the stack that is not the
// runtime's.
func panicked() string {
	callers := make([]uintptr, 32)
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers)])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

//go:wasmimport croft:composition/log@0.1.0 log
func hostLog(level uint32, message string)

func log(level Level, message string) { hostLog(uint32(level), message) }
