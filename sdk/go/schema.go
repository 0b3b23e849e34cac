package croft

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// schema is what is kept of an OpenAPI schema: the form of values and their defaults.
// Everything else is the server's to check.
type schema struct {
	Type                 string             `json:"type,omitempty"`
	Properties           map[string]*schema `json:"properties,omitempty"`
	Required             []string           `json:"required,omitempty"`
	Items                *schema            `json:"items,omitempty"`
	AdditionalProperties *schema            `json:"additionalProperties,omitempty"`
	Default              any                `json:"default,omitempty"`
	Nullable             bool               `json:"nullable,omitempty"`
}

// UnmarshalJSON reads a schema; one that is not an object says nothing.
func (s *schema) UnmarshalJSON(text []byte) error {
	type plain schema
	if !strings.HasPrefix(string(text), "{") {
		return nil
	}
	return decode(text, (*plain)(s))
}

// readInstance is an instance as JSON and, with its defaults, as its type.
func readInstance[A any](source []byte, program *program) (map[string]any, *A, *Failure) {
	var object map[string]any
	if err := decode(source, &object); err != nil {
		return nil, nil, internal([]string{fmt.Sprintf("the instance that the host passed is not JSON: %v", err)})
	}
	if object["spec"] == nil {
		object["spec"] = map[string]any{}
	}
	filled, err := copied(object)
	if err != nil {
		return nil, nil, internal([]string{err.Error()})
	}
	program.Schema.fillIn(filled["spec"])
	if problems := program.Schema.check(filled["spec"], "/spec", program.Plural); len(problems) > 0 {
		return nil, nil, &Failure{Problems: problems}
	}
	instance := new(A)
	if err := convert(filled, instance); err != nil {
		problem := wrongType(err, "").Hint("%s", explain(program.Plural, wrongType(err, "").problem.At)).problem
		return nil, nil, &Failure{Problems: []Problem{problem}}
	}
	return object, instance, nil
}

// fillIn gives absent fields their default, as a server does.
func (s *schema) fillIn(value any) {
	if s == nil {
		return
	}
	switch value := value.(type) {
	case map[string]any:
		for name, property := range s.Properties {
			if _, present := value[name]; !present && property.Default != nil {
				value[name], _ = copied(property.Default)
			}
			property.fillIn(value[name])
		}
		if s.AdditionalProperties != nil {
			for _, inner := range value {
				s.AdditionalProperties.fillIn(inner)
			}
		}
	case []any:
		for _, element := range value {
			s.Items.fillIn(element)
		}
	}
}

// missing has the fields to fill in, as an object shaped like `spec`. A field that is
// not an object is named also where the instance has one, which stays as it is: so the
// answer does not change when it was filled in. Defaults in elements of lists and in
// values of maps are the server's alone: the contract has no way to name them.
func (s *schema) missing(spec any) map[string]any {
	present, _ := spec.(map[string]any)
	missing := map[string]any{}
	if s == nil {
		return missing
	}
	for name, property := range s.Properties {
		value, given := present[name]
		object, isObject := value.(map[string]any)
		_, defaultIsObject := property.Default.(map[string]any)
		switch {
		case isObject:
			if inner := property.missing(object); len(inner) > 0 {
				missing[name] = inner
			}
		case property.Default != nil && (!given || !defaultIsObject):
			missing[name] = property.Default
		}
	}
	return missing
}

// check finds what does not have the form of the schema.
func (s *schema) check(value any, at, plural string) []Problem {
	if s == nil || value == nil && s.Nullable {
		return nil
	}
	if expected := s.expects(value); expected != "" {
		problem := Invalid(at, "invalid type: %s, expected %s", described(value), expected).Code("InvalidValue")
		return []Problem{problem.Hint("%s", explain(plural, at)).problem}
	}
	var problems []Problem
	switch value := value.(type) {
	case map[string]any:
		for _, name := range s.Required {
			if _, present := value[name]; !present {
				problem := Invalid(at, "`%s` is required", name).Code("MissingField")
				problems = append(problems, problem.Hint("%s", explain(plural, at)).problem)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(value)) {
			inner := s.Properties[name]
			if inner == nil {
				inner = s.AdditionalProperties
			}
			problems = append(problems, inner.check(value[name], at+"/"+escaped(name), plural)...)
		}
	case []any:
		for i, element := range value {
			problems = append(problems, s.Items.check(element, fmt.Sprintf("%s/%d", at, i), plural)...)
		}
	}
	return problems
}

// expects is what the schema wants instead of a value, or nothing if that is one.
func (s *schema) expects(value any) string {
	number, isNumber := value.(json.Number)
	wanted := map[string]struct {
		name string
		is   bool
	}{
		"object":  {"an object", is[map[string]any](value)},
		"array":   {"a list", is[[]any](value)},
		"string":  {"a string", is[string](value)},
		"boolean": {"a boolean", is[bool](value)},
		"number":  {"a number", isNumber},
		"integer": {"an integer", isNumber && !strings.ContainsAny(number.String(), ".eE")},
	}
	if want, known := wanted[s.Type]; known && !want.is {
		return want.name
	}
	return ""
}

func is[T any](value any) bool {
	_, ok := value.(T)
	return ok
}

// described is a value in words.
func described(value any) string {
	switch value := value.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprintf("boolean `%v`", value)
	case string:
		return fmt.Sprintf("string %q", value)
	case json.Number:
		if strings.ContainsAny(value.String(), ".eE") {
			return fmt.Sprintf("floating point `%s`", value)
		}
		return fmt.Sprintf("integer `%s`", value)
	case []any:
		return "sequence"
	}
	return "map"
}
