package croft

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// wordsOf has how many words a type of the contract takes, by its text.
type wordsOf map[string]int

func contract(t *testing.T) wordsOf {
	t.Helper()
	source, err := os.ReadFile("../../wit/composition.wit")
	if err != nil {
		t.Skipf("the contract is not here: %v", err)
	}
	text := regexp.MustCompile(`//[^\n]*`).ReplaceAllString(string(source), "")
	words := wordsOf{}
	for _, found := range regexp.MustCompile(`type ([a-z-]+) = string;`).FindAllStringSubmatch(text, -1) {
		words[found[1]] = 2
	}
	for _, found := range regexp.MustCompile(`(?s)(record|variant|enum) ([a-z-]+) \{(.*?)\n    \}`).FindAllStringSubmatch(text, -1) {
		words[found[2]] = words.body(t, found[1], found[3])
	}
	return words
}

func (w wordsOf) body(t *testing.T, form, body string) int {
	sum, most := 0, 0
	for _, line := range strings.Split(body, "\n") {
		line = strings.TrimSuffix(strings.TrimSpace(line), ",")
		if line == "" {
			continue
		}
		one := 0
		if _, field, found := strings.Cut(line, ": "); form == "record" && found {
			one = w.of(t, field)
		} else if _, payload, found := strings.Cut(line, "("); form == "variant" && found {
			one = w.of(t, strings.TrimSuffix(payload, ")"))
		}
		sum, most = sum+one, max(most, one)
	}
	if form == "record" {
		return sum
	}
	return 1 + most
}

func (w wordsOf) of(t *testing.T, name string) int {
	inner, isOption := strings.CutPrefix(name, "option<")
	fields, isTuple := strings.CutPrefix(name, "tuple<")
	switch {
	case name == "string" || strings.HasPrefix(name, "list<"):
		return 2
	case name == "bool" || name == "u32":
		return 1
	case isOption:
		return 1 + w.of(t, strings.TrimSuffix(inner, ">"))
	case isTuple:
		sum := 0
		for _, field := range strings.Split(strings.TrimSuffix(fields, ">"), ", ") {
			sum += w.of(t, field)
		}
		return sum
	case w[name] == 0:
		t.Fatalf("the contract has a type `%s` that this test does not know", name)
	}
	return w[name]
}

func TestValuesTakeAsManyWordsAsTheContractSays(t *testing.T) {
	contract := contract(t)
	written := func(write func(w *words)) int {
		w := &words{}
		write(w)
		return len(w.words)
	}
	first := func(write func(w *words)) *words {
		w := &words{}
		write(w)
		return w.kept[0].(*words)
	}
	prepared := &Prepared{Blueprint: Blueprint{Kinds: []UsedKind{{}}, Nodes: []Node{{}}}}
	blueprint := preparationOf(prepared, nil)
	rendering := &Rendering{
		Children: []RenderedChild{{}}, Blocked: []Blocked{{}}, Excluded: []ExcludedID{{}},
		Reads: []ExternalRead{{}}, Readiness: []Readiness{{}}, Conditions: []Condition{{}},
	}
	rendered := renderingOf(rendering, nil)
	var lists []int
	for _, kept := range append(blueprint.kept, rendered.kept...) {
		if list, ok := kept.(*words); ok {
			lists = append(lists, len(list.words))
		}
	}
	wanted := []int{contract["used-kind"], contract["node"], 0, contract["child"], contract["blocked"], contract["excluded"],
		contract["read"], contract["readiness"], contract["condition"]}
	if len(lists) != len(wanted) {
		t.Fatalf("%d lists, and %d were expected", len(lists), len(wanted))
	}
	for i := range wanted {
		if lists[i] != wanted[i] {
			t.Errorf("the elements of list %d have %d words, and the contract says %d", i, lists[i], wanted[i])
		}
	}
	for name, got := range map[string]int{
		"problem": len(first(func(w *words) { listOf(w, []Problem{{}}, (*words).problem) }).words),
		"api":     written(func(w *words) { w.api(API{}) }),
		"read":    written(func(w *words) { w.read(ExternalRead{Select: Selection{Selector: []byte("{}")}}) }),
	} {
		if got != contract[name] {
			t.Errorf("a `%s` has %d words, and the contract says %d", name, got, contract[name])
		}
	}
	if got := 1 + max(contract["preparation"], contract["failure"]); got != preparationWords || got != len(blueprint.words) {
		t.Errorf("the answer of prepare has %d words", got)
	}
	if got := 1 + max(contract["rendering"], contract["failure"]); got != renderingWords || got != len(rendered.words) {
		t.Errorf("the answer of render has %d words", got)
	}
	if contract["observed"] != len(seen{})*2 {
		t.Errorf("an observed object has %d words", contract["observed"])
	}
}

// What a value points to, in order: texts, and what is in lists.
func textsOf(w *words) []string {
	var texts []string
	for _, kept := range w.kept {
		switch kept := kept.(type) {
		case []byte:
			texts = append(texts, string(kept))
		case *words:
			texts = append(texts, textsOf(kept)...)
		}
	}
	return texts
}

func TestValuesHaveTheirFieldsInTheOrderOfTheContract(t *testing.T) {
	kind := GVK{Group: "group", Version: "version", Kind: "kind"}
	rendering := &Rendering{
		Defaults:   map[string]any{"a": "defaults"},
		Children:   []RenderedChild{{"id", "key", []byte("manifest"), []string{"depends-on"}}},
		Blocked:    []Blocked{{"id", []string{"waits-for"}, "message"}},
		Excluded:   []ExcludedID{{"id", "message"}},
		Reads:      []ExternalRead{{ID: "id", Kind: kind, Select: Selection{Namespace: "namespace", Selector: []byte("selector")}}},
		Readiness:  []Readiness{{"id", "key", true, "message"}},
		Status:     map[string]any{"a": "status"},
		Conditions: []Condition{{"type", Unknown, "reason", "message"}},
		Suspended:  "suspended",
	}
	rendered := renderingOf(rendering, nil)
	expected := `{"a":"defaults"} id key manifest depends-on id waits-for message id message id group version kind namespace ` +
		`selector id key message {"a":"status"} type reason message suspended`
	if got := strings.Join(textsOf(rendered), " "); got != expected {
		t.Error(got)
	}
	prepared := &Prepared{
		Blueprint: Blueprint{
			API:   API{Kind: kind, Plural: "plural", CRD: []byte("crd")},
			Kinds: []UsedKind{{kind, Read}},
			Nodes: []Node{{"id", RoleExternal, kind, []string{"depends-on"}}},
		},
		Program:  []byte("program"),
		Warnings: []Problem{{Warning, "code", "at", "message", "hint"}},
	}
	expected = "group version kind plural crd group version kind id group version kind depends-on program code at message hint"
	if got := strings.Join(textsOf(preparationOf(prepared, nil)), " "); got != expected {
		t.Error(got)
	}
	failed := renderingOf(nil, &Failure{Problems: []Problem{{Error, "code", "at", "message", "hint"}}})
	if got := strings.Join(textsOf(failed), " "); got != "code at message hint" || failed.words[0] != 1 || failed.words[1] != 0 {
		t.Error(got)
	}
	internal := renderingOf(nil, &Failure{Internal: "internal"})
	if got := strings.Join(textsOf(internal), " "); got != "internal" || internal.words[1] != 1 {
		t.Error(got)
	}
}

func TestBytesOfAValueAreItsNumbersInTheContract(t *testing.T) {
	w := &words{}
	listOf(w, []Readiness{{Ready: true}}, func(w *words, readiness Readiness) { w.boolean(readiness.Ready) })
	if w.kept[0].(*words).words[0] != 1 {
		t.Error("true is 1")
	}
	for got, wanted := range map[uint8]uint8{
		uint8(InNamespace): 0, uint8(Warning): 1, uint8(RoleExternal): 2, uint8(RoleExternalCollection): 3,
	} {
		if got != wanted {
			t.Errorf("%d is %d", got, wanted)
		}
	}
	if Manage != 0 || Read != 1 || True != 0 || False != 1 || Unknown != 2 || LevelError != 0 || LevelDebug != 3 {
		t.Error("an enumeration is not in the order of the contract")
	}
}
