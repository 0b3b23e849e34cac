;; Panics when it is shown what it rendered.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (func $render (param i32 i32 i32 i32 i32) (param $count i32) (result i32)
      (if (local.get $count) (then unreachable))
      (call $with (i32.const 0x30)))
;; include parts/end.wat
