;; Answers with a child that is an empty object.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (call $child (i32.const 0xa00) (i32.const 0x38) (i32.const 2))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
;; include parts/end.wat
