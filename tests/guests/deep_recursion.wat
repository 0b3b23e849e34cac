;; Calls itself for ever.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $dig (param $depth i32) (result i32)
      (i32.add (call $dig (i32.add (local.get $depth) (i32.const 1))) (local.get $depth)))
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (call $dig (i32.const 0)))
;; include parts/end.wat
