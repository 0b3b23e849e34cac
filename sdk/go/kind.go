package croft

import (
	"reflect"
	"strings"
)

// Kind is a kind with its scope, for objects whose Go type does not say it.
type Kind struct {
	GVK
	Scope Scope
}

// Namespaced is a kind whose objects live in a namespace:
// Namespaced("gateway.networking.k8s.io/v1", "HTTPRoute").
func Namespaced(apiVersion, kind string) Kind {
	return Kind{GVK: gvk(apiVersion, kind), Scope: InNamespace}
}

// ClusterScoped is a kind whose objects live in none.
func ClusterScoped(apiVersion, kind string) Kind {
	return Kind{GVK: gvk(apiVersion, kind), Scope: InCluster}
}

func gvk(apiVersion, kind string) GVK {
	group, version, found := strings.Cut(apiVersion, "/")
	if !found {
		group, version = "", apiVersion
	}
	return GVK{Group: group, Version: version, Kind: kind}
}

// Kinded is a type that says itself of which kind it is, as your own API types may.
type Kinded interface {
	CroftKind() Kind
}

// kubernetes has the groups of the packages below k8s.io/api whose name is not the
// group. The types of these packages do not say their group, and the scheme that
// knows it would bring all of Kubernetes' types into every module.
var kubernetes = map[string]string{
	"core":                  "",
	"admissionregistration": "admissionregistration.k8s.io",
	"authentication":        "authentication.k8s.io",
	"authorization":         "authorization.k8s.io",
	"certificates":          "certificates.k8s.io",
	"coordination":          "coordination.k8s.io",
	"discovery":             "discovery.k8s.io",
	"events":                "events.k8s.io",
	"flowcontrol":           "flowcontrol.apiserver.k8s.io",
	"networking":            "networking.k8s.io",
	"node":                  "node.k8s.io",
	"rbac":                  "rbac.authorization.k8s.io",
	"resource":              "resource.k8s.io",
	"scheduling":            "scheduling.k8s.io",
	"storage":               "storage.k8s.io",
	"storagemigration":      "storagemigration.k8s.io",
}

// clusterScoped has the kinds of k8s.io/api whose objects live in no namespace.
var clusterScoped = map[string]bool{
	"Namespace": true, "Node": true, "PersistentVolume": true, "ComponentStatus": true,
	"ClusterRole": true, "ClusterRoleBinding": true, "IngressClass": true, "IPAddress": true, "ServiceCIDR": true,
	"StorageClass": true, "VolumeAttachment": true, "VolumeAttributesClass": true, "CSIDriver": true, "CSINode": true,
	"PriorityClass": true, "RuntimeClass": true, "FlowSchema": true, "PriorityLevelConfiguration": true,
	"MutatingWebhookConfiguration": true, "ValidatingWebhookConfiguration": true,
	"ValidatingAdmissionPolicy": true, "ValidatingAdmissionPolicyBinding": true,
	"MutatingAdmissionPolicy": true, "MutatingAdmissionPolicyBinding": true,
	"CertificateSigningRequest": true, "ClusterTrustBundle": true, "DeviceClass": true, "ResourceSlice": true,
	"DeviceTaintRule": true, "StorageVersionMigration": true,
}

// KindOf is the kind of a Go type: what the type says itself, or what the package of
// k8s.io/api says in which it is.
func KindOf(t reflect.Type) (Kind, bool) {
	if kinded, ok := reflect.New(t).Interface().(Kinded); ok {
		return kinded.CroftKind(), true
	}
	path, found := strings.CutPrefix(t.PkgPath(), "k8s.io/api/")
	folder, version, two := strings.Cut(path, "/")
	if !found || !two || strings.Contains(version, "/") {
		return Kind{}, false
	}
	group, known := kubernetes[folder]
	if !known {
		group = folder
	}
	scope := InNamespace
	if clusterScoped[t.Name()] {
		scope = InCluster
	}
	return Kind{GVK: GVK{Group: group, Version: version, Kind: t.Name()}, Scope: scope}, true
}
