;; Answers with a manifest of four million commas: small as text, 300 MiB as
;; values if they were zeros.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (drop (memory.grow (i32.const 100)))
      (memory.fill (i32.const 0x10000) (i32.const 0x2c) (i32.const 4000000))
      (call $child (i32.const 0xa00) (i32.const 0x10000) (i32.const 4000000))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
;; include parts/end.wat
