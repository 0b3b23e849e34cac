  ;; The contract's types. The names that the exports use are those of the
  ;; exported aliases: an exported function may mention no other.
  (type $gvk (record (field "group" string) (field "version" string) (field "kind" string)))
  (type $scope (enum "namespaced" "cluster"))
  (type $schema (record
    (field "kind" $gvk) (field "plural" string) (field "scope" $scope) (field "openapi" string)))
  (type $severity (enum "error" "warning"))
  (type $problem (record
    (field "severity" $severity) (field "code" string) (field "at" string)
    (field "span" (option (tuple u32 u32))) (field "message" string) (field "hint" (option string))))
  (type $failure (variant (case "invalid" (list $problem)) (case "internal" string)))
  (type $api (record
    (field "kind" $gvk) (field "plural" string) (field "scope" $scope) (field "crd" string)))
  (type $access (enum "manage" "read"))
  (type $used_kind (record (field "kind" $gvk) (field "access" $access)))
  (type $role (enum "child" "collection" "external" "external-collection"))
  (type $node (record
    (field "id" string) (field "role" $role) (field "kind" $gvk) (field "depends-on" (list string))))
  (type $blueprint (record
    (field "api" $api) (field "kinds" (list $used_kind)) (field "nodes" (list $node))))
  (type $prepared (record
    (field "blueprint" $blueprint) (field "program" (list u8)) (field "warnings" (list $problem))))
  (type $preparation (variant (case "ready" $prepared) (case "needs" (list $gvk))))
  (type $observed (record (field "id" string) (field "key" string) (field "object" string)))
  (type $child (record
    (field "id" string) (field "key" string) (field "manifest" string) (field "depends-on" (list string))))
  (type $blocked (record (field "id" string) (field "waits-for" (list string)) (field "message" string)))
  (type $excluded (record (field "id" string) (field "message" string)))
  (type $selection (variant
    (case "named" (tuple string string)) (case "labelled" (tuple string string))))
  (type $read (record (field "id" string) (field "kind" $gvk) (field "select" $selection)))
  (type $readiness (record
    (field "id" string) (field "key" string) (field "ready" bool) (field "message" string)))
  (type $condition_status (enum "is-true" "is-false" "unknown"))
  (type $condition (record
    (field "type" string) (field "status" $condition_status) (field "reason" string) (field "message" string)))
  (type $rendering (record
    (field "defaults" string) (field "children" (list $child)) (field "blocked" (list $blocked))
    (field "excluded" (list $excluded)) (field "reads" (list $read)) (field "readiness" (list $readiness))
    (field "status" string) (field "conditions" (list $condition)) (field "suspended" (option string))))
