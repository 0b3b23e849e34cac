;; Renders the first letter of the first key of the instance.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (func $render (param i32 i32) (param $instance i32) (param i32 i32 i32) (result i32)
      (call $with (i32.load8_u offset=2 (local.get $instance))))
;; include parts/end.wat
