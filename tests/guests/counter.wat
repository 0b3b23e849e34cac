;; Counts its calls in its memory: answers `{"n":1}` for ever if memory is
;; fresh.
;; include parts/begin.wat
;; include parts/prepare.wat
    (data (i32.const 0xb00) "{\"n\":0}")
    (func $render (param i32 i32 i32 i32 i32 i32) (result i32)
      (local $answer i32)
      (i32.store8 (i32.const 0xb05) (i32.add (i32.load8_u (i32.const 0xb05)) (i32.const 1)))
      (local.set $answer (call $rendered (i32.const 0) (i32.const 0)))
      (call $slice (i32.const 0x834) (i32.const 0xb00) (i32.const 7)) ;; status
      (local.get $answer))
;; include parts/end.wat
