;; Allocates objects that only a garbage collector could free.
(component
  (core module $collected
    (type $pair (struct (field i32) (field i32)))
    (func (export "make") (drop (struct.new $pair (i32.const 1) (i32.const 2)))))
  (core instance (instantiate $collected)))
