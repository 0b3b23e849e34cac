;; Answers with the seventh case of a result, which has two.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (i32.store8 (i32.const 0x800) (i32.const 7))
      (i32.const 0x800))
;; include parts/end.wat
