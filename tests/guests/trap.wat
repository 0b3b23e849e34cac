;; Divides by zero.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (i32.div_u (local.get $length) (i32.const 0)))
;; include parts/end.wat
