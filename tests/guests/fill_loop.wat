;; Clears its memory for ever: one instruction that takes a millisecond.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (drop (memory.grow (i32.const 900)))
      (loop $again
        (memory.fill (i32.const 0x10000) (i32.const 1) (i32.const 0x3000000))
        (br $again))
      unreachable)
;; include parts/end.wat
