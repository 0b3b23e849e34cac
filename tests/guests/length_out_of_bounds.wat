;; Says that a manifest is 512 MiB long, which is more than its memory.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (call $child (i32.const 0xa00) (i32.const 0x1000) (i32.const 0x20000000))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
;; include parts/end.wat
