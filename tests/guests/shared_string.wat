;; Answers with a million children that share one manifest of 1 MiB: a
;; terabyte, in 33 MiB of memory.
;; include parts/begin.wat
;; include parts/prepare.wat
;; include parts/many_children.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (drop (memory.grow (i32.const 800)))
      (call $children (i32.const 0x200000) (i32.const 1000000) (i32.const 0x100000) (i32.const 0x100000))
      (call $rendered (i32.const 0x200000) (i32.const 1000000)))
;; include parts/end.wat
