;; Says that the definition is invalid, and names no problem.
;; include parts/begin.wat
    (func $prepare (param i32 i32 i32 i32) (result i32)
      (i32.store8 (i32.const 0x400) (i32.const 1))
      (i32.const 0x400))
;; include parts/render.wat
;; include parts/end.wat
