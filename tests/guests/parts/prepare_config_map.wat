    (data (i32.const 0x50) "ConfigMap")
    ;; Stores the kind ConfigMap.
    (func $config_map (param $into i32)
      (call $slice (local.get $into) (i32.const 0x38) (i32.const 0))
      (call $slice (i32.add (local.get $into) (i32.const 8)) (i32.const 0x20) (i32.const 2))
      (call $slice (i32.add (local.get $into) (i32.const 16)) (i32.const 0x50) (i32.const 9)))
    ;; Accepts any definition, with one child `thing`, a ConfigMap.
    (func $prepare (param i32 i32 i32 i32) (result i32)
      (call $config_map (i32.const 0x480))                            ;; kinds[0].kind
      (call $slice (i32.const 0x4a0) (i32.const 0x40) (i32.const 5))  ;; nodes[0].id
      (call $config_map (i32.const 0x4ac))                            ;; nodes[0].kind
      (call $slice (i32.const 0x434) (i32.const 0x480) (i32.const 1)) ;; kinds
      (call $slice (i32.const 0x43c) (i32.const 0x4a0) (i32.const 1)) ;; nodes
      (call $ready (i32.const 0) (i32.const 0)))
    ;; A ConfigMap `thing` with one digit, and where the digit is in it. An observed
    ;; one has it in the same place, since the keys of what a host gives are sorted.
    (data (i32.const 0xb00) "{\"apiVersion\":\"v1\",\"data\":{\"n\":\"0\"},\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"thing\"}}")
    (global $digit i32 (i32.const 32))
    ;; The answer of `render` that has this ConfigMap with a digit.
    (func $with (param $digit i32) (result i32)
      (i32.store8 (i32.add (i32.const 0xb00) (global.get $digit)) (local.get $digit))
      (call $child (i32.const 0xa00) (i32.const 0xb00) (i32.const 83))
      (call $rendered (i32.const 0xa00) (i32.const 1)))
    ;; Where the text of the first observed object is.
    (func $object (param $observed i32) (result i32)
      (i32.load offset=16 (local.get $observed)))
