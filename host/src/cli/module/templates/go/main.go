// {{Kind}}: what users write, and what comes of it.
//
// +groupName={{group}}
// +versionName=v1alpha1
package main

import (
	_ "embed"
	"strings"

	"croft.run/croft"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

//go:generate go tool controller-gen crd paths=. output:crd:dir=.

//go:embed {{group}}_{{plural}}.yaml
var crd []byte

// {{Kind}} is something to say.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
type {{Kind}} struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   {{Kind}}Spec   `json:"spec"`
	Status {{Kind}}Status `json:"status,omitempty"`
}

// {{Kind}}Spec is what users write. Its fields and their comments are the API.
type {{Kind}}Spec struct {
	// What is said.
	Message string `json:"message"`
	// How often it is said.
	//
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10
	Times int32 `json:"times,omitempty"`
}

// {{Kind}}Status is what came of it.
type {{Kind}}Status struct {
	// What the text says by now.
	Text string `json:"text,omitempty"`
}

func init() { croft.Export(module) }

func main() {}

var module = croft.Composition[{{Kind}}]{CRD: crd, Declare: func(plan *croft.Plan) (croft.Render[{{Kind}}], error) {
	text := croft.NewChild[corev1.ConfigMap](plan, "text")

	return func(instance *{{Kind}}, cx *croft.Context) error {
		message, times := instance.Spec.Message, int(instance.Spec.Times)
		if strings.TrimSpace(message) == "" {
			return croft.Invalid("spec.message", "there is nothing to say").Code("EmptyMessage").
				Hint("write a word, such as `Hello`")
		}
		said := strings.TrimSuffix(strings.Repeat(message+" ", times), " ")
		text.Set(cx, corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: instance.Name},
			Data:       map[string]string{"text": said},
		})

		// What a server has of it by now: nothing at first.
		written, err := text.Observed(cx)
		if err != nil {
			return err
		}
		if written != nil {
			cx.Status({{Kind}}Status{Text: written.Data["text"]})
		}
		return nil
	}, nil
}}
