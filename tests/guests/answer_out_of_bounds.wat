;; Says that the whole answer is where it has no memory.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (i32.const -64))
;; include parts/end.wat
