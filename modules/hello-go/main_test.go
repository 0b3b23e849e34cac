package main

import (
	"testing"

	"croft.run/croft"
	"croft.run/croft/crofttest"
	corev1 "k8s.io/api/core/v1"
)

func greeting(t *testing.T, spec map[string]any) *crofttest.Trial {
	t.Helper()
	return crofttest.New(t, hello, map[string]any{"metadata": map[string]any{"name": "g"}, "spec": spec})
}

func TestTheSealWaitsForTheCard(t *testing.T) {
	first, err := greeting(t, map[string]any{"name": "ada"}).Render()
	if err != nil {
		t.Fatal(err)
	}
	if message := first.BlockedOn("seal"); message != "`metadata.uid` of `card` is not there yet" {
		t.Errorf("the seal is blocked on %q", message)
	}
	if first.IsReady() || first.Status != nil {
		t.Errorf("it is ready with status %v", first.Status)
	}
}

func TestBothChildrenAreThereInTheEnd(t *testing.T) {
	end := greeting(t, map[string]any{"name": "ada"}).Converge()
	card := crofttest.Child[corev1.ConfigMap](end, "card")
	if card.Name != "ada-card" || card.Data["message"] != "Hello, ada!" || card.Data["language"] != "English" {
		t.Errorf("the card is %v", card)
	}
	seal := crofttest.Child[corev1.Secret](end, "seal")
	if seal.StringData["signature"] != "sealed on card uid-of-card" {
		t.Errorf("the seal is %v", seal)
	}
	if end.Status["message"] != "Hello, ada!" || !end.IsReady() {
		t.Errorf("the status is %v", end.Status)
	}
}

func TestTheGreetingOfTheInstanceDecidesTheLanguage(t *testing.T) {
	for words, expected := range map[string]string{
		"Merhaba": "Turkish", " GRÜß GOTT ": "German", "GRÜSS GOTT": "unknown", "xyzzy": "unknown", "<&>": "unknown",
	} {
		end := greeting(t, map[string]any{"name": "ada", "greeting": words}).Converge()
		card := crofttest.Child[corev1.ConfigMap](end, "card")
		if card.Data["language"] != expected || card.Data["message"] != words+", ada!" {
			t.Errorf("%s: %v", words, card.Data)
		}
	}
}

func TestANameThatNoObjectCanHaveIsRefusedWithItsPlace(t *testing.T) {
	for _, name := range []string{"Ada", "", "-ada", "a b"} {
		problem := greeting(t, map[string]any{"name": name}).Problems()[0]
		if problem.Code != "InvalidName" || problem.At != "/spec/name" {
			t.Errorf("%q: %v", name, problem)
		}
	}
	missing := greeting(t, map[string]any{}).Problems()[0]
	if missing.Code != "MissingField" || missing.At != "/spec" || missing.Message != "`name` is required" {
		t.Errorf("%v", missing)
	}
	wrong := greeting(t, map[string]any{"name": 3}).Problems()[0]
	if wrong.At != "/spec/name" || wrong.Hint != "`kubectl explain greetings.spec.name` says what it takes" {
		t.Errorf("%v: %s", wrong, wrong.Hint)
	}
}

func TestTheBlueprintNamesTheChildrenInOrder(t *testing.T) {
	blueprint := greeting(t, map[string]any{"name": "ada"}).Blueprint()
	core := func(kind string) croft.GVK { return croft.GVK{Version: "v1", Kind: kind} }
	if blueprint.Nodes[0].Kind != core("ConfigMap") || blueprint.Nodes[1].Kind != core("Secret") ||
		blueprint.Nodes[1].DependsOn[0] != "card" {
		t.Errorf("%v", blueprint.Nodes)
	}
	if (blueprint.API.Kind != croft.GVK{Group: "kro.run", Version: "v1alpha1", Kind: "Greeting"}) {
		t.Errorf("%v", blueprint.API.Kind)
	}
}
