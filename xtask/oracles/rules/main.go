// What an API server answers to the rules of a CRD, for comparison: each line of
// the standard input is {"schema": …, "value": …}, where the schema is that of one
// field, and each line of the standard output is the same with an answer: whether the
// server would have refused the CRD, or the value breaks a rule, or keeps them. Why is
// written to the standard error.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	v1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/version"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/environment"
)

type question struct {
	Schema json.RawMessage `json:"schema"`
	Value  json.RawMessage `json:"value,omitempty"`
	Answer string          `json:"answer"`
}

// unmarshal makes whole numbers what the server makes them.
func unmarshal(text []byte, into *any) error { return utiljson.Unmarshal(text, into) }

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		word, reasons, err := answered(asked)
		if err != nil {
			return err
		}
		for _, reason := range reasons {
			fmt.Fprintln(os.Stderr, reason)
		}
		asked.Answer = word
		if err := out.Encode(asked); err != nil {
			return err
		}
	}
	return lines.Err()
}

func answered(asked question) (string, []string, error) {
	var stated v1.JSONSchemaProps
	if err := json.Unmarshal(asked.Schema, &stated); err != nil {
		return "", nil, err
	}
	var internal apiextensions.JSONSchemaProps
	if err := v1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(&stated, &internal, nil); err != nil {
		return "", nil, err
	}
	structural, err := schema.NewStructural(&internal)
	if err != nil {
		return "", nil, err
	}
	refused, err := refusals(structural)
	if err != nil || len(refused) > 0 {
		return "refused", refused, err
	}
	if asked.Value == nil {
		return "kept", nil, nil
	}
	var value any
	if err := unmarshal(asked.Value, &value); err != nil {
		return "", nil, err
	}
	validator := cel.NewValidator(structural, false, celconfig.PerCallLimit)
	found, _ := validator.Validate(context.Background(), nil, structural, value, nil, celconfig.RuntimeCELCostBudget)
	if len(found) > 0 {
		return "broken", words(found), nil
	}
	return "kept", nil, nil
}

// refusals are why there would be no CRD: rules at the root of the schema, and
// defaults anywhere in it.
func refusals(structural *schema.Structural) ([]string, error) {
	// The newest functions count too.
	environments := environment.MustBaseEnvSet(version.MajorMinor(1, 36))
	types := model.SchemaDeclType(structural, false)
	results, err := cel.Compile(structural, types, celconfig.PerCallLimit, environments, cel.NewExpressionsEnvLoader())
	if err != nil {
		return nil, err
	}
	var refused []string
	for _, result := range results {
		if result.Error != nil {
			refused = append(refused, result.Error.Detail)
		}
	}
	wrong, err := defaulting.ValidateDefaults(context.Background(), nil, structural, false, true)
	return append(refused, words(wrong)...), err
}

func words(errors field.ErrorList) []string {
	var said []string
	for _, it := range errors {
		said = append(said, it.Error())
	}
	return said
}
