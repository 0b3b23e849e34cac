;; The shell of every guest, first half: the import `log`, a heap, and the core
;; module that the guest's own functions go into. They are `$prepare` and
;; `$render`; `parts/end.wat` lifts them.
(component
  (import "croft:composition/log@0.1.0" (instance $log
    (type $level (enum "error" "warn" "info" "debug"))
    (export "level" (type $exported (eq $level)))
    (export "log" (func (param "level" $exported) (param "message" string)))))

  ;; A memory whose first page is for the guest, and an allocator that never
  ;; frees: a call is over soon.
  (core module $heap_module
    (memory (export "memory") 2)
    (global $next (mut i32) (i32.const 0x10000))
    (func (export "realloc") (param i32 i32) (param $align i32) (param $size i32) (result i32)
      (local $at i32)
      (local.set $at (i32.and
        (i32.add (global.get $next) (i32.sub (local.get $align) (i32.const 1)))
        (i32.sub (i32.const 0) (local.get $align))))
      (global.set $next (i32.add (local.get $at) (local.get $size)))
      (block $fits (loop $more
        (br_if $fits (i32.le_u (global.get $next) (i32.mul (memory.size) (i32.const 0x10000))))
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (br $more)))
      (local.get $at)))
  (core instance $heap (instantiate $heap_module))
  (core func $log_lowered (canon lower (func $log "log") (memory (core memory $heap "memory"))))
  (core instance $host (export "log" (func $log_lowered)))

  (core module $guest_module
    (import "heap" "memory" (memory 1))
    (import "heap" "realloc" (func $realloc (param i32 i32 i32 i32) (result i32)))
    (import "host" "log" (func $log (param $level i32) (param $at i32) (param $length i32)))

    (data (i32.const 0x10) "example.org")
    (data (i32.const 0x20) "v1")
    (data (i32.const 0x28) "Thing")
    (data (i32.const 0x30) "things")
    (data (i32.const 0x38) "{}")
    (data (i32.const 0x40) "thing")
    (data (i32.const 0x100) "{\"apiVersion\":\"apiextensions.k8s.io/v1\",\"kind\":\"CustomResourceDefinition\",\"metadata\":{\"name\":\"things.example.org\"},\"spec\":{\"group\":\"example.org\",\"scope\":\"Namespaced\",\"names\":{\"kind\":\"Thing\",\"plural\":\"things\"},\"versions\":[{\"name\":\"v1\"}]}}")

    ;; Stores a string or a list: its place and its length.
    (func $slice (param $into i32) (param $at i32) (param $length i32)
      (i32.store (local.get $into) (local.get $at))
      (i32.store offset=4 (local.get $into) (local.get $length)))

    ;; The answer of `prepare` that has this program, at 0x400.
    (func $ready (param $at i32) (param $length i32) (result i32)
      (call $slice (i32.const 0x408) (i32.const 0x10) (i32.const 11))  ;; api.kind.group
      (call $slice (i32.const 0x410) (i32.const 0x20) (i32.const 2))   ;; api.kind.version
      (call $slice (i32.const 0x418) (i32.const 0x28) (i32.const 5))   ;; api.kind.kind
      (call $slice (i32.const 0x420) (i32.const 0x30) (i32.const 6))   ;; api.plural
      (call $slice (i32.const 0x42c) (i32.const 0x100) (i32.const 237)) ;; api.crd
      (call $slice (i32.const 0x444) (local.get $at) (local.get $length)) ;; program
      (i32.const 0x400))

    ;; The answer of `render` that has these children, at 0x800.
    (func $rendered (param $children i32) (param $count i32) (result i32)
      (call $slice (i32.const 0x804) (i32.const 0x38) (i32.const 2))   ;; defaults
      (call $slice (i32.const 0x80c) (local.get $children) (local.get $count))
      (call $slice (i32.const 0x834) (i32.const 0x38) (i32.const 2))   ;; status
      (i32.const 0x800))

    ;; A child `thing` at the given place, which has 32 bytes.
    (func $child (param $into i32) (param $manifest i32) (param $length i32)
      (call $slice (local.get $into) (i32.const 0x40) (i32.const 5))
      (call $slice (i32.add (local.get $into) (i32.const 16)) (local.get $manifest) (local.get $length)))
