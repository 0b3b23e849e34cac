package croft_test

import (
	"encoding/json"
	"strings"
	"testing"

	"croft.run/croft"
	"croft.run/croft/crofttest"
)

// Slip is an API whose modules make mistakes.
type Slip struct {
	Metadata map[string]any `json:"metadata,omitempty"`
	Spec     struct{}       `json:"spec"`
	Status   SlipStatus     `json:"status,omitempty"`
}

type SlipStatus struct {
	Done bool `json:"done,omitempty"`
}

const slipCRD = `
kind: CustomResourceDefinition
metadata: {name: slips.example.org}
spec:
  group: example.org
  names: {kind: Slip, plural: slips}
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec: {type: object}
          status: {type: object, properties: {done: {type: boolean}}}
`

type child = croft.Child[configMap]

type slip = croft.Composition[Slip]

func slips(declare func(plan *croft.Plan) [2]*child, render func(a, b *child, cx *croft.Context) error) slip {
	return slip{CRD: []byte(slipCRD), Declare: func(plan *croft.Plan) (croft.Render[Slip], error) {
		children := declare(plan)
		return func(_ *Slip, cx *croft.Context) error { return render(children[0], children[1], cx) }, nil
	}}
}

func two(plan *croft.Plan) [2]*child {
	return [2]*child{croft.NewChild[configMap](plan, "a"), croft.NewChild[configMap](plan, "b")}
}

func named(name string) configMap { return configMap{Metadata: metadata{Name: name}} }

// internal is what the SDK says to the module's author.
func internal(t *testing.T, err error) string {
	t.Helper()
	failure, ok := err.(*croft.Failure)
	if !ok || failure.Internal == "" {
		t.Fatalf("it is not the module that is wrong: %v", err)
	}
	return failure.Internal
}

func TestADeclarationThatWouldStrayIsRefusedWhenADefinitionIsPrepared(t *testing.T) {
	for expected, declare := range map[string]func(plan *croft.Plan) [2]*child{
		"the id `a` is declared twice": func(plan *croft.Plan) [2]*child {
			return [2]*child{croft.NewChild[configMap](plan, "a"), croft.NewChild[configMap](plan, "a")}
		},
		"`9` is not an id: it begins with a letter": func(plan *croft.Plan) [2]*child {
			croft.NewChild[configMap](plan, "9")
			return two(plan)
		},
		"these wait for each other: `a` → `b` → `a`": func(plan *croft.Plan) [2]*child {
			both := two(plan)
			both[0].After(both[1].After(both[0]))
			return both
		},
		"`a` is declared after `elsewhere`, which is of another plan": func(plan *croft.Plan) [2]*child {
			both := two(plan)
			both[0].After(croft.NewChild[configMap](&croft.Plan{}, "elsewhere"))
			return both
		},
		"`slip` is of the API's own kind, Slip.example.org": func(plan *croft.Plan) [2]*child {
			croft.NewChildOf[configMap](plan, croft.Namespaced("example.org/v2", "Slip"), "slip")
			return two(plan)
		},
		"`v1 no kind` of `odd` is not a kind": func(plan *croft.Plan) [2]*child {
			croft.NewChildOf[configMap](plan, croft.Namespaced("v1", "no kind"), "odd")
			return two(plan)
		},
		"the type `croft_test.Page` of `page` does not say its kind": func(plan *croft.Plan) [2]*child {
			croft.NewChild[Page](plan, "page")
			return two(plan)
		},
	} {
		_, err := slips(declare, nil).Prepare(crofttest.Definition(t, nil))
		if said := internal(t, err); !strings.Contains(said, expected) {
			t.Errorf("%s", said)
		}
	}
}

func TestARenderThatStraysFromTheDeclarationIsTheModulesFault(t *testing.T) {
	for expected, render := range map[string]func(a, b *child, cx *croft.Context) error{
		"the render says nothing of `b`: state it, or exclude it and say why": func(a, _ *child, cx *croft.Context) error {
			a.Set(cx, named("a"))
			return nil
		},
		"`b` waits for `a`, and was not declared so: declare it `.After(a)`": func(a, b *child, cx *croft.Context) error {
			a.Set(cx, named("a"))
			_, err := croft.Wait(cx, a, "data", func(a *configMap) string { return a.Data["x"] })
			return err
		},
		"`a` waits for itself": func(a, b *child, cx *croft.Context) error {
			b.Set(cx, named("b"))
			a.TrySet(cx, func() (configMap, error) { return configMap{}, croft.Waiting(a, "itself") })
			return nil
		},
		"`a` is stated twice in one render": func(a, b *child, cx *croft.Context) error {
			a.Set(cx, named("a"))
			a.Set(cx, named("a"))
			b.Exclude(cx, "no")
			return nil
		},
		"`no word` is not the type of a condition": func(a, b *child, cx *croft.Context) error {
			cx.Condition("no word", croft.True, "", "")
			return croft.Excluded("no")
		},
		"the reason of the condition `Done` is not one short line; the condition `Done` is stated twice": func(a, b *child, cx *croft.Context) error {
			cx.Condition("Done", croft.True, "", "")
			cx.Condition("Done", croft.Unknown, "two\nlines", "")
			return croft.Excluded("no")
		},
		"`a` has no `metadata.name`": func(a, b *child, cx *croft.Context) error {
			a.Set(cx, configMap{})
			return croft.Excluded("no")
		},
		"the kind of `a` is \"Secret\", and `ConfigMap` was declared": func(a, b *child, cx *croft.Context) error {
			a.Set(cx, configMap{Kind: "Secret", Metadata: metadata{Name: "a"}})
			return croft.Excluded("no")
		},
		"the status is a `croft_test.ShopStatus`, and the API has a `croft_test.SlipStatus`": func(a, b *child, cx *croft.Context) error {
			cx.Status(ShopStatus{})
			return croft.Excluded("no")
		},
		"lost": func(a, b *child, cx *croft.Context) error { return croft.Fault("lost") },
	} {
		trial := crofttest.New(t, slips(two, render), map[string]any{"metadata": map[string]any{"name": "s"}})
		_, err := trial.Render()
		if err == nil {
			_, err = trial.Render()
		}
		if said := internal(t, err); !strings.Contains(said, expected) {
			t.Errorf("%s", said)
		}
	}
}

func TestACRDThatWasNotMadeAgainIsRefused(t *testing.T) {
	for part, field := range map[string]string{
		"copies: {type: integer, default: 3}":                    "spec.copies",
		"properties: {slug: {type: string}, title:":              "spec.pages[].slug",
		"properties: {pages: {type: integer}, color: {type: str": "status.pages",
	} {
		old := strings.NewReplacer("copies", "copis", "slug", "slag", "pages: {", "pags: {").Replace(part)
		stale := shops
		stale.CRD = []byte(strings.Replace(shopCRD, part, old, 1))
		_, err := stale.Prepare(crofttest.Definition(t, nil))
		if said := internal(t, err); !strings.Contains(said, "do not have the same field `"+field+"`: run `go generate`") {
			t.Errorf("%s", said)
		}
	}
	taken := slips(two, nil)
	taken.CRD = []byte(strings.Replace(slipCRD, "done: {type: boolean}", "done: {type: boolean}, croft: {type: string}, state: {type: integer}", 1))
	_, err := taken.Prepare(crofttest.Definition(t, nil))
	said := internal(t, err)
	if !strings.Contains(said, "the status has a field `croft`") || !strings.Contains(said, "a field `state` of type integer") {
		t.Errorf("%s", said)
	}
}

func TestAConfigurationThatNobodyReadsIsRefused(t *testing.T) {
	_, err := slips(two, nil).Prepare(crofttest.Definition(t, map[string]any{"size": 3}))
	if problem := crofttest.Problems(t, err)[0]; problem.At != "/spec/config" || problem.Message != "the module takes no configuration" {
		t.Errorf("%v", problem)
	}
	for _, empty := range []any{nil, map[string]any{}, json.RawMessage("null")} {
		if _, err := slips(two, nil).Prepare(crofttest.Definition(t, empty)); err != nil && strings.Contains(err.Error(), "config") {
			t.Errorf("%v: %v", empty, err)
		}
	}
}

func TestASuspendedInstanceIsLeftAlone(t *testing.T) {
	module := slips(two, func(a, b *child, cx *croft.Context) error {
		cx.Suspend("not today")
		return croft.Excluded("no")
	})
	end := crofttest.New(t, module, map[string]any{"metadata": map[string]any{"name": "s"}}).Converge()
	if end.Suspended != "not today" {
		t.Error(end.Suspended)
	}
}
