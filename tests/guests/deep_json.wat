;; Answers with a manifest of 60,000 opening brackets.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (memory.fill (i32.const 0x1000) (i32.const 0x5b) (i32.const 60000))
      (call $child (i32.const 0xa00) (i32.const 0x1000) (i32.const 60000))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
;; include parts/end.wat
