;; Lifts a function that answers later.
(component
  (core module $later
    (func (export "answer"))
    (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
  (core instance $instance (instantiate $later))
  (func (export "answer") async
    (canon lift (core func $instance "answer") async (callback (core func $instance "callback")))))
