;; Finds fault with every definition, and with itself when rendering.
;; include parts/begin.wat
    (data (i32.const 0xb00) "UnknownType")
    (data (i32.const 0xb10) "/spec")
    (data (i32.const 0xb20) "`strin` is no type")
    (data (i32.const 0xb40) "did you mean `string`?")
    (data (i32.const 0xb60) "lost the thread")
    (func $prepare (param i32 i32 i32 i32) (result i32)
      (i32.store8 (i32.const 0x400) (i32.const 1))                      ;; error
      (call $slice (i32.const 0x408) (i32.const 0xa00) (i32.const 1))   ;; invalid, one problem
      (call $slice (i32.const 0xa04) (i32.const 0xb00) (i32.const 11))  ;; code
      (call $slice (i32.const 0xa0c) (i32.const 0xb10) (i32.const 5))   ;; at
      (i32.store8 (i32.const 0xa14) (i32.const 1))                      ;; span: from 2, 5 bytes
      (call $slice (i32.const 0xa18) (i32.const 2) (i32.const 5))
      (call $slice (i32.const 0xa20) (i32.const 0xb20) (i32.const 18))  ;; message
      (i32.store8 (i32.const 0xa28) (i32.const 1))                      ;; hint
      (call $slice (i32.const 0xa2c) (i32.const 0xb40) (i32.const 22))
      (i32.const 0x400))
    (func $render (param i32 i32 i32 i32 i32 i32) (result i32)
      (i32.store8 (i32.const 0x800) (i32.const 1))                      ;; error
      (i32.store8 (i32.const 0x804) (i32.const 1))                      ;; internal
      (call $slice (i32.const 0x808) (i32.const 0xb60) (i32.const 15))
      (i32.const 0x800))
;; include parts/end.wat
