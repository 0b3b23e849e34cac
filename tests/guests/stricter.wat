;; Has the API of `steady` and refuses all of its instances.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (data (i32.const 0xd00) "TooOld")
    (data (i32.const 0xd10) "/spec")
    (data (i32.const 0xd20) "no instance is new enough")
    (func $render (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store8 (i32.const 0x800) (i32.const 1))                      ;; error
      (call $slice (i32.const 0x808) (i32.const 0xe00) (i32.const 1))   ;; invalid: problems
      (call $slice (i32.const 0xe04) (i32.const 0xd00) (i32.const 6))   ;; code
      (call $slice (i32.const 0xe0c) (i32.const 0xd10) (i32.const 5))   ;; at
      (call $slice (i32.const 0xe20) (i32.const 0xd20) (i32.const 25))  ;; message
      (i32.const 0x800))
;; include parts/end.wat
