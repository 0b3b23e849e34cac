;; Turns its child over each time it is shown it.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (func $render (param i32 i32 i32 i32) (param $observed i32) (param $count i32) (result i32)
      (if (i32.eqz (local.get $count)) (then (return (call $with (i32.const 0x30)))))
      (call $with (i32.xor (i32.const 1)
        (i32.load8_u (i32.add (call $object (local.get $observed)) (global.get $digit))))))
;; include parts/end.wat
