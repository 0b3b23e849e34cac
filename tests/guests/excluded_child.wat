;; Answers with a child that is switched off at the same time.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (call $child (i32.const 0xa00) (local.get $instance) (local.get $length))
      (call $slice (i32.const 0xb00) (i32.const 0x40) (i32.const 5))
      (call $slice (i32.const 0x81c) (i32.const 0xb00) (i32.const 1))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
;; include parts/end.wat
