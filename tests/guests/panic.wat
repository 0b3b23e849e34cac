;; Logs a panic as Rust does, and stops.
;; include parts/begin.wat
;; include parts/prepare.wat
    (data (i32.const 0xb00) "panicked at src/lib.rs:7:5: index out of bounds")
    (func $render (param i32 i32) (param $instance i32) (param $length i32) (param i32 i32) (result i32)
      (call $log (i32.const 2) (i32.const 0x38) (i32.const 2))
      (call $log (i32.const 0) (i32.const 0xb00) (i32.const 47))
      unreachable)
;; include parts/end.wat
