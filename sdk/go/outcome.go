package croft

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// outcome is what a render comes to, after it ended so: everything that was declared is
// accounted for, what depends on something that is not ready is blocked, and what
// strays from the declaration is refused.
func (cx *Context) outcome(ended error) (*Rendering, *Failure) {
	cx.account(haltOf(ended))
	cx.check()
	if len(cx.faults) > 0 {
		return nil, internal(cx.faults)
	}
	if len(cx.problems) > 0 {
		return nil, &Failure{Problems: cx.problems}
	}
	order, cycle := cx.plan.order()
	if cycle != nil {
		return nil, internal([]string{"a cycle of " + strings.Join(cycle, ", ")})
	}
	rendering := &Rendering{Status: cx.status, Conditions: cx.conditions, Suspended: cx.suspended}
	verdicts := verdicts{cx: cx, ready: make([]bool, len(cx.said)), rendering: rendering}
	for _, node := range order {
		verdicts.add(node)
	}
	return rendering, nil
}

// account gives what has not been stated the reason for which the render ended.
func (cx *Context) account(halt *Halt) {
	for i, node := range cx.plan.nodes {
		switch {
		case cx.said[i] != nil:
		case halt == nil:
			cx.fault("the render says nothing of `%s`: state it, or exclude it and say why", node.id)
		case halt.why == whyWaits:
			cx.said[i] = &said{waits: halt}
		case halt.why == whyExcluded:
			cx.said[i] = &said{excluded: halt}
		}
	}
	if halt != nil && (halt.why == whyInvalid || halt.why == whyFault) {
		cx.Refuse(halt)
	}
}

// check finds what is not as it was declared, and what the contract does not take.
func (cx *Context) check() {
	for i, node := range cx.plan.nodes {
		said := cx.said[i]
		switch {
		case said == nil:
		case said.waits != nil && !node.isAfter(said.waits.on):
			cx.faults = append(cx.faults, undeclared(node.id, said.waits.on.id))
		case node.role == RoleCollection:
			cx.checkKeys(node, said.objects)
		case said.read != nil && said.read.Selector == nil && said.read.Name == "":
			cx.fault("`%s` is read without a name", node.id)
		}
	}
	seen := map[string]bool{}
	for _, condition := range cx.conditions {
		if !isWord(condition.Type) {
			cx.fault("`%s` is not the type of a condition: it is a PascalCase word", condition.Type)
		}
		if !isReason(condition.Reason) {
			cx.fault("the reason of the condition `%s` is not one short line", condition.Type)
		}
		if seen[condition.Type] {
			cx.fault("the condition `%s` is stated twice in one render", condition.Type)
		}
		seen[condition.Type] = true
	}
}

func undeclared(id, on string) string {
	if id == on {
		return fmt.Sprintf("`%s` waits for itself", id)
	}
	return fmt.Sprintf("`%s` waits for `%s`, and was not declared so: declare it `.After(%s)`, or state it before the wait", id, on, on)
}

// checkKeys refuses bad keys. They come from the instance, most of the time, and so
// does one that is there twice.
func (cx *Context) checkKeys(node *declared, objects []stated) {
	seen := map[string]bool{}
	for _, object := range objects {
		message := ""
		switch {
		case object.key == "":
			message = fmt.Sprintf("an object of `%s` has an empty key", node.id)
		case len(object.key) > longestKey:
			message = fmt.Sprintf("a key of `%s` is longer than %d bytes", node.id, longestKey)
		case seen[object.key]:
			message = fmt.Sprintf("two objects of `%s` have the key `%s`", node.id, object.key)
		}
		seen[object.key] = true
		if message != "" {
			cx.Refuse(Invalid("spec", "%s", message).Code("InvalidKey").Hint("give each element a name of its own"))
		}
	}
}

// verdicts is what becomes of each id, in topological order: those before one are
// settled.
type verdicts struct {
	cx        *Context
	ready     []bool
	rendering *Rendering
}

func (v *verdicts) add(node *declared) {
	said, rendering := v.cx.said[node.index], v.rendering
	// What depends on something that should not be, should not be either.
	for _, before := range node.after {
		if v.cx.said[before.index].excluded != nil && said.excluded == nil {
			said.excluded = Excluded("`%s` is excluded", before.id)
		}
	}
	switch {
	case said.excluded != nil:
		rendering.Excluded = append(rendering.Excluded, ExcludedID{ID: node.id, Message: said.excluded.message})
	case said.waits != nil:
		blocked := Blocked{ID: node.id, WaitsFor: []string{said.waits.on.id}, Message: said.waits.message}
		rendering.Blocked = append(rendering.Blocked, blocked)
	case said.read != nil:
		v.found(node)
		rendering.Reads = append(rendering.Reads, ExternalRead{ID: node.id, Kind: node.kind.GVK, Select: *said.read})
	default:
		v.settle(node, said.objects)
	}
}

func (v *verdicts) settle(node *declared, objects []stated) {
	var unready []string
	for _, before := range node.after {
		if !v.ready[before.index] && !slices.Contains(unready, before.id) {
			unready = append(unready, before.id)
		}
	}
	if len(unready) == 0 {
		v.objects(node, objects)
		return
	}
	slices.Sort(unready)
	message := fmt.Sprintf("waits for `%s` to be ready", strings.Join(unready, "`, `"))
	v.rendering.Blocked = append(v.rendering.Blocked, Blocked{ID: node.id, WaitsFor: unready, Message: message})
}

func (v *verdicts) objects(node *declared, objects []stated) {
	all := true
	for _, object := range objects {
		message := fmt.Sprintf("`%s` does not exist yet", node.id)
		if live, there := v.cx.observed[node.id][object.key]; there {
			message = node.unready(live)
		}
		all = all && message == ""
		v.say(node, object.key, message)
		child := RenderedChild{ID: node.id, Key: object.key, Manifest: object.manifest, DependsOn: node.before()}
		v.rendering.Children = append(v.rendering.Children, child)
	}
	v.ready[node.index] = all
}

// found says whether what is somebody else's is as it is waited for.
func (v *verdicts) found(node *declared) {
	live := v.cx.observed[node.id]
	all := true
	for _, key := range slices.Sorted(maps.Keys(live)) {
		message := node.unready(live[key])
		all = all && message == ""
		v.say(node, key, message)
	}
	if len(live) == 0 && node.role == RoleExternal {
		all = false
		v.say(node, "", fmt.Sprintf("`%s` is not found", node.id))
	}
	v.ready[node.index] = all
}

func (v *verdicts) say(node *declared, key, message string) {
	readiness := Readiness{ID: node.id, Key: key, Ready: message == "", Message: message}
	v.rendering.Readiness = append(v.rendering.Readiness, readiness)
}

// namespaceOf is the instance's namespace, or nothing.
func namespaceOf(object map[string]any) string {
	metadata, _ := object["metadata"].(map[string]any)
	namespace, _ := metadata["namespace"].(string)
	return namespace
}
