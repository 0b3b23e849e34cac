;; Starts with three memories that are fine each and too much together.
(component
  (core module $part (memory 400))
  (core instance (instantiate $part))
  (core instance (instantiate $part))
  (core module $heap_module
    (memory (export "memory") 400)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0)))
  (core instance $heap (instantiate $heap_module))
  (core module $guest_module
    (func (export "prepare") (param i32 i32 i32 i32) (result i32) unreachable)
    (func (export "render") (param i32 i32 i32 i32 i32 i32) (result i32) unreachable))
  (core instance $guest (instantiate $guest_module))
;; include parts/exports.wat
