;; Takes all the table elements that it can get.
;; include parts/begin.wat
;; include parts/prepare.wat
    (table $functions 1 funcref)
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (loop $more
        (br_if $more (i32.ne (table.grow $functions (ref.null func) (i32.const 4096)) (i32.const -1))))
      unreachable)
;; include parts/end.wat
