;; Uses up three fifths of a render's fuel, and answers.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (func $render (param i32 i32 i32 i32 i32 i32) (result i32)
      (local $left i32)
      (local.set $left (i32.const 4600))
      (loop $more
        (memory.fill (i32.const 0x10000) (i32.const 0) (i32.const 0x10000))
        (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $with (i32.const 0x30)))
;; include parts/end.wat
