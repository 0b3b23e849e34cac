;; Asks for arithmetic that may differ from one processor to the next.
(component
  (core module $relaxed
    (func (export "swizzle") (param v128 v128) (result v128)
      (i8x16.relaxed_swizzle (local.get 0) (local.get 1))))
  (core instance (instantiate $relaxed)))
