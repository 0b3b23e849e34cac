// The smallest composition module, in Go: one kind, `Greeting`, with a card and a seal.
//
// It answers the same as modules/hello, byte for byte: the fixtures beside that one are
// this one's too.
//
// +groupName=kro.run
// +versionName=v1alpha1
package main

import (
	_ "embed"
	"strings"

	"croft.run/croft"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

//go:generate go tool controller-gen crd paths=. output:crd:dir=.

//go:embed kro.run_greetings.yaml
var crd []byte

// Greeting is somebody to greet, with a card and a seal.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
type Greeting struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   GreetingSpec   `json:"spec"`
	Status GreetingStatus `json:"status,omitempty"`
}

type GreetingSpec struct {
	// Who is greeted. It is part of the names of the children.
	Name string `json:"name"`
	// What to greet with.
	//
	// +kubebuilder:default=Hello
	Greeting string `json:"greeting,omitempty"`
}

type GreetingStatus struct {
	// What the card says.
	Message string `json:"message,omitempty"`
}

func init() { croft.Export(hello) }

func main() {}

var hello = croft.Composition[Greeting]{CRD: crd, Declare: func(plan *croft.Plan) (croft.Render[Greeting], error) {
	card := croft.NewChild[corev1.ConfigMap](plan, "card")
	seal := croft.NewChild[corev1.Secret](plan, "seal").After(card)

	return func(greeting *Greeting, cx *croft.Context) error {
		name, words := greeting.Spec.Name, greeting.Spec.Greeting
		if err := check(name); err != nil {
			return err
		}
		card.Set(cx, corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-card"},
			Data:       map[string]string{"message": words + ", " + name + "!", "language": language(words)},
		})
		written, err := card.Observed(cx)
		if err != nil {
			return err
		}
		if written != nil {
			cx.Status(GreetingStatus{Message: written.Data["message"]})
		}

		// The seal needs what only a server gives: until then, it waits.
		uid, err := croft.Wait(cx, card, "metadata.uid", func(card *corev1.ConfigMap) types.UID { return card.UID })
		if err != nil {
			return err
		}
		seal.Set(cx, corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: name + "-seal"},
			StringData: map[string]string{"signature": "sealed on card " + string(uid)},
		})
		return nil
	}, nil
}}

// check refuses a name that cannot be part of an object's.
func check(name string) error {
	fits := func(c rune) bool { return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' }
	if name != "" && name[0] != '-' && strings.TrimLeftFunc(name, fits) == "" {
		return nil
	}
	return croft.Invalid("spec.name", "`%s` cannot be part of an object's name", name).Code("InvalidName").
		Hint("write a name of lower-case letters, digits and `-`, such as `ada`")
}
