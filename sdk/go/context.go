package croft

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// Context is one render: it takes what is stated, and knows what was observed.
type Context struct {
	plan *Plan
	// By id and key.
	observed   map[string]map[string]json.RawMessage
	namespace  string
	statusType reflect.Type

	said       []*said
	status     map[string]any
	conditions []Condition
	suspended  string
	problems   []Problem
	faults     []string
}

// said is what was said of one id: one of the four.
type said struct {
	objects  []stated
	waits    *Halt
	excluded *Halt
	read     *Selection
}

type stated struct {
	key      string
	manifest json.RawMessage
}

func newContext(plan *Plan, observed []Observed, namespace string, statusType reflect.Type) *Context {
	byID := map[string]map[string]json.RawMessage{}
	for _, seen := range observed {
		if byID[seen.ID] == nil {
			byID[seen.ID] = map[string]json.RawMessage{}
		}
		byID[seen.ID][seen.Key] = seen.Object
	}
	return &Context{
		plan: plan, observed: byID, namespace: namespace, statusType: statusType,
		said: make([]*said, len(plan.nodes)),
	}
}

// Wait takes a field of an object, or says why whoever needs it has to wait:
//
//	uid, err := croft.Wait(cx, card, "metadata.uid", func(card *corev1.ConfigMap) types.UID { return card.UID })
//	if err != nil {
//		return err
//	}
//
// The zero value means that the field is not there yet. What waits has to be declared
// After the object. In TrySet that child waits, else all that has not been stated yet.
// The field's name is for people.
func Wait[T any, U comparable](cx *Context, on Single[T], field string, take func(*T) U) (U, error) {
	var zero U
	object, err := on.Observed(cx)
	if err != nil {
		return zero, err
	}
	if object != nil {
		if value := take(object); value != zero {
			return value, nil
		}
	}
	return zero, Waiting(on, "`%s` of `%s` is not there yet", field, on.declaration().id)
}

// Status is the instance's status, of the type that the API has for it. What is stated
// before a [Wait] holds while it waits.
func (cx *Context) Status(status any) {
	t := reflect.TypeOf(status)
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if cx.statusType != nil && t != cx.statusType {
		cx.fault("the status is a `%v`, and the API has a `%v`", t, cx.statusType)
		return
	}
	object, err := toObject(status)
	if err != nil {
		cx.fault("the status cannot be written as JSON: %v", err)
		return
	}
	cx.status = object
}

// Condition states a condition of the instance: a PascalCase type, whether it holds, a
// PascalCase reason, and a message.
func (cx *Context) Condition(kind string, status ConditionStatus, reason, message string) {
	cx.conditions = append(cx.conditions, Condition{Type: kind, Status: status, Reason: reason, Message: message})
}

// Suspend leaves everything as it is, for this reason: nothing is made, changed or
// deleted.
func (cx *Context) Suspend(reason string) { cx.suspended = reason }

// Refuse notes that the instance is wrong, and goes on, so that everything that is
// wrong is said at once. The render fails in the end.
func (cx *Context) Refuse(halt *Halt) {
	switch halt.why {
	case whyInvalid:
		cx.problems = append(cx.problems, halt.problem)
	case whyFault:
		cx.fault("%s", halt.message)
	default:
		cx.fault("Refuse takes what is Invalid; what waits is returned")
	}
}

func (cx *Context) fault(format string, args ...any) {
	cx.faults = append(cx.faults, fmt.Sprintf(format, args...))
}

func (cx *Context) exclude(node *declared, halt *Halt) { cx.say(node, &said{excluded: halt}) }

func (cx *Context) say(node *declared, what *said) {
	switch {
	case node.plan != cx.plan:
		cx.fault("`%s` is not an id that this render declared", node.id)
	case cx.said[node.index] != nil:
		cx.fault("`%s` is stated twice in one render", node.id)
	default:
		cx.said[node.index] = what
	}
}

// state states objects, or what their making came to.
func state[T any](cx *Context, node *declared, objects []Keyed[T], err error) {
	made := make([]stated, 0, len(objects))
	for _, keyed := range objects {
		if err != nil {
			break
		}
		var manifest json.RawMessage
		if manifest, err = written(node, keyed.Object); err == nil {
			made = append(made, stated{key: keyed.Key, manifest: manifest})
		}
	}
	halt := haltOf(err)
	switch {
	case halt == nil:
		cx.say(node, &said{objects: made})
	case halt.why == whyWaits:
		cx.say(node, &said{waits: halt})
	case halt.why == whyExcluded:
		cx.exclude(node, halt)
	default:
		// Said of it is that it is wrong; the render fails.
		cx.say(node, &said{})
		cx.Refuse(halt)
	}
}

// haltOf is an error as a Halt: one that is none says that the module is wrong.
func haltOf(err error) *Halt {
	var halt *Halt
	switch {
	case err == nil:
		return nil
	case errors.As(err, &halt):
		return halt
	}
	return Fault("%v", err)
}

func observedOne[T any](cx *Context, node *declared) (*T, error) {
	for _, object := range cx.observed[node.id] {
		return typed[T](node, object)
	}
	return nil, nil
}

func observedAll[T any](cx *Context, node *declared) (map[string]*T, error) {
	all := map[string]*T{}
	for key, object := range cx.observed[node.id] {
		typed, err := typed[T](node, object)
		if err != nil {
			return nil, err
		}
		all[key] = typed
	}
	return all, nil
}

func typed[T any](node *declared, object json.RawMessage) (*T, error) {
	value := new(T)
	if err := json.Unmarshal(object, value); err != nil {
		return nil, Fault("the %s of `%s` is not what the module takes it for: %v", node.kind.GVK, node.id, err)
	}
	return value, nil
}

// written is an object as JSON, of the kind that was declared.
func written(node *declared, object any) (json.RawMessage, error) {
	fields, err := toObject(object)
	if err != nil {
		return nil, Fault("`%s` cannot be written as JSON: %v", node.id, err)
	}
	kind := node.kind.GVK
	for _, field := range [][2]string{{"apiVersion", kind.APIVersion()}, {"kind", kind.Kind}} {
		found, present := fields[field[0]]
		if present && found != "" && found != field[1] {
			return nil, Fault("the %s of `%s` is %q, and `%s` was declared", field[0], node.id, found, field[1])
		}
		fields[field[0]] = field[1]
	}
	metadata, _ := fields["metadata"].(map[string]any)
	if name, _ := metadata["name"].(string); name == "" {
		return nil, Fault("`%s` has no `metadata.name`", node.id)
	}
	return encode(fields)
}
