module {{name}}

go 1.26.0

require (
	croft.run/croft {{sdk}}
	k8s.io/api v0.36.3
	k8s.io/apimachinery v0.36.3
	sigs.k8s.io/controller-tools v0.21.0
)

tool sigs.k8s.io/controller-tools/cmd/controller-gen
{{replace}}