;; Calls a function through a typed reference.
(component
  (core module $typed
    (type $nothing (func))
    (func (export "call") (param (ref $nothing)) (call_ref $nothing (local.get 0))))
  (core instance (instantiate $typed)))
