;; Never comes back from being started.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $spin (loop $again (br $again)))
    (start $spin)
;; include parts/render.wat
;; include parts/end.wat
