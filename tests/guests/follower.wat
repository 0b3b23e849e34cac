;; Renders how long the text of its child is, so that it follows all that others
;; write to it.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (func $render (param i32 i32 i32 i32) (param $observed i32) (param $count i32) (result i32)
      (if (i32.eqz (local.get $count)) (then (return (call $with (i32.const 0x30)))))
      (call $with (i32.add (i32.const 0x30)
        (i32.rem_u (i32.load offset=20 (local.get $observed)) (i32.const 9)))))
;; include parts/end.wat
