// Package crofttest runs a module as croft would, without WebAssembly and without a
// server: it renders an instance, shows the children back, lets a controller or a user
// do something, and renders again.
package crofttest

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"croft.run/croft"
)

// mostRenders is the most renders of [Trial.Converge], as many as a host makes for the
// largest definition.
const mostRenders = 1000

// Trial is one instance of a module's API, and the objects that the module is shown. It
// plays the host, admits everything, and lets children be ready at once.
type Trial struct {
	t        testing.TB
	module   croft.Module
	prepared *croft.Prepared
	instance map[string]any
	children map[place]map[string]any
	order    []place
	found    []croft.Observed
}

type place struct{ id, key string }

// New is the trial of an instance, which may be of the API's type or any other that is
// written as its JSON, with a definition without configuration.
func New(t testing.TB, module croft.Module, instance any) *Trial {
	t.Helper()
	return WithConfig(t, module, nil, instance)
}

// WithConfig is the trial of an instance of a definition with this `spec.config`.
func WithConfig(t testing.TB, module croft.Module, config, instance any) *Trial {
	t.Helper()
	prepared, err := module.Prepare(Definition(t, config))
	if err != nil {
		t.Fatalf("the module refuses the definition: %v", err)
	}
	trial := &Trial{t: t, module: module, prepared: prepared, instance: object(t, instance)}
	metadata := inner(trial.instance, "metadata")
	if _, given := metadata["namespace"]; !given && prepared.Blueprint.API.Scope == croft.InNamespace {
		metadata["namespace"] = "default"
	}
	if _, given := metadata["uid"]; !given {
		metadata["uid"] = "uid-of-the-instance"
	}
	return trial
}

// Definition is a `Composition` with this configuration.
func Definition(t testing.TB, config any) []byte {
	t.Helper()
	spec := map[string]any{"module": "file:module.wasm"}
	if config != nil {
		spec["config"] = config
	}
	return encode(t, map[string]any{"apiVersion": "croft.run/v1alpha1", "kind": "Composition",
		"metadata": map[string]any{"name": "test"}, "spec": spec})
}

// Blueprint is what the module made of the definition.
func (trial *Trial) Blueprint() croft.Blueprint { return trial.prepared.Blueprint }

// Instance reads the instance as it is, with the defaults that were filled in.
func (trial *Trial) Instance(into any) {
	trial.t.Helper()
	convert(trial.t, trial.instance, into)
}

// Change changes a field of the instance's `spec`, as its user does.
func (trial *Trial) Change(field string, value any) {
	trial.t.Helper()
	var plain any
	convert(trial.t, value, &plain)
	inner(trial.instance, "spec")[field] = plain
}

// Find lets an external read find an object of somebody else.
func (trial *Trial) Find(id string, found any) {
	trial.t.Helper()
	written := object(trial.t, found)
	key := ""
	for _, node := range trial.Blueprint().Nodes {
		if node.ID == id && node.Role == croft.RoleExternalCollection {
			metadata := inner(written, "metadata")
			namespace, _ := metadata["namespace"].(string)
			name, _ := metadata["name"].(string)
			key = strings.TrimPrefix(namespace+"/"+name, "/")
		}
	}
	trial.found = append(trial.found, croft.Observed{ID: id, Key: key, Object: encode(trial.t, written)})
}

// Update changes a child that exists, as its controller does: it writes a status.
func Update[T any](trial *Trial, id string, change func(*T)) { UpdateAt(trial, id, "", change) }

// UpdateAt changes an object of a collection that exists.
func UpdateAt[T any](trial *Trial, id, key string, change func(*T)) {
	trial.t.Helper()
	at := place{id, key}
	live, there := trial.children[at]
	if !there {
		trial.t.Fatalf("`%s` `%s` does not exist yet", id, key)
	}
	var typed T
	convert(trial.t, live, &typed)
	change(&typed)
	trial.children[at] = object(trial.t, typed)
}

// Render renders once, and shows the children back as a server has them. The error is a
// *croft.Failure.
func (trial *Trial) Render() (*Rendered, error) {
	trial.t.Helper()
	var observed []croft.Observed
	for _, at := range trial.order {
		if live, there := trial.children[at]; there {
			observed = append(observed, croft.Observed{ID: at.id, Key: at.key, Object: encode(trial.t, live)})
		}
	}
	observed = append(observed, trial.found...)
	rendering, err := trial.module.Render(trial.prepared.Program, encode(trial.t, trial.instance), observed)
	if err != nil {
		return nil, err
	}
	fillIn(inner(trial.instance, "spec"), rendering.Defaults)
	if rendering.Suspended == "" {
		trial.showBack(rendering)
	}
	return &Rendered{trial.t, rendering}, nil
}

// Converge renders until nothing changes. It fails the test if the module refuses the
// instance, or never settles.
func (trial *Trial) Converge() *Rendered {
	trial.t.Helper()
	var before *croft.Rendering
	var state []byte
	for range mostRenders {
		rendered, err := trial.Render()
		if err != nil {
			trial.t.Fatalf("the module refuses the instance: %v", err)
		}
		now := trial.state()
		if before != nil && reflect.DeepEqual(before, rendered.Rendering) && bytes.Equal(state, now) {
			return rendered
		}
		before, state = rendered.Rendering, now
	}
	trial.t.Fatalf("the rendering still changes after %d renders: it is not a function of what it is shown", mostRenders)
	return nil
}

// Problems is what the module says is wrong with the instance. It fails the test if
// nothing is, or if the module itself is wrong.
func (trial *Trial) Problems() []croft.Problem {
	trial.t.Helper()
	_, err := trial.Render()
	return Problems(trial.t, err)
}

// Problems is what an error of Prepare or Render says is wrong with its input.
func Problems(t testing.TB, err error) []croft.Problem {
	t.Helper()
	failure, ok := err.(*croft.Failure)
	if !ok || len(failure.Problems) == 0 {
		t.Fatalf("the input is not refused: %v", err)
	}
	return failure.Problems
}

func (trial *Trial) state() []byte {
	all := []any{trial.instance}
	for _, at := range trial.order {
		all = append(all, trial.children[at])
	}
	return encode(trial.t, all)
}

// showBack keeps children of blocked ids, and drops others that were not rendered.
func (trial *Trial) showBack(rendering *croft.Rendering) {
	blocked := map[string]bool{}
	for _, one := range rendering.Blocked {
		blocked[one.ID] = true
	}
	children, order := map[place]map[string]any{}, []place{}
	for _, at := range trial.order {
		if blocked[at.id] {
			children[at], order = trial.children[at], append(order, at)
		}
	}
	for _, child := range rendering.Children {
		at := place{child.ID, child.Key}
		children[at], order = trial.live(child, trial.children[at]), append(order, at)
	}
	trial.children, trial.order = children, order
}

// live is a child as a server has it: with what a server adds, and with the status that
// its controller wrote.
func (trial *Trial) live(child croft.RenderedChild, before map[string]any) map[string]any {
	live := object(trial.t, child.Manifest)
	if status, there := before["status"]; there {
		live["status"] = status
	}
	metadata := inner(live, "metadata")
	if namespace, given := inner(trial.instance, "metadata")["namespace"]; given && metadata["namespace"] == nil {
		metadata["namespace"] = namespace
	}
	uid := "uid-of-" + child.ID
	if child.Key != "" {
		uid += "-" + child.Key
	}
	metadata["uid"], metadata["resourceVersion"], metadata["creationTimestamp"] = uid, "1", "2026-01-01T00:00:00Z"
	if live["apiVersion"] == "v1" && live["kind"] == "Secret" {
		moveTexts(live)
	}
	return live
}

// moveTexts does as a server, which keeps the `stringData` of a Secret in `data`.
func moveTexts(secret map[string]any) {
	texts, _ := secret["stringData"].(map[string]any)
	delete(secret, "stringData")
	for name, text := range texts {
		inner(secret, "data")[name] = base64.StdEncoding.EncodeToString([]byte(text.(string)))
	}
}

// Rendered is what a render came to.
type Rendered struct {
	t testing.TB
	*croft.Rendering
}

// Child reads a child as its type. It fails the test if there is none.
func Child[T any](rendered *Rendered, id string) T {
	rendered.t.Helper()
	child, there := Children[T](rendered, id)[""]
	if !there {
		rendered.t.Fatalf("`%s` was not rendered: %s", id, rendered.whyNot(id))
	}
	return child
}

// Children reads the objects of a collection, by key.
func Children[T any](rendered *Rendered, id string) map[string]T {
	rendered.t.Helper()
	children := map[string]T{}
	for _, child := range rendered.Children {
		if child.ID == id {
			var typed T
			convert(rendered.t, child.Manifest, &typed)
			children[child.Key] = typed
		}
	}
	return children
}

// BlockedOn is what an id waits for, or nothing if it does not.
func (rendered *Rendered) BlockedOn(id string) string {
	for _, blocked := range rendered.Blocked {
		if blocked.ID == id {
			return blocked.Message
		}
	}
	return ""
}

// ExcludedBecause is why there is no object under an id, or nothing if there should be
// one.
func (rendered *Rendered) ExcludedBecause(id string) string {
	for _, excluded := range rendered.Excluded {
		if excluded.ID == id {
			return excluded.Message
		}
	}
	return ""
}

// IsReady says whether nothing waits and all that is there is ready.
func (rendered *Rendered) IsReady() bool {
	for _, one := range rendered.Readiness {
		if !one.Ready {
			return false
		}
	}
	return len(rendered.Blocked) == 0
}

func (rendered *Rendered) whyNot(id string) string {
	if message := rendered.BlockedOn(id); message != "" {
		return "blocked, " + message
	}
	if message := rendered.ExcludedBecause(id); message != "" {
		return "excluded, " + message
	}
	return "there is no such child"
}

func fillIn(target, defaults map[string]any) {
	for name, value := range defaults {
		present, there := target[name]
		if !there {
			target[name] = value
			continue
		}
		into, isObject := present.(map[string]any)
		from, isToo := value.(map[string]any)
		if isObject && isToo {
			fillIn(into, from)
		}
	}
}

// inner is an object within an object, which is made if it is not there.
func inner(object map[string]any, field string) map[string]any {
	if found, ok := object[field].(map[string]any); ok {
		return found
	}
	made := map[string]any{}
	object[field] = made
	return made
}

func object(t testing.TB, value any) map[string]any {
	t.Helper()
	var object map[string]any
	convert(t, value, &object)
	return object
}

func convert(t testing.TB, value, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(encode(t, value)))
	decoder.UseNumber()
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("it does not fit its type: %v\n%s", err, encode(t, value))
	}
}

func encode(t testing.TB, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatalf("it cannot be written as JSON: %v", err)
	}
	return text
}
