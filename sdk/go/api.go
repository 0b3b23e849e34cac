package croft

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// apiOf is the API of a CRD, the schema of its `spec`, and what is wrong with it or
// does not fit the Go type A. Without an API nothing else can be found out.
func apiOf[A any](source []byte) (*API, *schema, []string) {
	var crd map[string]any
	if err := yaml.Unmarshal(source, &crd); err != nil {
		return nil, nil, []string{fmt.Sprintf("the CRD cannot be read: %v", err)}
	}
	spec, _ := crd["spec"].(map[string]any)
	names, _ := spec["names"].(map[string]any)
	versions, _ := spec["versions"].([]any)
	if crd["kind"] != "CustomResourceDefinition" || names == nil || len(versions) != 1 {
		return nil, nil, []string{"the CRD is not a CustomResourceDefinition with one version: have controller-gen make it"}
	}
	version, _ := versions[0].(map[string]any)
	complete(crd, names, version)
	var schema schema
	openAPI, _ := version["schema"].(map[string]any)
	if err := convert(openAPI["openAPIV3Schema"], &schema); err != nil {
		return nil, nil, []string{fmt.Sprintf("the schema of the CRD cannot be read: %v", err)}
	}
	encoded, err := encode(crd)
	if err != nil {
		return nil, nil, []string{fmt.Sprintf("the CRD cannot be written as JSON: %v", err)}
	}
	api := &API{Kind: GVK{text(spec, "group"), text(version, "name"), text(names, "kind")}, Plural: text(names, "plural"), CRD: encoded}
	if spec["scope"] == "Cluster" {
		api.Scope = InCluster
	}
	faults := append(ownFields(schema.Properties["status"]), fits(&schema, reflect.TypeFor[A]())...)
	return api, schema.Properties["spec"], faults
}

func text(object map[string]any, field string) string {
	text, _ := object[field].(string)
	return text
}

// complete adds what a server would add by itself, and the columns of every other API
// of croft's, and takes away the marks of the tool that made the CRD.
func complete(crd, names, version map[string]any) {
	metadata, _ := crd["metadata"].(map[string]any)
	crd["metadata"] = map[string]any{"name": metadata["name"]}
	delete(crd, "status")
	if _, given := names["listKind"]; !given {
		names["listKind"] = text(names, "kind") + "List"
	}
	if columns, _ := version["additionalPrinterColumns"].([]any); len(columns) == 0 {
		version["additionalPrinterColumns"] = []any{
			map[string]any{"name": "State", "description": "What the instance is at", "jsonPath": ".status.state", "type": "string"},
			map[string]any{"name": "Ready", "description": "Whether its children are there and ready",
				"jsonPath": `.status.conditions[?(@.type=="Ready")].status`, "type": "string"},
			map[string]any{"name": "Age", "description": "Age of the resource", "jsonPath": ".metadata.creationTimestamp", "type": "date"},
		}
	}
}

// ownFields finds fields of the status that the host writes.
func ownFields(status *schema) []string {
	var faults []string
	if status == nil {
		return nil
	}
	if status.Properties["croft"] != nil {
		faults = append(faults, "the status has a field `croft`, which croft keeps its record in: give it another name")
	}
	for _, own := range [][2]string{{"state", "string"}, {"conditions", "array"}} {
		found := status.Properties[own[0]]
		if found != nil && found.Type != own[1] {
			faults = append(faults, fmt.Sprintf("the status has a field `%s` of type %s, and croft writes one of type %s there: "+
				"leave it out, or give it another name", own[0], found.Type, own[1]))
		}
	}
	return faults
}

// fits finds what of the Go type is not in the CRD, or the other way round: a CRD that
// was not made again since the type changed.
func fits(schema *schema, t reflect.Type) []string {
	var faults []string
	for _, part := range []string{"spec", "status"} {
		field, found := jsonFields(t)[part]
		switch inCRD := schema.Properties[part]; {
		case found && inCRD != nil:
			faults = append(faults, differences(inCRD, field.Type, part)...)
		case found != (inCRD != nil):
			faults = append(faults, stale(part))
		}
	}
	return faults
}

func stale(field string) string {
	return fmt.Sprintf("the CRD and the Go type do not have the same field `%s`: run `go generate`", field)
}

func differences(schema *schema, t reflect.Type, at string) []string {
	switch t = indirect(t); {
	case t.Kind() == reflect.Slice && schema.Items != nil:
		return differences(schema.Items, t.Elem(), at+"[]")
	case t.Kind() == reflect.Map && schema.AdditionalProperties != nil:
		return differences(schema.AdditionalProperties, t.Elem(), at+".*")
	case t.Kind() != reflect.Struct || schema.Properties == nil || marshals(t):
		return nil
	}
	var faults []string
	fields := jsonFields(t)
	for name, field := range fields {
		if property := schema.Properties[name]; property != nil {
			faults = append(faults, differences(property, field.Type, at+"."+name)...)
		} else {
			faults = append(faults, stale(at+"."+name))
		}
	}
	for name := range schema.Properties {
		if _, found := fields[name]; !found {
			faults = append(faults, stale(at+"."+name))
		}
	}
	slices.Sort(faults)
	return faults
}

// statusTypeOf is the type of an API's `status`, or nil.
func statusTypeOf[A any]() reflect.Type {
	field, found := jsonFields(reflect.TypeFor[A]())["status"]
	if !found {
		return nil
	}
	return indirect(field.Type)
}

// definition is what is read of one.
type definition struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       struct {
		Config json.RawMessage `json:"config"`
		Schema map[string]any  `json:"schema"`
	} `json:"spec"`
}

// readDefinition is a definition's configuration, or why it is for something else than
// the API that the module serves. The code is the definition, so little is read: a
// Composition says nothing of the API, and the other kinds say which one they are for.
func readDefinition(source []byte, api GVK) (json.RawMessage, *Halt, error) {
	var found definition
	if err := json.Unmarshal(source, &found); err != nil {
		return nil, nil, fmt.Errorf("the definition that the host passed is not JSON: %w", err)
	}
	if string(found.Spec.Config) == "null" {
		found.Spec.Config = nil
	}
	kind := gvk(found.APIVersion, found.Kind)
	switch {
	case kind.Group == "croft.run" && kind.Kind == "Composition":
		return found.Spec.Config, nil, nil
	case kind.Group == "kro.run" && (kind.Kind == "ResourceGroup" || kind.Kind == "ResourceGraphDefinition"):
		return found.Spec.Config, sameAPI(found.Spec.Schema, api), nil
	}
	return nil, Invalid("kind", "the module does not read definitions of this kind").Code("UnsupportedKind").
		Hint("write `apiVersion: croft.run/v1alpha1` and `kind: Composition`"), nil
}

func sameAPI(schema map[string]any, api GVK) *Halt {
	for _, field := range [][2]string{{"kind", api.Kind}, {"apiVersion", api.Version}} {
		name, wanted := field[0], field[1]
		if schema[name] == wanted {
			continue
		}
		found, _ := encode(schema[name])
		return Invalid("spec.schema."+name, "the module serves the %s `%s`, the definition has %s", name, wanted, found).
			Code("WrongApi").Hint("write `%s: %s`, or a `Composition`", name, wanted)
	}
	return nil
}

// explain is a hint at the command that says what a field takes.
func explain(plural, at string) string {
	var field strings.Builder
	for _, part := range strings.Split(at, "/")[1:] {
		if strings.Trim(part, "0123456789") != "" {
			field.WriteString("." + part)
		}
	}
	return fmt.Sprintf("`kubectl explain %s%s` says what it takes", plural, field.String())
}
