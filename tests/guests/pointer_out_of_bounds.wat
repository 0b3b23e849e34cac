;; Says that a manifest is where it has no memory.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (call $child (i32.const 0xa00) (i32.const -16) (i32.const 8))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
;; include parts/end.wat
