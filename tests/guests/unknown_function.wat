;; Imports a function by itself, beside all interfaces.
(component
  (import "run" (func (param "command" string))))
