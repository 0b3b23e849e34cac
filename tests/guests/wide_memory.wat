;; Needs a memory with 64-bit addresses, which the sandbox has switched off.
(component
  (core module $wide (memory i64 1))
  (core instance (instantiate $wide)))
