;; Never comes back from `render`.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (loop $again (br $again))
      unreachable)
;; include parts/end.wat
