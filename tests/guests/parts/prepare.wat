    ;; Accepts any definition; the program is the definition.
    (func $prepare (param $definition i32) (param $length i32) (param i32 i32) (result i32)
      (call $ready (local.get $definition) (local.get $length)))
