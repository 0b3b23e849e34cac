;; Is handed its arguments where it has no memory: its allocator lies.
(component
  (core module $heap_module
    (memory (export "memory") 1)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const -256)))
  (core instance $heap (instantiate $heap_module))
  (core module $guest_module
    (func (export "prepare") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "render") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable))
  (core instance $guest (instantiate $guest_module))
;; include parts/exports.wat
