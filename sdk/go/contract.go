package croft

import (
	"encoding/json"
	"fmt"
	"strings"
)

// The values that cross between croft and a module. `composition.wit` of croft says
// what each means.

// GVK is a Kubernetes kind. The core group is the empty string.
type GVK struct {
	Group   string `json:"group"`
	Version string `json:"version"`
	Kind    string `json:"kind"`
}

// APIVersion is what an object of the kind has in `apiVersion`: `v1`, or `apps/v1`.
func (gvk GVK) APIVersion() string {
	if gvk.Group == "" {
		return gvk.Version
	}
	return gvk.Group + "/" + gvk.Version
}

// String is `ConfigMap` for the core group, and `Deployment.apps` for another.
func (gvk GVK) String() string {
	if gvk.Group == "" {
		return gvk.Kind
	}
	return gvk.Kind + "." + gvk.Group
}

// Scope says whether objects of a kind live in a namespace.
type Scope uint8

// The two scopes.
const (
	InNamespace Scope = iota
	InCluster
)

// Severity says how grave a problem is.
type Severity uint8

// The two severities.
const (
	Error Severity = iota
	Warning
)

// Problem is one thing that is wrong with a definition or an instance.
type Problem struct {
	Severity Severity
	// Code is a PascalCase word that never changes.
	Code string
	// At is an RFC 6901 JSON pointer into the document.
	At      string
	Message string
	// Hint says what would be right, if it is not empty.
	Hint string
}

func (p Problem) String() string {
	if p.At == "" {
		return p.Message
	}
	return fmt.Sprintf("%s at `%s`", p.Message, p.At)
}

// Failure says why a call has no answer: the definition or the instance is wrong
// (Problems), or else the module is.
type Failure struct {
	Problems []Problem
	Internal string
}

// Error implements error.
func (f *Failure) Error() string {
	if len(f.Problems) == 0 {
		return "the module is wrong: " + f.Internal
	}
	words := make([]string, len(f.Problems))
	for i, problem := range f.Problems {
		words[i] = problem.String()
	}
	return strings.Join(words, "; ")
}

// internal is what the module's author has to mend, all of it at once.
func internal(faults []string) *Failure {
	return &Failure{Internal: strings.Join(faults, "; ")}
}

// API is what a definition serves.
type API struct {
	Kind   GVK
	Plural string
	Scope  Scope
	CRD    json.RawMessage
}

// Access says what may be done with objects of a kind.
type Access uint8

// The two kinds of access.
const (
	Manage Access = iota
	Read
)

// UsedKind is one kind that a definition touches.
type UsedKind struct {
	Kind   GVK
	Access Access
}

// Role says what an id stands for.
type Role uint8

// The four roles.
const (
	RoleChild Role = iota
	RoleCollection
	RoleExternal
	RoleExternalCollection
)

// Node is one node of the graph.
type Node struct {
	ID        string
	Role      Role
	Kind      GVK
	DependsOn []string
}

// Blueprint is what croft knows of a definition before its first instance.
type Blueprint struct {
	API   API
	Kinds []UsedKind
	Nodes []Node
}

// Prepared is a definition that was accepted.
type Prepared struct {
	Blueprint Blueprint
	Program   []byte
	Warnings  []Problem
}

// Observed is a live object.
type Observed struct {
	ID, Key string
	Object  json.RawMessage
}

// RenderedChild is an object that should be.
type RenderedChild struct {
	ID, Key   string
	Manifest  json.RawMessage
	DependsOn []string
}

// Blocked is an id that cannot be stated yet.
type Blocked struct {
	ID       string
	WaitsFor []string
	Message  string
}

// ExcludedID is an id that a condition switched off.
type ExcludedID struct{ ID, Message string }

// Selection says which objects of somebody else to read: the one of a name, or those
// that a selector matches.
type Selection struct {
	Namespace, Name string
	// Selector is a metav1.LabelSelector, and nil for a name.
	Selector json.RawMessage
}

// ExternalRead is a read of objects of somebody else.
type ExternalRead struct {
	ID     string
	Kind   GVK
	Select Selection
}

// Readiness says whether an object does what it is for.
type Readiness struct {
	ID, Key string
	Ready   bool
	Message string
}

// ConditionStatus is the status of a condition.
type ConditionStatus uint8

// The three statuses.
const (
	True ConditionStatus = iota
	False
	Unknown
)

// Condition is a condition of the instance.
type Condition struct {
	Type    string
	Status  ConditionStatus
	Reason  string
	Message string
}

// Rendering is what an instance amounts to.
type Rendering struct {
	Defaults   map[string]any
	Children   []RenderedChild
	Blocked    []Blocked
	Excluded   []ExcludedID
	Reads      []ExternalRead
	Readiness  []Readiness
	Status     map[string]any
	Conditions []Condition
	// Suspended is the reason for leaving everything as it is, if there is one.
	Suspended string
}
