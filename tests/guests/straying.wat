;; Renders a Secret, which its blueprint does not list, once it is shown what it
;; rendered before.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (data (i32.const 0xc00) "{\"apiVersion\":\"v1\",\"data\":{\"n\":\"0\"},\"kind\":\"Secret\",\"metadata\":{\"name\":\"thing\"}}")
    (func $render (param i32 i32 i32 i32 i32) (param $count i32) (result i32)
      (if (i32.eqz (local.get $count)) (then (return (call $with (i32.const 0x30)))))
      (call $child (i32.const 0xa00) (i32.const 0xc00) (i32.const 80))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
;; include parts/end.wat
