;; Exports the right name with nothing behind it.
(component
  (instance $composer)
  (export "croft:composition/composer@0.1.0" (instance $composer)))
