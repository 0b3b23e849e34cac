/** Kinds, and the classes that say of which kind their objects are. */

import type { Gvk, Scope } from "./contract.js";

/** A kind with its scope, for objects without a class. */
export class Kind {
  constructor(
    readonly gvk: Gvk,
    readonly scope: Scope,
  ) {}
}

/** A class of objects that says its kind, as those of `kubernetes-models` do. */
export interface Model<Data, Live> {
  readonly apiVersion: string;
  readonly kind: string;
  new (data?: Data): Live;
}

/** A kind whose objects live in a namespace: `namespaced("gateway.networking.k8s.io/v1", "HTTPRoute")`. */
export function namespaced(apiVersion: string, kind: string): Kind {
  return new Kind(gvk(apiVersion, kind), "namespaced");
}

/** A kind whose objects live in none. */
export function clusterScoped(apiVersion: string, kind: string): Kind {
  return new Kind(gvk(apiVersion, kind), "cluster");
}

export function gvk(apiVersion: string, kind: string): Gvk {
  const slash = apiVersion.indexOf("/");
  return { group: apiVersion.slice(0, Math.max(slash, 0)), version: apiVersion.slice(slash + 1), kind };
}

/** Kubernetes' own kinds without a namespace: their classes do not say it. */
const CLUSTER = new Set([
  "Namespace",
  "Node",
  "PersistentVolume",
  "ClusterRole",
  "ClusterRoleBinding",
  "IngressClass",
  "IPAddress",
  "ServiceCIDR",
  "StorageClass",
  "VolumeAttachment",
  "VolumeAttributesClass",
  "CSIDriver",
  "CSINode",
  "PriorityClass",
  "RuntimeClass",
  "FlowSchema",
  "PriorityLevelConfiguration",
  "MutatingWebhookConfiguration",
  "ValidatingWebhookConfiguration",
  "ValidatingAdmissionPolicy",
  "ValidatingAdmissionPolicyBinding",
  "MutatingAdmissionPolicy",
  "MutatingAdmissionPolicyBinding",
  "CertificateSigningRequest",
  "ClusterTrustBundle",
  "CustomResourceDefinition",
  "APIService",
  "DeviceClass",
  "ResourceSlice",
]);

export function kindOf(model: Kind | Model<never, unknown>): Kind {
  if (model instanceof Kind) return model;
  const kind = gvk(model.apiVersion, model.kind);
  const isOfKubernetes = !kind.group.includes(".") || kind.group.endsWith(".k8s.io");
  return new Kind(kind, isOfKubernetes && CLUSTER.has(kind.kind) ? "cluster" : "namespaced");
}
