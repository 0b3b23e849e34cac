// What Go's libraries answer, for comparison: each line of the standard input is
// a JSON string, and each line of the standard output is the answer to it.
//
//	oracles yaml    {"value": …} or {"error": "…"} of sigs.k8s.io/yaml, which kubectl reads with
//	oracles plural  the plural that kro takes of a lower-case kind, as a JSON string
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/gobuffalo/flect"
	"sigs.k8s.io/yaml"
)

func main() {
	ask := map[string]func(string) any{"yaml": readYAML, "plural": plural}
	if len(os.Args) != 2 || ask[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: oracles yaml|plural")
		os.Exit(2)
	}
	if err := answer(ask[os.Args[1]]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func answer(ask func(string) any) error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	out := bufio.NewWriter(os.Stdout)
	for lines.Scan() {
		var text string
		if err := json.Unmarshal(lines.Bytes(), &text); err != nil {
			return err
		}
		line, err := json.Marshal(ask(text))
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

func readYAML(text string) any {
	value, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return map[string]json.RawMessage{"value": value}
}

func plural(word string) any {
	return flect.Pluralize(word)
}
