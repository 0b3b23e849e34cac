;; Keeps the laws that `croft module test` checks: what those that break one are
;; compared with.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (func $render (param i32 i32 i32 i32 i32 i32) (result i32)
      (call $with (i32.const 0x30)))
;; include parts/end.wat
