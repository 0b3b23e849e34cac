    ;; Stores that many children of one manifest.
    (func $children (param $into i32) (param $count i32) (param $manifest i32) (param $length i32)
      (loop $more
        (call $child (local.get $into) (local.get $manifest) (local.get $length))
        (local.set $into (i32.add (local.get $into) (i32.const 32)))
        (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
