;; Throws an exception.
(component
  (core module $throwing
    (tag $oops)
    (func (export "throw") (throw $oops)))
  (core instance (instantiate $throwing)))
