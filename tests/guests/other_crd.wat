;; Serves one API, and hands over the definition of another.
;; include parts/begin.wat
    (func $prepare (param $definition i32) (param $length i32) (param i32 i32) (result i32)
      (i32.store8 (i32.const 0x28) (i32.const 0x5a)) ;; `Zhing`
      (call $ready (local.get $definition) (local.get $length)))
;; include parts/render.wat
;; include parts/end.wat
