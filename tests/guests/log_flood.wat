;; Logs 56 KiB at a time, ten thousand times, and then answers.
;; include parts/begin.wat
;; include parts/prepare.wat
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (local $left i32)
      (memory.fill (i32.const 0x2000) (i32.const 0x61) (i32.const 0xe000))
      (local.set $left (i32.const 10000))
      (loop $more
        (call $log (i32.const 3) (i32.const 0x2000) (i32.const 0xe000))
        (br_if $more (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
      (call $child (i32.const 0xa00) (local.get $instance) (local.get $length))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
;; include parts/end.wat
