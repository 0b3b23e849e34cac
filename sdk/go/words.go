package croft

import (
	"encoding/json"
	"unsafe"
)

// The values of the contract as a component lays them out in its memory. Every field
// of the contract is a byte, a string or a list, and every type that has one of the
// latter begins at a multiple of four: so all of it is words of 32 bits, little end
// first, where a byte takes a whole one and a string or a list two.

// words is a value, and what it points to.
type words struct {
	words []uint32
	// Keeps what the words point to.
	kept []any
}

func (w *words) word(word uint32) { w.words = append(w.words, word) }

func (w *words) pad(size int) {
	for len(w.words) < size {
		w.word(0)
	}
}

func (w *words) bytes(bytes []byte) {
	w.point(unsafe.Pointer(unsafe.SliceData(bytes)), len(bytes))
	w.kept = append(w.kept, bytes)
}

func (w *words) text(text string) { w.bytes([]byte(text)) }

// nothing is what an empty list points to: a place that is aligned.
var nothing uint64

func (w *words) point(to unsafe.Pointer, length int) {
	if length == 0 {
		to = unsafe.Pointer(&nothing)
	}
	w.word(uint32(uintptr(to)))
	w.word(uint32(length))
}

func (w *words) boolean(yes bool) {
	if yes {
		w.word(1)
	} else {
		w.word(0)
	}
}

// optional is a string that is there if it is not empty.
func (w *words) optional(text string) {
	w.boolean(text != "")
	w.text(text)
}

func listOf[T any](w *words, items []T, each func(*words, T)) {
	inner := &words{}
	for _, item := range items {
		each(inner, item)
	}
	w.point(unsafe.Pointer(unsafe.SliceData(inner.words)), len(items))
	w.kept = append(w.kept, inner)
}

func (w *words) texts(texts []string) { listOf(w, texts, (*words).text) }

func (w *words) gvk(kind GVK) {
	w.text(kind.Group)
	w.text(kind.Version)
	w.text(kind.Kind)
}

func (w *words) problem(problem Problem) {
	w.word(uint32(problem.Severity))
	w.text(problem.Code)
	w.text(problem.At)
	// No span: a type and its fields say where.
	w.word(0)
	w.word(0)
	w.word(0)
	w.text(problem.Message)
	w.optional(problem.Hint)
}

// failure is `result<…, failure>` of a call without an answer.
func (w *words) failure(failure *Failure) {
	w.word(1)
	if len(failure.Problems) > 0 {
		w.word(0)
		listOf(w, failure.Problems, (*words).problem)
		return
	}
	w.word(1)
	w.text(failure.Internal)
}

// Words of `result<preparation, failure>` and of `result<rendering, failure>`.
const (
	preparationWords = 21
	renderingWords   = 20
)

func preparationOf(prepared *Prepared, err error) *words {
	w := &words{}
	if err != nil {
		w.failure(failureOf(err))
	} else {
		w.word(0)
		// ready, and not needs: a type brings its own schemas.
		w.word(0)
		w.api(prepared.Blueprint.API)
		listOf(w, prepared.Blueprint.Kinds, func(w *words, used UsedKind) {
			w.gvk(used.Kind)
			w.word(uint32(used.Access))
		})
		listOf(w, prepared.Blueprint.Nodes, func(w *words, node Node) {
			w.text(node.ID)
			w.word(uint32(node.Role))
			w.gvk(node.Kind)
			w.texts(node.DependsOn)
		})
		w.bytes(prepared.Program)
		listOf(w, prepared.Warnings, (*words).problem)
	}
	w.pad(preparationWords)
	return w
}

func (w *words) api(api API) {
	w.gvk(api.Kind)
	w.text(api.Plural)
	w.word(uint32(api.Scope))
	w.bytes(api.CRD)
}

func renderingOf(rendering *Rendering, err error) *words {
	w := &words{}
	if err != nil {
		w.failure(failureOf(err))
	} else {
		w.word(0)
		w.rendering(rendering)
	}
	w.pad(renderingWords)
	return w
}

func (w *words) rendering(r *Rendering) {
	w.object(r.Defaults)
	listOf(w, r.Children, func(w *words, child RenderedChild) {
		w.text(child.ID)
		w.text(child.Key)
		w.bytes(child.Manifest)
		w.texts(child.DependsOn)
	})
	listOf(w, r.Blocked, func(w *words, blocked Blocked) {
		w.text(blocked.ID)
		w.texts(blocked.WaitsFor)
		w.text(blocked.Message)
	})
	listOf(w, r.Excluded, func(w *words, excluded ExcludedID) {
		w.text(excluded.ID)
		w.text(excluded.Message)
	})
	listOf(w, r.Reads, (*words).read)
	listOf(w, r.Readiness, func(w *words, readiness Readiness) {
		w.text(readiness.ID)
		w.text(readiness.Key)
		w.boolean(readiness.Ready)
		w.text(readiness.Message)
	})
	w.object(r.Status)
	listOf(w, r.Conditions, func(w *words, condition Condition) {
		w.text(condition.Type)
		w.word(uint32(condition.Status))
		w.text(condition.Reason)
		w.text(condition.Message)
	})
	w.optional(r.Suspended)
}

func (w *words) read(read ExternalRead) {
	w.text(read.ID)
	w.gvk(read.Kind)
	if read.Select.Selector == nil {
		w.word(0)
		w.text(read.Select.Namespace)
		w.text(read.Select.Name)
		return
	}
	w.word(1)
	w.text(read.Select.Namespace)
	w.bytes(read.Select.Selector)
}

func (w *words) object(object map[string]any) {
	if object == nil {
		object = map[string]any{}
	}
	// What came out of JSON goes into it.
	text, err := encode(object)
	if err != nil {
		text = json.RawMessage("{}")
	}
	w.bytes(text)
}

func failureOf(err error) *Failure {
	if failure, ok := err.(*Failure); ok {
		return failure
	}
	return internal([]string{err.Error()})
}

// seen is an observed object in memory: id, key and object, each with its length.
type seen [3]struct{ at, length uint32 }
