// What kro answers to CEL expressions, for comparison: each line of the standard
// input is {"expr": …, "vars": {…}}, and each line of the standard output is its
// answer, in the form of `modules/expr/tests/cel.jsonl`.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/google/cel-go/cel"
	kro "github.com/kubernetes-sigs/kro/pkg/cel"
	"github.com/kubernetes-sigs/kro/pkg/cel/sentinels"
)

type question struct {
	Expr string         `json:"expr"`
	Vars map[string]any `json:"vars"`
}

type answer struct {
	Type         string `json:"type,omitempty"`
	Value        any    `json:"value"`
	CompileError string `json:"compileError,omitempty"`
	Error        string `json:"error,omitempty"`
	Pending      bool   `json:"pending,omitempty"`
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	environments := map[string]*cel.Env{}
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			return err
		}
		environment, err := declared(environments, asked.Vars)
		if err != nil {
			return err
		}
		line, err := json.Marshal(answered(environment, asked))
		if err != nil {
			return err
		}
		out.Write(append(line, '\n'))
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return out.Flush()
}

// declared has an environment for each set of names: making one takes longer
// than an answer.
func declared(known map[string]*cel.Env, variables map[string]any) (*cel.Env, error) {
	var names []string
	for name := range variables {
		names = append(names, name)
	}
	slices.Sort(names)
	key := fmt.Sprint(names)
	if environment, ok := known[key]; ok {
		return environment, nil
	}
	environment, err := kro.DefaultEnvironment(kro.WithResourceIDs(names))
	known[key] = environment
	return environment, err
}

func answered(environment *cel.Env, asked question) answer {
	ast, issues := environment.Compile(asked.Expr)
	if issues.Err() != nil {
		return answer{CompileError: issues.Err().Error()}
	}
	program, err := environment.Program(ast)
	if err != nil {
		return answer{CompileError: err.Error()}
	}
	variables := make(map[string]any, len(asked.Vars))
	for name, value := range asked.Vars {
		variables[name] = integers(value)
	}
	expression := kro.NewUncompiled(asked.Expr)
	expression.Program = program
	value, err := expression.Eval(variables)
	if err != nil {
		return answer{Type: ast.OutputType().String(), Error: err.Error(), Pending: pending(err)}
	}
	return answer{Type: ast.OutputType().String(), Value: shown(value)}
}

// integers makes whole numbers what a Kubernetes client makes them.
func integers(value any) any {
	switch value := value.(type) {
	case float64:
		if value == math.Trunc(value) && math.Abs(value) < 1<<53 {
			return int64(value)
		}
	case []any:
		for index, element := range value {
			value[index] = integers(element)
		}
	case map[string]any:
		for name, field := range value {
			value[name] = integers(field)
		}
	}
	return value
}

// shown tells a double from an integer, and an omitted value from null.
func shown(value any) any {
	switch value := value.(type) {
	case float64:
		return map[string]string{"$double": strconv.FormatFloat(value, 'g', -1, 64)}
	case sentinels.Omit:
		return map[string]bool{"$omit": true}
	case []any:
		list := make([]any, len(value))
		for index, element := range value {
			list[index] = shown(element)
		}
		return list
	case map[string]any:
		object := make(map[string]any, len(value))
		for name, field := range value {
			object[name] = shown(field)
		}
		return object
	}
	return value
}

var waits = []string{"no such key", "no such field", "no such attribute", "index out of bounds"}

// pending tells what kro waits for from what fails for good: kro itself looks
// for these words.
func pending(err error) bool {
	return slices.ContainsFunc(waits, func(words string) bool { return strings.Contains(err.Error(), words) })
}
