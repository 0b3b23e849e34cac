;; Never comes back from `prepare`.
;; include parts/begin.wat
    (func $prepare (param i32 i32 i32 i32) (result i32)
      (loop $again (br $again))
      unreachable)
;; include parts/render.wat
;; include parts/end.wat
