// Package croft is what the author of a composition module in Go depends on.
//
// A module serves an API, whose type is a Go struct with a CRD that controller-gen
// made of it, and states the children of each instance. Kinds, rights, the graph
// and its order follow from what [Composition.Declare] declares; what strays from it
// is refused with a message for the module's author.
//
// Built with GOOS=wasip1 a module is what croft runs, once `croft module pack` has
// made a component of it. On other systems it is an ordinary program, which package
// crofttest calls as croft would.
package croft

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Composition is a module: the API that it serves, the objects that an instance is
// made of, and how they follow from the instance. A is the type of an instance, with
// the fields `metadata`, `spec` and perhaps `status`.
type Composition[A any] struct {
	// CRD is the CustomResourceDefinition of A, as `controller-gen crd` writes it.
	CRD []byte
	// Declare declares the objects that an instance may be made of, and those that it
	// reads. It is called for each definition and again for each render, and has to
	// declare the same for the same configuration.
	Declare func(plan *Plan) (Render[A], error)
}

// Render states what an instance is made of, given what there is. An error of [Wait]
// that it returns leaves blocked whatever has not been stated by then; one of
// [Invalid] refuses the instance; any other says that the module is wrong.
type Render[A any] func(instance *A, cx *Context) error

// Module is what [Export] takes and package crofttest calls: a [Composition].
type Module interface {
	// Prepare reads and checks a definition, which is the JSON of an object. The
	// error is a *[Failure].
	Prepare(definition []byte) (*Prepared, error)
	// Render renders one instance, given the program that Prepare made and what was
	// observed. The error is a *[Failure].
	Render(program, instance []byte, observed []Observed) (*Rendering, error)
}

var exported Module

// Export makes a module what the component exports. Call it once, in func init of
// package main.
func Export(module Module) {
	if exported != nil {
		panic("croft.Export is called twice: a component holds one module")
	}
	exported = module
}

// program is what a render needs of the definition.
type program struct {
	Config json.RawMessage `json:"config,omitempty"`
	Schema *schema         `json:"schema,omitempty"`
	Plural string          `json:"plural"`
}

// Prepare implements [Module].
func (c Composition[A]) Prepare(definition []byte) (*Prepared, error) {
	api, schema, faults := apiOf[A](c.CRD)
	if api == nil {
		return nil, internal(faults)
	}
	config, problem, err := readDefinition(definition, api.Kind)
	if err != nil {
		return nil, internal([]string{err.Error()})
	}
	if problem != nil {
		return nil, &Failure{Problems: []Problem{problem.problem}}
	}
	plan := &Plan{config: config}
	if _, err := c.declare(plan); err != nil {
		return nil, outside(err)
	}
	if halt := plan.checkConfig(); halt != nil {
		return nil, outside(halt)
	}
	nodes, wrong := plan.blueprint(api.Kind)
	if faults = append(faults, wrong...); len(faults) > 0 {
		return nil, internal(faults)
	}
	program, err := encode(program{Config: config, Schema: schema, Plural: api.Plural})
	if err != nil {
		return nil, internal([]string{err.Error()})
	}
	blueprint := Blueprint{API: *api, Kinds: usedKinds(nodes), Nodes: nodes}
	return &Prepared{Blueprint: blueprint, Program: program, Warnings: plan.warnings}, nil
}

// Render implements [Module].
func (c Composition[A]) Render(programBytes, instance []byte, observed []Observed) (*Rendering, error) {
	var program program
	if err := json.Unmarshal(programBytes, &program); err != nil {
		return nil, internal([]string{fmt.Sprintf("the program is not one of this module: %v", err)})
	}
	plan := &Plan{config: program.Config}
	render, err := c.declare(plan)
	if err != nil {
		return nil, outside(err)
	}
	object, typed, failure := readInstance[A](instance, &program)
	if failure != nil {
		return nil, failure
	}
	cx := newContext(plan, observed, namespaceOf(object), statusTypeOf[A]())
	rendering, failure := cx.outcome(render(typed, cx))
	if failure != nil {
		return nil, failure
	}
	rendering.Defaults = program.Schema.missing(object["spec"])
	return rendering, nil
}

func (c Composition[A]) declare(plan *Plan) (Render[A], error) {
	render, err := c.Declare(plan)
	if err == nil && render == nil {
		err = Fault("Declare returned no function that renders")
	}
	return render, err
}

// outside is what an error comes to where nothing waits and nothing is switched off.
func outside(err error) *Failure {
	var halt *Halt
	if !errors.As(err, &halt) {
		return internal([]string{err.Error()})
	}
	switch halt.why {
	case whyInvalid:
		return &Failure{Problems: []Problem{halt.problem}}
	case whyFault:
		return internal([]string{halt.message})
	default:
		return internal([]string{"Declare cannot wait and cannot exclude: there is no instance yet"})
	}
}
