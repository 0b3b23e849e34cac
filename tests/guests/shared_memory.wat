;; Shares its memory between threads, of which the sandbox has none.
(component
  (core module $shared
    (memory 1 1 shared)
    (func (export "add") (result i32)
      (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))
  (core instance (instantiate $shared)))
