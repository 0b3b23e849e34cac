;; Hides a function among the contract's types.
(component
  (import "croft:composition/types@0.1.0" (instance
    (export "now" (func (result u64))))))
