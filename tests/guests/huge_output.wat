;; Answers with 512 MiB: 512 children that share one manifest of 1 MiB.
;; include parts/begin.wat
;; include parts/prepare.wat
;; include parts/many_children.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (drop (memory.grow (i32.const 100)))
      (memory.fill (i32.const 0x100000) (i32.const 0x20) (i32.const 0x100000))
      (call $children (i32.const 0x20000) (i32.const 512) (i32.const 0x100000) (i32.const 0x100000))
      (call $rendered (i32.const 0x20000) (i32.const 512)))
;; include parts/end.wat
