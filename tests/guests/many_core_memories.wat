;; Has two memories in one core module, which the sandbox has switched off.
(component
  (core module $two (memory 1) (memory 1))
  (core instance (instantiate $two)))
