;; Speaks a contract of the future.
(component
  (instance $composer)
  (export "croft:composition/composer@0.9.0" (instance $composer)))
