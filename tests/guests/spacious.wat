;; Takes 40 MiB of memory, and answers.
;; include parts/begin.wat
;; include parts/prepare_config_map.wat
    (func $render (param i32 i32 i32 i32 i32 i32) (result i32)
      (drop (memory.grow (i32.const 640)))
      (call $with (i32.const 0x30)))
;; include parts/end.wat
