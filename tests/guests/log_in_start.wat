;; Logs a text that is not in its memory, while it is being started.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $say (call $log (i32.const 3) (i32.const 0x7ffffff0) (i32.const 64)))
    (start $say)
;; include parts/render.wat
;; include parts/end.wat
