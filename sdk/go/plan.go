package croft

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// Plan takes what a module declares: its ids with kind, role and order, and what it
// takes for its configuration.
type Plan struct {
	nodes        []*declared
	faults       []string
	config       json.RawMessage
	configIsRead bool
	warnings     []Problem
}

// declared is one id as it was declared.
type declared struct {
	plan  *Plan
	index int
	id    string
	role  Role
	kind  Kind
	after []*declared
	// Completes “waits until …”.
	what  string
	ready func(object json.RawMessage) (bool, error)
}

func declare[T any](plan *Plan, id string, role Role) *declared {
	kind, known := KindOf(reflect.TypeFor[T]())
	if !known {
		plan.faults = append(plan.faults, fmt.Sprintf("the type `%v` of `%s` does not say its kind: "+
			"give it with the function that ends in Of, or let the type implement croft.Kinded", reflect.TypeFor[T](), id))
	}
	return declareOf(plan, kind, id, role)
}

func declareOf(plan *Plan, kind Kind, id string, role Role) *declared {
	node := &declared{plan: plan, index: len(plan.nodes), id: id, role: role, kind: kind}
	plan.nodes = append(plan.nodes, node)
	return node
}

// Config is the definition's `spec.config` as a type. A field that the type does not
// have is refused. A definition without `config` is read as one with an empty object;
// one with a `config` that is never asked for is refused.
func Config[T any](plan *Plan) (T, error) {
	plan.configIsRead = true
	var config T
	if len(plan.config) == 0 {
		return config, nil
	}
	if halt := readStrictly(plan.config, &config, "/spec/config"); halt != nil {
		return config, halt
	}
	return config, nil
}

// Warn says something to the definition's author that does not stop it, about a field
// such as `spec.config.size`.
func (p *Plan) Warn(field, format string, args ...any) {
	problem := Invalid(field, format, args...).problem
	problem.Severity = Warning
	p.warnings = append(p.warnings, problem)
}

// checkConfig refuses a configuration that nobody reads: it is a mistake.
func (p *Plan) checkConfig() *Halt {
	if p.configIsRead || len(p.config) == 0 || string(p.config) == "{}" {
		return nil
	}
	return Invalid("spec.config", "the module takes no configuration").Code("UnknownField").Hint("remove `config`")
}

// blueprint is the graph in topological order, and what is wrong with it.
func (p *Plan) blueprint(api GVK) ([]Node, []string) {
	faults := slices.Clone(p.faults)
	seen := map[string]bool{}
	for _, node := range p.nodes {
		faults = append(faults, node.wrong(api)...)
		if seen[node.id] {
			faults = append(faults, fmt.Sprintf("the id `%s` is declared twice", node.id))
		}
		seen[node.id] = true
	}
	order, cycle := p.order()
	if cycle != nil {
		return nil, append(faults, fmt.Sprintf("these wait for each other: `%s`", strings.Join(cycle, "` → `")))
	}
	nodes := make([]Node, len(order))
	for i, node := range order {
		nodes[i] = Node{ID: node.id, Role: node.role, Kind: node.kind.GVK, DependsOn: node.before()}
	}
	return nodes, faults
}

// wrong is what is wrong with a declaration by itself.
func (d *declared) wrong(api GVK) []string {
	var wrong []string
	if !isID(d.id) {
		wrong = append(wrong, fmt.Sprintf("`%s` is not an id: it begins with a letter and has at most 63 letters, digits, `_` and `-`", d.id))
	}
	kind := d.kind.GVK
	// A kind that the type does not say is a fault already.
	known := kind != GVK{}
	if known && !isKind(kind) {
		wrong = append(wrong, fmt.Sprintf("`%s %s` of `%s` is not a kind", kind.APIVersion(), kind.Kind, d.id))
	}
	own := kind.Group == api.Group && kind.Kind == api.Kind
	if own && !d.isExternal() {
		wrong = append(wrong, fmt.Sprintf("`%s` is of the API's own kind, %s: an instance may not create instances of its API", d.id, kind))
	}
	for _, before := range d.after {
		if before.plan != d.plan {
			wrong = append(wrong, fmt.Sprintf("`%s` is declared after `%s`, which is of another plan", d.id, before.id))
		}
	}
	return wrong
}

func (d *declared) isExternal() bool {
	return d.role == RoleExternal || d.role == RoleExternalCollection
}

// before has the ids that one was declared after, each once.
func (d *declared) before() []string {
	ids := []string{}
	for _, before := range d.after {
		if !slices.Contains(ids, before.id) {
			ids = append(ids, before.id)
		}
	}
	return ids
}

// isAfter says whether another id has to be ready before this one, perhaps by way of a
// third.
func (d *declared) isAfter(other *declared) bool {
	return slices.ContainsFunc(d.after, func(before *declared) bool { return before == other || before.isAfter(other) })
}

// unready is what an object that is there still waits for, or nothing if it is ready.
func (d *declared) unready(object json.RawMessage) string {
	if d.ready == nil {
		return ""
	}
	switch ready, err := d.ready(object); {
	case err != nil:
		return fmt.Sprintf("it is not what the module takes it for: %v", err)
	case !ready:
		return "waits until " + d.what
	}
	return ""
}

// order has all nodes, each after those that it depends on and otherwise as declared;
// or else the ids of a cycle.
func (p *Plan) order() (done []*declared, cycle []string) {
	var visit func(node *declared, path []*declared) []string
	visit = func(node *declared, path []*declared) []string {
		if slices.Contains(done, node) {
			return nil
		}
		if begins := slices.Index(path, node); begins >= 0 {
			var ids []string
			for _, on := range append(path[begins:], node) {
				ids = append(ids, on.id)
			}
			return ids
		}
		path = append(slices.Clone(path), node)
		for _, before := range node.after {
			if before.plan != p {
				continue
			}
			if cycle := visit(before, path); cycle != nil {
				return cycle
			}
		}
		done = append(done, node)
		return nil
	}
	for _, node := range p.nodes {
		if cycle := visit(node, nil); cycle != nil {
			return nil, cycle
		}
	}
	return done, nil
}

// usedKinds has the kinds that the nodes touch, each once for what is done with it.
func usedKinds(nodes []Node) []UsedKind {
	used := []UsedKind{}
	for _, node := range nodes {
		kind := UsedKind{Kind: node.Kind, Access: Manage}
		if node.Role == RoleExternal || node.Role == RoleExternalCollection {
			kind.Access = Read
		}
		if !slices.Contains(used, kind) {
			used = append(used, kind)
		}
	}
	return used
}
