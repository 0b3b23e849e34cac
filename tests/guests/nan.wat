;; Divides zero by zero and answers with the sign of the outcome, which
;; processors do not agree on.
;; include parts/begin.wat
;; include parts/prepare.wat
    (data (i32.const 0xb00) "{\"n\":0}")
    (func $render (param i32 i32 i32 i32 i32 i32) (result i32)
      (local $zero f32)
      (local $answer i32)
      ;; Read from memory, so that it is divided when it runs.
      (local.set $zero (f32.load (i32.const 0xc00)))
      (i32.store8 (i32.const 0xb05) (i32.add (i32.const 0x30)
        (i32.shr_u (i32.reinterpret_f32 (f32.div (local.get $zero) (local.get $zero))) (i32.const 31))))
      (local.set $answer (call $rendered (i32.const 0) (i32.const 0)))
      (call $slice (i32.const 0x834) (i32.const 0xb00) (i32.const 7)) ;; status
      (local.get $answer))
;; include parts/end.wat
